//! The examples' pods.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    super::{
        kubectl::{Kubectl, Seen, until},
        layout,
    },
    EXAMPLES,
};
use crate::{error::Error, terminal::Progress};

/// For a dozen of pods at once.
const RUNNING: Duration = Duration::from_secs(400);

/// A pod as the API server has it.
#[derive(Debug, Clone)]
pub(super) struct Pod(Value);

impl Pod {
    pub(super) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub(super) fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    pub(super) fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    pub(super) fn ip(&self) -> &str {
        self.text("/status/podIP")
    }

    pub(super) fn terminating(&self) -> bool {
        self.0.pointer("/metadata/deletionTimestamp").is_some()
    }

    /// Whether every container runs.
    pub(super) fn runs(&self) -> bool {
        let states = self.containers();
        !states.is_empty() && states.iter().all(|container| container["state"]["running"].is_object())
    }

    /// When the youngest of its containers started, if all run.
    pub(super) fn last_start(&self) -> Option<Timestamp> {
        let started = |container: &Value| container["state"]["running"]["startedAt"].as_str()?.parse().ok();
        let all: Option<Vec<Timestamp>> = self.containers().iter().map(started).collect();
        all?.into_iter().max()
    }

    /// Whether every container's probes pass.
    pub(super) fn is_ready(&self) -> bool {
        let states = self.containers();
        !states.is_empty() && states.iter().all(|container| container["ready"] == true)
    }

    pub(super) fn restarts(&self) -> u64 {
        self.containers().iter().filter_map(|container| container["restartCount"].as_u64()).sum()
    }

    /// How many certificates it has mounted.
    pub(super) fn certificates(&self) -> usize {
        let all = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let volumes = all(&self.0["spec"], "volumes");
        let sources = volumes.iter().flat_map(|volume| all(&volume["projected"], "sources"));
        sources.filter(|source| source["podCertificate"].is_object()).count()
    }

    /// Its containers' names.
    pub(super) fn has_container(&self, name: &str) -> bool {
        self.containers().iter().any(|container| container["name"] == name)
    }

    fn containers(&self) -> &[Value] {
        self.0.pointer("/status/containerStatuses").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace(), self.name())
    }
}

impl From<Value> for Pod {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

/// The pods of one namespace that aren't about to go.
pub(super) async fn of(kubectl: &Kubectl, namespace: &str) -> Result<Vec<Pod>, Error> {
    let pods = kubectl.list(&format!("pods --namespace {namespace}")).await?;
    Ok(pods.into_iter().map(Pod).filter(|pod| !pod.terminating()).collect())
}

/// The pods of all examples that aren't about to go.
pub(super) async fn of_examples(kubectl: &Kubectl) -> Result<Vec<Pod>, Error> {
    let pods = kubectl.list("pods --all-namespaces").await?.into_iter().map(Pod);
    Ok(pods.filter(|pod| EXAMPLES.contains(&pod.namespace()) && !pod.terminating()).collect())
}

/// `kubectl apply -f` of one of the repository's folders.
pub(super) async fn apply(kubectl: &Kubectl, folder: &str) -> Result<String, Error> {
    let said = kubectl.run(&format!("apply -f {}", layout::manifests(folder).display())).await?;
    Ok(format!("kubectl apply -f {folder}: {} objects", said.lines().count()))
}

/// Waits until every pod of the examples is ready.
pub(super) async fn all_ready(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    until(
        RUNNING,
        |missing| progress.tell(missing),
        async || {
            let pods = of_examples(kubectl).await?;
            let waiting: Vec<&Pod> = pods.iter().filter(|pod| !pod.is_ready()).collect();
            if pods.is_empty() || !waiting.is_empty() {
                let ready = pods.len() - waiting.len();
                let first = waiting.first().map_or_else(String::new, |pod| format!(", not {pod}"));
                return Ok(Seen::Missing(format!("{ready} of {} pods are ready{first}", pods.len())));
            }
            let certificates: usize = pods.iter().map(Pod::certificates).sum();
            Ok(Seen::Done(format!("{} pods with {certificates} certificates", pods.len())))
        },
    )
    .await
}

#[cfg(test)]
mod tests;

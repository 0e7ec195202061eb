//! What the examples' clients say: a line for each poll.

use std::{collections::BTreeSet, time::Duration};

use super::{
    super::kubectl::{Kubectl, Seen, until},
    pods::{self, Pod},
};
use crate::{error::Error, terminal::Progress};

/// A client polls every 10 s; a loaded machine may take longer.
const ANSWERED: Duration = Duration::from_secs(180);

/// A poll that got an answer, as `mtls-demo client` logs it.
const SUCCESS: &str = "status=200";

/// One that didn't.
pub(super) const FAILURE: &str = "poll failed";

/// Waits until each client's last polls got the answers that they should, and returns who was seen to answer.
pub(super) async fn answered(
    kubectl: &Kubectl,
    namespace: &str,
    progress: &Progress,
) -> Result<String, Error> {
    let (urls, echoed) = expected(namespace);
    until(
        ANSWERED,
        |missing| progress.tell(missing),
        async || {
            let mut servers = BTreeSet::new();
            for pod in clients(kubectl, namespace).await? {
                let log = log(kubectl, &pod, &format!("--tail={urls}")).await?;
                let asked: BTreeSet<&str> = log.lines().map(|line| field(line, "url=")).collect();
                let good = |line: &str| line.contains(SUCCESS) && line.contains(&echoed);
                if asked.len() < urls || !log.lines().all(good) {
                    let last = log.lines().find(|line| !good(line)).unwrap_or("nothing yet");
                    return Ok(Seen::Missing(format!("{} says: {last}", pod.name())));
                }
                servers.extend(log.lines().map(|line| field(line, "server=").to_owned()));
            }
            if servers.is_empty() {
                return Ok(Seen::Missing("there is no client".into()));
            }
            let servers: Vec<String> = servers.into_iter().collect();
            let echoed = if echoed.is_empty() { String::new() } else { format!(", which sees {echoed}") };
            Ok(Seen::Done(format!("{}{echoed}", servers.join(", "))))
        },
    )
    .await
}

/// How many URLs a client of that namespace polls, and what each answer must hold.
fn expected(namespace: &str) -> (usize, String) {
    match namespace {
        "annotation-peers" => (3, String::new()),
        "service-dns-spiffe-client" | "spiffe-both-ends" => {
            (1, format!("spiffe://cluster.local/ns/{namespace}/sa/client"))
        }
        _ => (1, String::new()),
    }
}

/// Pods with a container of that name.
pub(super) async fn clients(kubectl: &Kubectl, namespace: &str) -> Result<Vec<Pod>, Error> {
    let pods = pods::of(kubectl, namespace).await?;
    Ok(pods.into_iter().filter(|pod| pod.has_container("client")).collect())
}

/// What a pod's client has logged.
pub(super) async fn log(kubectl: &Kubectl, pod: &Pod, which: &str) -> Result<String, Error> {
    kubectl
        .run(&format!("logs --namespace {} {} --container client {which}", pod.namespace(), pod.name()))
        .await
}

/// The value after that key: a quoted text, or a word.
pub(super) fn field<'a>(line: &'a str, key: &str) -> &'a str {
    let value = line.split_once(key).map_or("", |(_, value)| value);
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or(quoted),
        None => value.split_whitespace().next().unwrap_or(value),
    }
}

/// After everything, no container has restarted, and every client's last poll got an answer.
pub(super) async fn unbroken(kubectl: &Kubectl, progress: &Progress) -> Result<String, Error> {
    let pods = pods::of_examples(kubectl).await?;
    if let Some(pod) = pods.iter().find(|pod| pod.restarts() > 0) {
        return Err(Error::Unmet(format!("{pod} has restarted")));
    }
    for namespace in super::EXAMPLES {
        answered(kubectl, namespace, progress).await?;
    }
    Ok(format!("{} pods", pods.len()))
}

#[cfg(test)]
mod tests;

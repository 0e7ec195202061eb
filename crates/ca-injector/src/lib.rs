//! Keeps the `caBundle` of webhook configurations, APIServices and CRD conversions at the trust anchors of a pod
//! certificate signer, so that kube-apiserver trusts servers that have its certificates.
//!
//! A new root is in the signer's ClusterTrustBundle 15 minutes before anything is signed under it, and an old one until
//! its last certificate has expired: what is copied within seconds is never too late. Whoever may change webhooks is
//! close to being a cluster administrator, so this has an identity of its own, with rights on objects by name, and no
//! CA's key.

mod plan;
mod target;

use std::{collections::BTreeMap, fmt, time::Duration};

use api_client::{
    ClusterTrustBundle,
    answer::{SizeClass, call},
    discovery::{DiscoveryError, discover},
    error::{describe, is_status},
    read::{Collection, ReadFrom, get},
    timeout::with_timeout,
};
use bounded_text::one_line;
use ca_pool::{CaCertificate, names::SignerName};
use http::header;
use kube::Client;
use serde_json::Value;
use tokio::sync::watch;

pub use self::{
    plan::{ANNOTATION, PlanError},
    target::{InvalidTarget, Target, TargetKind},
};

/// How often objects are read.
const POLL_INTERVAL: Duration = Duration::from_secs(10);

/// How often a write that conflicts is attempted before the next poll.
const MAX_ATTEMPTS: u32 = 3;

/// Why an object isn't as it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InjectError {
    /// It doesn't exist.
    #[error("it doesn't exist; create it, or leave its --target out")]
    Missing,
    /// Its annotations don't allow it, or it has no `caBundle`.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The anchors can't be read.
    #[error("the trust bundle {bundle}: {problem}")]
    Bundle {
        /// Its name.
        bundle: String,
        /// Why.
        problem: String,
    },
    /// Others write it again and again.
    #[error("others change it at the same time; it is looked at again in ten seconds")]
    Conflict,
    /// The API server refuses, or doesn't answer.
    #[error("{0}")]
    Call(String),
}

/// How things stand. By default it is that of an [`Injector`] that hasn't looked yet.
#[derive(Clone, Debug, Default)]
pub struct State {
    has_looked: bool,
    problems: BTreeMap<Target, String>,
}

impl State {
    /// Whether all targets are in order, and a page that says so line by line.
    #[must_use]
    pub fn readiness(&self) -> (bool, String) {
        if !self.has_looked {
            return (false, "not ready: no object has been looked at yet\n".to_owned());
        }
        if self.problems.is_empty() {
            return (true, "ready\n".to_owned());
        }
        let line = |(target, problem): (&Target, &String)| {
            format!("{target}: not ready\n  - {}\n", one_line(problem))
        };
        (false, self.problems.iter().map(line).collect())
    }
}

/// Keeps the `caBundle` of its targets.
pub struct Injector {
    client: Client,
    targets: Vec<Target>,
    state: watch::Sender<State>,
}

impl fmt::Debug for Injector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injector").field("targets", &self.targets).finish_non_exhaustive()
    }
}

impl Injector {
    /// It does nothing until it [runs](Self::run). The receiver shows how things stand.
    #[must_use]
    pub fn new(client: Client, targets: Vec<Target>) -> (Self, watch::Receiver<State>) {
        let (state, receiver) = watch::channel(State::default());
        (Self { client, targets, state }, receiver)
    }

    /// Reconciles all targets every ten seconds. Never returns.
    pub async fn run(self) {
        loop {
            let mut problems = BTreeMap::new();
            for target in &self.targets {
                match self.reconcile(target).await {
                    Ok(()) => {}
                    Err(error) => _ = problems.insert(target.clone(), error.to_string()),
                }
            }
            self.log_changes(&problems);
            self.state.send_replace(State { has_looked: true, problems });
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Logs each problem once, and its recovery.
    fn log_changes(&self, problems: &BTreeMap<Target, String>) {
        let before = self.state.borrow().problems.clone();
        for (target, problem) in problems.iter().filter(|(target, now)| before.get(target) != Some(now)) {
            tracing::warn!(%target, "{problem}");
        }
        for target in before.keys().filter(|target| !problems.contains_key(target)) {
            tracing::info!(%target, "recovered");
        }
    }

    /// Reads and writes again if somebody else has changed the object in between.
    async fn reconcile(&self, target: &Target) -> Result<(), InjectError> {
        for _ in 1..MAX_ATTEMPTS {
            match self.reconcile_once(target).await {
                Err(InjectError::Conflict) => {}
                kept => return kept,
            }
        }
        self.reconcile_once(target).await
    }

    async fn reconcile_once(&self, target: &Target) -> Result<(), InjectError> {
        let object = self.read(target).await?;
        let signer = plan::signer_of(&object)?;
        let anchors = self.anchors(&signer).await?;
        let Some(patch) = plan::patch(target.kind, &object, &anchors)? else { return Ok(()) };
        let body = serde_json::to_vec(&patch).map_err(|error| InjectError::Call(error.to_string()))?;
        let request =
            http::Request::patch(target.path()).header(header::CONTENT_TYPE, "application/json-patch+json");
        let request = request.body(body).map_err(|error| InjectError::Call(error.to_string()))?;
        match with_timeout(call(&self.client, request, SizeClass::Others)).await {
            Ok(_) => {}
            Err(error) if is_status(&error, 409) => return Err(InjectError::Conflict),
            Err(error) => {
                return Err(InjectError::Call(format!("it can't be changed: {}", describe(&error))));
            }
        }
        tracing::info!(%target, %signer, anchors = anchors.len(), "caBundle written");
        Ok(())
    }

    async fn read(&self, target: &Target) -> Result<Value, InjectError> {
        let request = http::Request::get(target.path()).body(Vec::new());
        let request = request.map_err(|error| InjectError::Call(error.to_string()))?;
        match with_timeout(call(&self.client, request, SizeClass::Others)).await {
            Ok(answer) => serde_json::from_slice(&answer.bytes)
                .map_err(|_| InjectError::Call("the API server's answer isn't JSON".to_owned())),
            Err(error) if is_status(&error, 404) => Err(InjectError::Missing),
            Err(error) => Err(InjectError::Call(describe(&error))),
        }
    }

    /// The signer's anchors as they are published; what isn't there leaves objects as they are.
    async fn anchors(&self, signer: &SignerName) -> Result<Vec<CaCertificate>, InjectError> {
        let bundle = signer.bundle_name();
        let of_bundle = |problem: String| InjectError::Bundle { bundle: bundle.clone(), problem };
        let api = discover(&self.client).await.map_err(|error| match error {
            DiscoveryError::Unreachable(error) => InjectError::Call(describe(&error)),
            error @ DiscoveryError::NotServed { .. } => of_bundle(error.to_string()),
        })?;
        let path = format!("/apis/{}/{}", api.bundles.api_version, api.bundles.plural);
        let bundles = Collection { client: self.client.clone(), path, field_selector: None };
        let got = get::<ClusterTrustBundle>(&bundles, &bundle, ReadFrom::Quorum).await;
        let got = got.map_err(|error| of_bundle(describe(&error)))?;
        let published =
            got.ok_or_else(|| of_bundle("it isn't published; does a signer have this name?".to_owned()))?;
        anchors_of(published.object.spec.trust_bundle.as_bytes()).map_err(of_bundle)
    }
}

/// In the order of their bytes, so that a bundle in another order is the same.
fn anchors_of(pem: &[u8]) -> Result<Vec<CaCertificate>, String> {
    let blocks = pem_blocks::blocks(pem).map_err(|bad| format!("line {}: {}", bad.line, bad.problem))?;
    let certificate = |block: &pem_blocks::Block<'_>| {
        let certificate = CaCertificate::from_der(format!("line {}", block.line), &block.der);
        certificate.map_err(|error| error.to_string())
    };
    let mut anchors = blocks.iter().map(certificate).collect::<Result<Vec<_>, _>>()?;
    if anchors.is_empty() {
        return Err("it has no anchor".to_owned());
    }
    anchors.sort_by(|a, b| a.der().cmp(b.der()));
    Ok(anchors)
}

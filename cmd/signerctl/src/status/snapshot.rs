//! What a cluster shows of signers at a moment.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use jiff::Timestamp;
use serde::Serialize;
use signer_core::replica_of_message;
use signer_manager::SignerConfig;

use crate::{
    error::Error,
    observed::{
        Controller, Event, ObservedPod, ObservedRequest, Outcome, anchors, of_requests, pool_place, requests,
    },
    report::outlook::Outlook,
    store::cluster::Cluster,
};

#[derive(Debug, Serialize)]
pub(super) struct Snapshot {
    pub(super) signers: Vec<SignerStatus>,
    pub(super) replicas: Vec<ReplicaStatus>,
    pub(super) waiting: Vec<Waiting>,
    /// What couldn't be read, and why: the rest is shown all the same.
    pub(super) unread: Vec<String>,
}

/// A signer, its CA and its requests of the last 15 minutes, which is how long Kubernetes keeps them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignerStatus {
    pub(super) name: String,
    /// Who signs, in a sentence; or why that can't be read.
    pub(super) ca: String,
    /// Whether one signs; none if that can't be read.
    pub(super) ca_is_signing: Option<bool>,
    /// When the last of its CAs ends.
    pub(super) ca_ends: Option<Timestamp>,
    /// 0 if there is no bundle; none if it can't be read.
    pub(super) anchors: Option<usize>,
    pub(super) issued: usize,
    pub(super) waiting: usize,
    pub(super) refused: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplicaStatus {
    pub(super) name: String,
    pub(super) is_ready: bool,
    pub(super) image: String,
    /// Requests of the last 15 minutes that it finished.
    pub(super) finished: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Waiting {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) signer: String,
    pub(super) since: Timestamp,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Snapshot {
    pub(super) fn take(
        cluster: &Rc<Cluster>,
        controller: &Controller<'_>,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let config = controller.config()?;
        let mut unread = Vec::new();
        let mut requests = read(requests(cluster, None), &mut unread);
        unread.extend(requests.unreadable.iter().map(ToString::to_string));
        // a cluster may have signers of others
        let is_ours = |request: &ObservedRequest| {
            config.signers.iter().any(|signer| signer.name().as_str() == request.signer)
        };
        requests.objects.retain(is_ours);
        let signers = config
            .signers
            .iter()
            .map(|signer| SignerStatus::of(cluster, controller, signer, &requests.objects, &mut unread, now));
        let signers = signers.collect();
        let pods = read(controller.pods(), &mut unread);
        let events = read(of_requests(cluster, None), &mut unread);
        Ok(Self {
            signers,
            replicas: replicas(pods, &requests.objects),
            waiting: waiting(events, &requests.objects),
            unread,
        })
    }
}

/// What was read, or nothing, and why.
fn read<T: Default>(found: Result<T, Error>, unread: &mut Vec<String>) -> T {
    found.unwrap_or_else(|error| {
        let error = error.to_string();
        // one missing right may be missed for each signer
        if !unread.contains(&error) {
            unread.push(error);
        }
        T::default()
    })
}

impl SignerStatus {
    fn of(
        cluster: &Rc<Cluster>,
        controller: &Controller<'_>,
        signer: &SignerConfig,
        requests: &[ObservedRequest],
        unread: &mut Vec<String>,
        now: Timestamp,
    ) -> Self {
        let mut status = Self { name: signer.name().to_string(), ..Self::default() };
        for request in requests.iter().filter(|request| request.signer == status.name) {
            match request.outcome {
                Outcome::Issued { .. } => status.issued += 1,
                Outcome::Refused { .. } => status.refused += 1,
                Outcome::Pending => status.waiting += 1,
            }
        }
        match anchors(cluster, signer.name()) {
            Ok(found) => status.anchors = Some(found.map_or(0, |anchors| anchors.len())),
            Err(error) => read(Err(error), unread),
        }
        match pool_place(cluster, controller, &signer.ca_pool).and_then(|place| place.load(None)) {
            Ok(pool) => {
                let pool = pool.as_of(now);
                let outlook = Outlook::of_signer(
                    &pool,
                    &signer.examples(),
                    Some(signer.policy.max_lifetime),
                    None,
                    now,
                );
                status.ca_is_signing = Some(outlook.is_signing());
                status.ca = outlook.state().1;
                status.ca_ends = pool.authorities().map(ca_pool::CertificateAuthority::not_after).max();
            }
            // whoever may not read Secrets sees the rest
            Err(error) => {
                status.ca_is_signing = (!error.leaves_unknown()).then_some(false);
                status.ca = error.to_string();
            }
        }
        status
    }
}

/// The controller's pods, and whoever else has finished requests: a replica outside of the cluster, or one that
/// is gone.
fn replicas(pods: Vec<ObservedPod>, requests: &[ObservedRequest]) -> Vec<ReplicaStatus> {
    let mut finished: BTreeMap<String, usize> = BTreeMap::new();
    for request in requests {
        let message = match &request.outcome {
            Outcome::Issued { message, .. } | Outcome::Refused { message, .. } => message,
            Outcome::Pending => continue,
        };
        // behind the host's name is what is drawn at each start
        let replica = replica_of_message(message);
        if let Some(host) = replica.as_deref().and_then(|replica| replica.split('/').next()) {
            *finished.entry(host.to_owned()).or_default() += 1;
        }
    }
    let pods = pods.into_iter().map(|pod| ReplicaStatus {
        finished: finished.remove(&pod.pod.name).unwrap_or_default(),
        name: pod.pod.name,
        is_ready: pod.is_ready,
        image: pod.image,
    });
    let mut replicas: Vec<ReplicaStatus> = pods.collect();
    let others = finished.into_iter().map(|(name, finished)| ReplicaStatus {
        name,
        is_ready: false,
        image: String::new(),
        finished,
    });
    replicas.extend(others);
    replicas
}

/// The oldest first.
fn waiting(mut events: HashMap<(String, String), Event>, requests: &[ObservedRequest]) -> Vec<Waiting> {
    let mut waiting: Vec<&ObservedRequest> =
        requests.iter().filter(|request| request.outcome == Outcome::Pending).collect();
    waiting.sort_by_key(|request| request.created);
    waiting
        .into_iter()
        .map(|request| {
            let event = events.remove(&(request.namespace.clone(), request.name.clone()));
            let (reason, message) = event.map(|event| (event.reason, event.message)).unwrap_or_default();
            Waiting {
                namespace: request.namespace.clone(),
                pod: request.pod_name.clone(),
                signer: request.signer.clone(),
                since: request.created,
                reason,
                message,
            }
        })
        .collect()
}

//! Who still holds a certificate of a CA that isn't in the pool any more.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use ca_pool::CaPool;
use jiff::Timestamp;
use serde::Serialize;
use signer_core::SignerName;

use crate::{
    audit::each_record,
    error::Error,
    observed::{ObservedPod, ObservedRequest, Outcome, Owner, issuer_key},
    store::clock::TOLERANCE,
    text::times::later,
};

/// How long replicas may sign with a revoked CA after the time that the pool tells of its change: kubelet writes a
/// changed Secret into their volumes within a minute or two, and the clock of whoever changed it may be late.
const POOL_RELOAD: Duration = Duration::from_secs(120).saturating_add(TOLERANCE);

/// What it is told from.
pub(super) struct Evidence<'a> {
    /// The pool as it is now.
    pub(super) pool: &'a CaPool,
    pub(super) revoked_at: Timestamp,
    /// The longest lifetime of a certificate of a revoked CA.
    pub(super) max_lifetime: Duration,
    pub(super) requests: Vec<ObservedRequest>,
    /// The last certificate of a pod, by its UID.
    pub(super) audited: &'a HashMap<String, Audited>,
}

/// A certificate, as an audit record tells of it.
pub(super) struct Audited {
    pub(super) at: Timestamp,
    /// Whether it is known that the API server has it.
    pub(super) is_confirmed: bool,
    pub(super) not_after: Timestamp,
    /// SHA-256 of the CA's certificate.
    pub(super) ca: String,
}

/// Whether a pod holds a certificate of a revoked CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// Its certificate is of a CA that is in the pool, or has expired.
    NotRevoked,
    /// Until then.
    Revoked(Timestamp),
    /// It is older than the revocation, and no later certificate of it was seen; by then it has expired.
    Unknown(Timestamp),
}

/// All pods that a revocation concerns.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Holders {
    pub(super) signer: String,
    pub(super) revoked_at: Timestamp,
    /// Pods on nodes that ask the signer and haven't finished.
    pub(super) pods: usize,
    pub(super) workloads: Vec<Workload>,
    /// Pods that can't be read, and why: what they hold isn't known.
    pub(super) unreadable: Vec<String>,
}

/// Pods that one thing made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Workload {
    pub(super) namespace: String,
    /// None: nobody makes its pods again.
    #[serde(serialize_with = "as_text")]
    pub(super) owner: Option<Owner>,
    pub(super) holders: Vec<String>,
    /// Of how many of the holders a certificate of a revoked CA was seen, in a request or an audit log.
    pub(super) confirmed: usize,
    /// Its pods that ask the signer.
    pub(super) pods: usize,
    /// When the last certificate of a revoked CA expires.
    pub(super) until: Timestamp,
}

fn as_text<S: serde::Serializer>(owner: &Option<Owner>, serializer: S) -> Result<S::Ok, S::Error> {
    owner.as_ref().map(ToString::to_string).serialize(serializer)
}

impl Evidence<'_> {
    /// What a pod holds of a signer. A pod may ask one signer for several certificates, and nobody sees which of
    /// them was renewed: that of such a pod is known only if it is revoked.
    pub(super) fn of(&self, pod: &ObservedPod, signer: &str, now: Timestamp) -> Holding {
        if self.latest_end() <= now || pod.created.is_some_and(|created| self.unused_since() < created) {
            return self.seen(pod, signer, now).unwrap_or(Holding::NotRevoked);
        }
        let sources =
            pod.pod.certificate_sources.iter().filter(|source| source.signer_name == signer).count();
        match self.seen(pod, signer, now) {
            Some(Holding::NotRevoked) if sources > 1 => Holding::Unknown(self.latest_end()),
            Some(holding) => holding,
            None => Holding::Unknown(self.latest_end()),
        }
    }

    /// By the newest certificate that requests and audit logs tell of.
    fn seen(&self, pod: &ObservedPod, signer: &str, now: Timestamp) -> Option<Holding> {
        let requests = self.requests.iter();
        let requests = requests.filter(|request| request.pod_uid == pod.pod.uid && request.signer == signer);
        let issued = requests.filter_map(|request| match &request.outcome {
            Outcome::Issued { chain, not_after, .. } => {
                Some((request.created, not_after.unwrap_or(self.latest_end()), self.is_of_pool(chain), true))
            }
            Outcome::Refused { .. } | Outcome::Pending => None,
        });
        let audited = self.audited.get(&pod.pod.uid);
        // of before the revocation, another replica may have recorded a later one
        let audited = audited.map(|audited| {
            let is_last = audited.is_confirmed && self.revoked_at <= audited.at;
            (audited.at, audited.not_after, self.has_ca(&audited.ca), is_last)
        });
        let (_, until, is_of_pool, is_last) =
            issued.chain(audited).max_by_key(|(at, until, ..)| (*at, *until))?;
        match (is_of_pool, is_last) {
            (false, _) if now < until => Some(Holding::Revoked(until)),
            (true, false) => None,
            _ => Some(Holding::NotRevoked),
        }
    }

    /// When the last certificate that a revoked CA can have signed expires.
    fn latest_end(&self) -> Timestamp {
        later(self.unused_since(), self.max_lifetime)
    }

    /// From when on no replica signs with the revoked CA.
    fn unused_since(&self) -> Timestamp {
        later(self.revoked_at, POOL_RELOAD)
    }

    fn is_of_pool(&self, chain: &str) -> bool {
        let issuer = issuer_key(chain);
        self.pool.authorities().any(|authority| Some(authority.issuer().key_identifier()) == issuer)
    }

    fn has_ca(&self, sha256: &str) -> bool {
        self.pool.authorities().any(|authority| authority.issuer().fingerprint() == sha256)
    }
}

impl Holders {
    pub(super) fn of(
        signer: &SignerName,
        pods: Vec<ObservedPod>,
        evidence: &Evidence<'_>,
        renewed: &mut HashSet<String>,
        now: Timestamp,
    ) -> Self {
        // kubelet asks as soon as a pod is bound to its node, and its init containers may use what it got
        let asks = |pod: &ObservedPod| {
            !pod.pod.node_name.is_empty() && !pod.is_finished() && pod.pod.asks_for(signer.as_str())
        };
        let mut workloads: BTreeMap<(String, Option<Owner>), Workload> = BTreeMap::new();
        let mut count = 0;
        for pod in pods.into_iter().filter(asks) {
            count += 1;
            let holding = if renewed.contains(&pod.pod.uid) {
                Holding::NotRevoked
            } else {
                evidence.of(&pod, signer.as_str(), now)
            };
            let key = (pod.pod.namespace.clone(), pod.owner.clone());
            let workload = workloads.entry(key).or_insert_with(|| Workload {
                namespace: pod.pod.namespace.clone(),
                owner: pod.owner.clone(),
                holders: Vec::new(),
                confirmed: 0,
                pods: 0,
                until: Timestamp::MIN,
            });
            workload.pods += 1;
            match holding {
                Holding::NotRevoked => _ = renewed.insert(pod.pod.uid),
                Holding::Revoked(until) | Holding::Unknown(until) => {
                    workload.confirmed += usize::from(matches!(holding, Holding::Revoked(_)));
                    workload.until = workload.until.max(until);
                    workload.holders.push(pod.pod.name);
                }
            }
        }
        let workloads = workloads.into_values().filter(|workload| !workload.holders.is_empty()).collect();
        let (signer, unreadable) = (signer.to_string(), Vec::new());
        Self { signer, revoked_at: evidence.revoked_at, pods: count, workloads, unreadable }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.workloads.is_empty() && self.unreadable.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.workloads.iter().map(|workload| workload.holders.len()).sum()
    }
}

/// The last certificate of each pod, of audit logs.
pub(super) fn audited(files: &[PathBuf], signer: &SignerName) -> Result<HashMap<String, Audited>, Error> {
    let mut last: HashMap<String, Audited> = HashMap::new();
    each_record(files, |_, record| {
        let is_confirmed = record.outcome == "Issued";
        if record.signer != signer.as_str() || !(is_confirmed || record.outcome == "Unconfirmed") {
            return;
        }
        let (Ok(at), Ok(not_after)) = (record.timestamp.parse(), record.not_after.parse()) else { return };
        if last.get(&record.pod_uid).is_none_or(|known| known.at < at) {
            last.insert(record.pod_uid, Audited { at, is_confirmed, not_after, ca: record.ca_sha256 });
        }
    })?;
    Ok(last)
}

#[cfg(test)]
mod tests;

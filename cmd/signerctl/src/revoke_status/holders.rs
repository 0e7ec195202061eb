//! Who still holds a certificate of a CA that isn't in the pool any more.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use ca_pool::CaPool;
use jiff::Timestamp;
use serde::Serialize;
use signer_core::{SignerName, cluster::PodPhase};

use crate::{
    audit::each_record,
    error::Error,
    observed::{ObservedPod, ObservedRequest, Outcome, Owner, issuer_key},
    text::times::later,
};

/// By what it is told.
pub(super) struct Evidence<'a> {
    /// The pool as it is now.
    pub(super) pool: &'a CaPool,
    /// When the CA was revoked.
    pub(super) since: Timestamp,
    /// The longest lifetime of a certificate.
    pub(super) max_lifetime: Duration,
    pub(super) requests: Vec<ObservedRequest>,
    /// The last certificate of a pod, by its UID.
    pub(super) audited: HashMap<String, Audited>,
}

/// A certificate, as an audit record tells of it.
pub(super) struct Audited {
    pub(super) at: Timestamp,
    pub(super) not_after: Timestamp,
    /// SHA-256 of the CA's certificate.
    pub(super) ca: String,
}

/// What a pod holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// A certificate of a CA that is in the pool, or none.
    Nothing,
    /// A certificate of a revoked CA, until then.
    Revoked(Timestamp),
    /// It is older than the revocation, and no other certificate of it was seen; its certificate has expired by
    /// then.
    Perhaps(Timestamp),
}

/// All pods that a revocation concerns.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Holders {
    pub(super) signer: String,
    pub(super) revoked_at: Timestamp,
    /// Running pods that ask the signer.
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
    /// None: each pod stands for itself.
    #[serde(serialize_with = "as_text")]
    pub(super) owner: Option<Owner>,
    pub(super) holders: Vec<String>,
    /// Of how many of the holders it is certain.
    pub(super) certain: usize,
    /// Its pods that ask the signer.
    pub(super) pods: usize,
    /// When the last certificate of a revoked CA expires.
    pub(super) until: Timestamp,
}

fn as_text<S: serde::Serializer>(owner: &Option<Owner>, serializer: S) -> Result<S::Ok, S::Error> {
    owner.as_ref().map(ToString::to_string).serialize(serializer)
}

impl Evidence<'_> {
    /// What a running pod holds of a signer.
    pub(super) fn of(&self, pod: &ObservedPod, signer: &str, now: Timestamp) -> Holds {
        let requests = self.requests.iter();
        let requests = requests.filter(|request| request.pod_uid == pod.pod.uid && request.signer == signer);
        let seen = requests.filter_map(|request| match &request.outcome {
            Outcome::Issued { chain, not_after, .. } => {
                Some((request.created, self.is_of_pool(chain), not_after.unwrap_or(self.latest_end())))
            }
            Outcome::Refused { .. } | Outcome::Pending => None,
        });
        let audited = self.audited.get(&pod.pod.uid);
        let audited = audited.map(|audited| (audited.at, self.has_ca(&audited.ca), audited.not_after));
        match seen.chain(audited).max_by_key(|(at, _, until)| (*at, *until)) {
            Some((_, is_of_pool, until)) if is_of_pool || until <= now => Holds::Nothing,
            Some((_, _, until)) => Holds::Revoked(until),
            None if pod.created.is_some_and(|created| self.since < created) => Holds::Nothing,
            None if self.latest_end() <= now => Holds::Nothing,
            None => Holds::Perhaps(self.latest_end()),
        }
    }

    /// When the last certificate that a revoked CA can have signed expires.
    fn latest_end(&self) -> Timestamp {
        later(self.since, self.max_lifetime)
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
        let asks = |pod: &ObservedPod| {
            pod.pod.phase == PodPhase::Running && !pod.is_finished() && pod.pod.asks_for(signer.as_str())
        };
        let mut workloads: BTreeMap<(String, Option<Owner>), Workload> = BTreeMap::new();
        let mut count = 0;
        for pod in pods.into_iter().filter(asks) {
            count += 1;
            let holds = if renewed.contains(&pod.pod.uid) {
                Holds::Nothing
            } else {
                evidence.of(&pod, signer.as_str(), now)
            };
            let key = (pod.pod.namespace.clone(), pod.owner.clone());
            let workload = workloads.entry(key).or_insert_with(|| Workload {
                namespace: pod.pod.namespace.clone(),
                owner: pod.owner.clone(),
                holders: Vec::new(),
                certain: 0,
                pods: 0,
                until: Timestamp::MIN,
            });
            workload.pods += 1;
            match holds {
                Holds::Nothing => _ = renewed.insert(pod.pod.uid),
                Holds::Revoked(until) | Holds::Perhaps(until) => {
                    workload.certain += usize::from(matches!(holds, Holds::Revoked(_)));
                    workload.until = workload.until.max(until);
                    workload.holders.push(pod.pod.name);
                }
            }
        }
        let workloads = workloads.into_values().filter(|workload| !workload.holders.is_empty()).collect();
        let (signer, unreadable) = (signer.to_string(), Vec::new());
        Self { signer, revoked_at: evidence.since, pods: count, workloads, unreadable }
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
    each_record(files, |record| {
        if record.signer != signer.as_str() || record.outcome != "Issued" {
            return;
        }
        let (Ok(at), Ok(not_after)) = (record.timestamp.parse(), record.not_after.parse()) else { return };
        if last.get(&record.pod_uid).is_none_or(|known| known.at < at) {
            last.insert(record.pod_uid, Audited { at, not_after, ca: record.ca_sha256 });
        }
    })?;
    Ok(last)
}

#[cfg(test)]
mod tests;

//! A signer of two replicas, its CA pool and its trust bundle, while time passes.

mod pods;
mod replicas;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use signer_core::ca_pool::{BUNDLE_PROPAGATION, CaPool, CertificateAuthority, Phase, RotationPlan};
use test_cluster::{Error, Scope};

use self::{pods::Pods, replicas::Replicas};
use crate::support::{
    SOON,
    ageing::age_bundle,
    ca::{new_authority, subject},
};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// The rules by which a pool lives, and variants of them that must not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// As they are.
    Real,
    /// The bundle says of a new root that it has been published for long.
    SignEarly,
    /// A CA that retires is removed at the first opportunity.
    PruneEarly,
}

/// A live certificate that a pod refuses.
#[derive(Debug)]
pub(crate) struct Violation(pub(crate) String);

pub(crate) struct Lifecycle<'a> {
    scope: &'a Scope,
    signer_name: String,
    pub(crate) rules: Rules,
    replicas: Replicas<'a>,
    pods: Pods,
    /// By how much the test's clock is ahead of the API server's.
    ahead: Duration,
    /// When time passed last, or a pool was changed: what the machine has taken since then is a part of the
    /// time that passes next.
    since: Instant,
    /// The CAs that there were: their IDs, by their subjects.
    ids: BTreeMap<Vec<u8>, String>,
}

impl<'a> Lifecycle<'a> {
    /// A pool of one CA, whose leaves live for a day, in a cluster that has run for a while.
    pub(crate) async fn begin(scope: &'a Scope, rules: Rules) -> Result<Self, Error> {
        let signer_name = scope.signer_name("lifecycle");
        let first = CaPool::first(new_authority("1"), DAY).unwrap();
        let ids = BTreeMap::from([(subject(&first, 0), "1".to_owned())]);
        let pods = Pods::start(scope, &signer_name).await?;
        let replicas = Replicas::start(scope, &signer_name, first).await;
        let (ahead, since) = (Duration::ZERO, Instant::now());
        let mut lifecycle = Self { scope, signer_name, rules, replicas, pods, ahead, since, ids };
        lifecycle.published().await;
        Ok(lifecycle)
    }

    /// Lets time pass. Meanwhile nobody is there, as pool and bundle can't grow older at the same instant;
    /// then both replicas start anew, and a pool in which something can go is pruned.
    pub(crate) async fn pass(&mut self, time: Duration) -> Result<(), Violation> {
        self.replicas.stop().await;
        let left = time.saturating_sub(self.since.elapsed());
        self.since = Instant::now();
        self.ahead += left;
        self.replicas.grow_older(time, left);
        age_bundle(self.scope, &self.signer_name, left).await;
        self.replicas.restart().await;
        self.published().await;
        self.prune().await;
        self.go_on().await
    }

    /// Adds a successor that signs after that time, and waits until it is published.
    pub(crate) async fn rotate(&mut self, id: &str, after: Duration) -> Result<(), Violation> {
        let now = Timestamp::now();
        let is_early = self.rules == Rules::SignEarly;
        let after = if is_early { Duration::ZERO } else { after };
        let signs_from = now.checked_add(after).unwrap();
        let rotation_plan = RotationPlan {
            signs_from,
            max_leaf_lifetime: Some(DAY),
            predecessor_max_leaf_lifetime: Some(DAY),
        };
        let successor = new_authority(id);
        self.replicas.change(|pool| pool.with_successor(successor, rotation_plan, now).unwrap());
        let pool = self.replicas.pool();
        let last = pool.authorities().count() - 1;
        self.ids.insert(subject(&pool, last), id.to_owned());
        self.published().await;
        self.since = Instant::now();
        if is_early {
            // both replicas do, or the one that learns of it late may be the one that signs all
            self.replicas.stop().await;
            self.replicas.catch_up();
            age_bundle(self.scope, &self.signer_name, BUNDLE_PROPAGATION).await;
            self.replicas.restart().await;
        }
        self.go_on().await
    }

    async fn prune(&mut self) {
        let (pool, now) = (self.replicas.pool(), Timestamp::now());
        let ids: Vec<&str> = match self.rules {
            Rules::PruneEarly => {
                let phases = pool.schedule().phases(now);
                let retiring =
                    pool.authorities().zip(phases).filter(|(_, phase)| matches!(phase, Phase::Retiring(_)));
                retiring.map(|(authority, _)| authority.id()).collect()
            }
            Rules::Real | Rules::SignEarly => pool.removable(now),
        };
        if !ids.is_empty() {
            self.replicas.change(|pool| pool.without_regardless(&ids, now).unwrap());
            self.published().await;
        }
    }

    /// Waits until the bundle holds the pool's roots, and tells the pods.
    async fn published(&mut self) {
        let pool = self.replicas.pool();
        let all: String = pool.roots().into_iter().map(|root| root.to_pem()).collect();
        // a root leaves at the end of its time, pruned or not
        let removable = pool.removable(Timestamp::now());
        let needed = pool.authorities().filter(|authority| !removable.contains(&authority.id()));
        let needed: String = needed.map(|authority| authority.root().to_pem()).collect();
        let cluster = self.scope.cluster();
        let is_it = |bundle: &test_cluster::TrustBundle| [&all, &needed].contains(&&bundle.anchors_pem);
        let bundle = cluster.trust_bundle(&self.signer_name, SOON, is_it).await.unwrap();
        let now = self.now();
        self.pods.hear(now, bundle.anchors_pem);
    }

    async fn go_on(&mut self) -> Result<(), Violation> {
        let now = self.now();
        self.pods.refresh(now, self.ahead).await;
        self.pods.meet(now).map_err(|refused| {
            let id = self.ids.get(&refused.issuer).map_or("?", String::as_str);
            Violation(format!(
                "{:?} after the beginning a certificate of CA {id}: {}",
                self.ahead, refused.why
            ))
        })
    }

    fn now(&self) -> Timestamp {
        Timestamp::now().checked_add(self.ahead).unwrap()
    }

    /// Who has signed since time passed last.
    pub(crate) fn signing(&self) -> Vec<&str> {
        self.ids_of(&self.pods.latest_issuers())
    }

    /// Who has ever signed.
    pub(crate) fn issuers(&self) -> Vec<&str> {
        self.ids_of(&self.pods.issuers)
    }

    fn ids_of(&self, subjects: &BTreeSet<Vec<u8>>) -> Vec<&str> {
        let mut ids: Vec<&str> = subjects.iter().map(|subject| self.ids[subject].as_str()).collect();
        ids.sort_unstable();
        ids
    }

    /// Who is in the pool.
    pub(crate) fn authorities(&self) -> Vec<String> {
        self.replicas.pool().authorities().map(CertificateAuthority::id).map(ToOwned::to_owned).collect()
    }

    pub(crate) fn figures(&self) -> String {
        let (issued, verified) = (self.pods.issued, self.pods.verified);
        format!("{issued} certificates, {verified} verifications in {} h", self.ahead.as_secs() / 3600)
    }
}

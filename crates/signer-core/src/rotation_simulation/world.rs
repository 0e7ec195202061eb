//! A cluster with a moving clock: a pool that changes, replicas that learn of it late, the bundle that they
//! publish, and the leaves that they issue.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use kube::{ResourceExt, api::ApiResource, core::GroupVersionKind};

use super::{replica::Replica, rules::Rules};
use crate::{api::ClusterTrustBundle, trust_bundle::Published};
use ca_pool::names::SignerName;
use ca_pool::{
    AutomaticRotation, BUNDLE_PROPAGATION, CaPool, CertificateAuthority, NewRoot, ReplacementCa,
    RotationPlan, SerialNumber, SigningKey, SigningKeyType, certificate_pem,
};

/// Kubelet caches bundles for 5 minutes, and brings a change to a pod at its next sync, within 2.
pub(super) const WORST_DELAY: Duration = Duration::from_secs(7 * 60);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) rules: Rules,
    pub(super) signer: SignerName,
    /// The versions of the pool as they were stored, with the time.
    pub(super) versions: Vec<(Timestamp, Arc<CaPool>)>,
    pub(super) replicas: Vec<Replica>,
    pub(super) bundle: Option<ClusterTrustBundle>,
    pub(super) published: Published,
    /// What it said before it was deleted.
    pub(super) published_before: Published,
    /// What the bundle said, and from when on. Pods keep what they have while there is none.
    pub(super) history: Vec<(Timestamp, String)>,
    /// Until when a leaf lives under each root (PEM), and which CA's it is.
    leaves: BTreeMap<String, (Timestamp, String)>,
    /// The CAs whose leaves may be refused.
    compromised: BTreeSet<String>,
}

/// A live leaf that a pod may refuse.
#[derive(Debug)]
pub(super) struct Violation(pub(super) String);

impl World {
    /// A pool of one CA, whose leaves live for `max_leaf_lifetime`, in a cluster that has run for a while.
    pub(super) fn new(rules: Rules, replicas: Vec<Replica>, max_leaf_lifetime: Duration) -> Self {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let pool = rules.stored(CaPool::first(new_ca("1", now), max_leaf_lifetime).unwrap());
        let mut world = Self {
            now,
            rules,
            signer: "example.com/rotation".parse().unwrap(),
            versions: vec![(now, Arc::new(pool))],
            replicas,
            bundle: None,
            published: Published::default(),
            published_before: Published::default(),
            history: Vec::new(),
            leaves: BTreeMap::new(),
            compromised: BTreeSet::new(),
        };
        world.settle();
        // whoever was there before the first bundle isn't a part of this
        world.history[0].0 = Timestamp::UNIX_EPOCH;
        world.advance(HOUR).unwrap();
        world
    }

    pub(super) fn pool(&self) -> &CaPool {
        &self.versions.last().unwrap().1
    }

    /// Stores a changed pool.
    pub(super) fn store(&mut self, change: impl FnOnce(CaPool, Timestamp) -> CaPool) {
        let copy = CaPool::from_json(&self.pool().to_json().unwrap()).unwrap();
        let changed = self.rules.stored(change(copy, self.now));
        self.versions.push((self.now, Arc::new(changed)));
    }

    /// Adds a successor that signs after `after`, unless one waits already.
    pub(super) fn rotate(&mut self, after: Duration, max_leaf_lifetime: Duration) {
        self.rotate_by(SignedDuration::ZERO, after, max_leaf_lifetime);
    }

    /// The same, by somebody whose clock is that much ahead.
    pub(super) fn rotate_by(&mut self, ahead: SignedDuration, after: Duration, max_leaf_lifetime: Duration) {
        let now = self.now.checked_add(ahead).unwrap();
        let copy = CaPool::from_json(&self.pool().to_json().unwrap()).unwrap();
        let rotation_plan = RotationPlan {
            signs_from: now.checked_add(after).unwrap(),
            max_leaf_lifetime: Some(max_leaf_lifetime),
            predecessor_max_leaf_lifetime: None,
        };
        let successor = new_ca(&copy.next_id(), now);
        if let Ok(pool) = copy.with_successor(successor, rotation_plan, now) {
            let pool = self.rules.stored(pool);
            self.versions.push((self.now, Arc::new(pool)));
        }
    }

    /// Removes what may go.
    pub(super) fn prune(&mut self) {
        let ids: Vec<String> = self.rules.prunable(self.pool(), self.now);
        if ids.is_empty() {
            return;
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.store(|pool, now| pool.without_regardless(&ids, now).unwrap());
    }

    /// A replica of a manager that keeps the pool removes what may go.
    pub(super) fn remove_as_due(&mut self) {
        let Some(remover) = self.replicas.iter().find(|replica| replica.is_up) else { return };
        let now = remover.clock(self);
        let automatic_rotation = AutomaticRotation {
            signer: self.signer.clone(),
            root_uri: None,
            key_type: SigningKeyType::Ed25519,
            validity: NewRoot::DEFAULT_VALIDITY,
            max_leaf_lifetime: HOUR,
            propagation: BUNDLE_PROPAGATION,
        };
        let ids = self.rules.removed(&automatic_rotation, self.pool(), &self.published, now);
        if ids.is_empty() {
            return;
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.store(|pool, now| pool.without(&ids, now).unwrap());
    }

    /// A CA is compromised: it goes at once. Its leaves may be refused from now on.
    pub(super) fn compromise(&mut self, id: &str) {
        let now = self.now;
        let max_leaf_lifetime = self.pool().schedule().windows()[0].max_leaf_lifetime;
        let needs_another = self.pool().next_without(id, now).unwrap() == ReplacementCa::None;
        let replacement = needs_another.then(|| (new_ca(&self.pool().next_id(), now), max_leaf_lifetime));
        self.store(|pool, now| pool.without_compromised(id, replacement, now).unwrap());
        self.compromised.insert(id.to_owned());
    }

    /// Lets time pass, replica by replica and step by step.
    pub(super) fn advance(&mut self, by: Duration) -> Result<(), Violation> {
        let end = self.now.checked_add(by).unwrap();
        self.settle();
        while self.now < end {
            let step = self.now.checked_add(6 * HOUR).unwrap().min(end);
            let news = self.replicas.iter().filter_map(|replica| replica.next_news(&self.versions));
            self.now = news.filter(|at| *at > self.now).min().map_or(step, |at| at.min(step));
            self.settle();
            self.check()?;
        }
        Ok(())
    }

    /// Everyone does what there is to do at this moment, in either order.
    pub(super) fn settle(&mut self) {
        self.notify();
        for index in 0..self.replicas.len() {
            self.replicas[index].learn(self.now, &self.versions);
            self.issue(index);
        }
        for index in 0..self.replicas.len() {
            if let Some(bundle) = self.replicas[index].publish(self) {
                self.publish(bundle);
            }
        }
        for index in 0..self.replicas.len() {
            self.issue(index);
        }
    }

    pub(super) fn publish(&mut self, bundle: ClusterTrustBundle) {
        self.history.push((self.now, bundle.spec.trust_bundle.clone()));
        self.published = Published::of(&bundle, &self.signer);
        self.bundle = Some(bundle);
        self.notify();
    }

    /// Everyone hears what is published.
    fn notify(&mut self) {
        let published = self.bundle.is_some().then_some(&self.published);
        self.replicas.iter_mut().for_each(|replica| replica.hear(published, self.now));
    }

    pub(super) fn delete_bundle(&mut self) {
        self.bundle = None;
        self.published_before = std::mem::take(&mut self.published);
        self.notify();
    }

    pub(super) fn resource(&self) -> ApiResource {
        ApiResource::from_gvk(&GroupVersionKind::gvk("certificates.k8s.io", "v1", "ClusterTrustBundle"))
    }

    pub(super) fn strip_annotations(&mut self) {
        if let Some(bundle) = &mut self.bundle {
            bundle.annotations_mut().clear();
            self.published = Published::of(bundle, &self.signer);
            self.notify();
        }
    }

    /// As `kubectl annotate` does with `<item>-`.
    pub(super) fn remove_annotation(&mut self, item: &str) {
        if let Some(bundle) = &mut self.bundle {
            bundle.annotations_mut().remove(&self.signer.label_key(item)).unwrap();
            self.published = Published::of(bundle, &self.signer);
            self.notify();
        }
    }

    /// Issues the longest leaf that a replica may give.
    fn issue(&mut self, index: usize) {
        let Some((pool, choice)) = self.replicas[index].choose(self) else { return };
        let authority = pool.authority(choice.index);
        if authority.not_before() > self.now {
            return;
        }
        let end = choice.leaves_end.min(self.now.checked_add(100 * 24 * HOUR).unwrap());
        if end < self.now.checked_add(HOUR).unwrap() {
            return;
        }
        let leaf = (end, authority.id().to_owned());
        let known =
            self.leaves.entry(certificate_pem(authority.root().der())).or_insert_with(|| leaf.clone());
        *known = leaf.max(known.clone());
    }

    /// Every live leaf verifies in whatever view of the bundle a pod may have now.
    pub(super) fn check(&mut self) -> Result<(), Violation> {
        let now = self.now;
        self.leaves.retain(|_, (end, id)| *end >= now && !self.compromised.contains(id));
        let oldest = now.checked_sub(WORST_DELAY).unwrap();
        for (position, (since, anchors)) in self.history.iter().enumerate() {
            let until = self.history.get(position + 1).map_or(Timestamp::MAX, |(until, _)| *until);
            if until < oldest {
                continue;
            }
            if let Some((_, (end, id))) =
                self.leaves.iter().find(|(root, _)| !anchors.contains(root.as_str()))
            {
                return Err(Violation(format!(
                    "at {now} a leaf of CA {id} that lives until {end} meets a pod with the bundle of {since}"
                )));
            }
        }
        Ok(())
    }

    /// Under which CA each replica signs.
    pub(super) fn signing(&self) -> Vec<Option<&str>> {
        let choices = self.replicas.iter().map(|replica| replica.choose(self));
        choices.map(|choice| choice.map(|(pool, choice)| pool.authority(choice.index).id())).collect()
    }
}

pub(super) fn new_ca(id: &str, now: Timestamp) -> CertificateAuthority {
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    let root = NewRoot {
        id: id.into(),
        common_name: format!("CA {id}").parse().unwrap(),
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([7; 16]), now).unwrap()
}

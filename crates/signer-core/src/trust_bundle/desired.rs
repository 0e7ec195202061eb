//! What a signer's trust bundle has to say.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use kube::{ResourceExt, api::ApiResource};

use super::{
    anchors::{self, ANCHORS, AnchorRecord},
    changes::Changes,
    published::{ByRoot, GENERATION, Published},
    replaced::{CLOCKS_DIFFER, after, before, is_possible},
};
use crate::api::{ClusterTrustBundle, ClusterTrustBundleSpec};
use ca_pool::names::SignerName;
use ca_pool::{CaCertificate, CaPool, Fitness};

/// The most anchors of a bundle.
pub(crate) const MAX_ANCHORS: usize = 200;
/// The most bytes of a bundle's anchors in PEM. The API server takes 1 MiB; kubelet gives each pod a copy.
pub(crate) const MAX_BYTES: usize = 512 * 1024;

/// The item of the label that each bundle has, by which pods select it; the same in every configuration.
const COMMON_LABEL: &str = "canarying";

/// How large a bundle would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// The roots of the pool.
    pub(crate) own: usize,
    /// Those that no CA of the pool has.
    pub(crate) retained: usize,
    /// Of all of them in PEM.
    pub(crate) bytes: usize,
}

impl Size {
    fn is_too_large(self) -> bool {
        self.own + self.retained > MAX_ANCHORS || self.bytes > MAX_BYTES
    }
}

/// A signer's bundle as it should be.
#[derive(Clone)]
pub(crate) struct DesiredBundle<'a> {
    signer_name: &'a SignerName,
    labels: BTreeMap<String, String>,
    /// Whether labels with other values are overwritten.
    is_at_start: bool,
    pool: &'a CaPool,
    fitness: Cow<'a, Fitness>,
    /// The time by which roots leave the bundle; `None`: none does.
    removal_time: Option<Timestamp>,
}

/// What has to be done about the bundle that is there.
#[derive(Debug)]
pub(crate) enum BundleAction {
    /// Nothing.
    InOrder,
    /// Nothing yet: another replica may have another file than this one, and which of them is behind has to
    /// be waited for.
    Settling,
    /// This has to be written over it.
    Write(Box<ClusterTrustBundle>),
    /// Nothing but labels that have other values than this replica's configuration: who started last has
    /// written them.
    LabelsDiffer,
    /// Nothing can be: it would be larger than is published. What is published stays as it is.
    TooLarge(Size),
    /// It belongs to the signer of this name, and is left as it is.
    ForeignOwner(String),
    /// A newer version of this controller has written it, in a format that isn't known here.
    NewerFormat(u32),
    /// It was made of a newer version of the pool, or of another pool, and is left as it is: this replica's
    /// pool lags behind.
    Newer(u64),
}

impl<'a> DesiredBundle<'a> {
    /// The bundle of all roots of a pool, with the label by which workloads select it and these further ones.
    pub(crate) fn new(
        signer_name: &'a SignerName,
        labels: &BTreeMap<String, String>,
        pool: &'a CaPool,
    ) -> Self {
        let qualified =
            |key: &String| if key.contains('/') { key.clone() } else { signer_name.label_key(key) };
        let mut all: BTreeMap<_, _> =
            labels.iter().map(|(key, value)| (qualified(key), value.clone())).collect();
        all.insert(signer_name.label_key(COMMON_LABEL), "live".to_owned());
        let fitness = Cow::Owned(Fitness::default());
        Self { signer_name, labels: all, is_at_start: true, pool, fitness, removal_time: None }
    }

    /// As it is at a time, by which roots that nothing needs any more have left it. Time for removals may be behind
    /// the one of the replica, as what is gone can't be brought back by waiting.
    pub(crate) fn without_unneeded(self, fitness: &'a Fitness, removal_time: Option<Timestamp>) -> Self {
        Self { fitness: Cow::Borrowed(fitness), removal_time, ..self }
    }

    /// As a replica wants it that has written its labels once since its start. Labels that differ by
    /// configuration are then left as they are, so that of replicas with different configurations the one
    /// that started last has its labels on the bundle, and nobody fights.
    pub(crate) fn after_start(self) -> Self {
        Self { is_at_start: false, ..self }
    }

    /// How large a new bundle would be, if that is more than is published.
    pub(crate) fn too_large(&self) -> Option<Size> {
        let roots = self.pool.roots();
        let size = Size { own: roots.len(), retained: 0, bytes: pem(&roots).len() };
        Some(size).filter(|size| size.is_too_large())
    }

    /// The bundle to create where there is none.
    pub(crate) fn created(&self, resource: &ApiResource, now: Timestamp) -> ClusterTrustBundle {
        let spec = ClusterTrustBundleSpec {
            signer_name: self.signer_name.to_string(),
            trust_bundle: pem(&self.pool.roots()),
        };
        let mut bundle = ClusterTrustBundle::new(&self.signer_name.bundle_name(), resource, spec);
        bundle.metadata.annotations = Some(self.annotations(&self.pool.roots(), &Published::default(), now));
        bundle.metadata.labels = Some(self.labels.clone());
        bundle
    }

    /// What has to be done about the bundle that is there. What others have added to its metadata stays.
    pub(crate) fn repair(&self, current: &ClusterTrustBundle, now: Timestamp) -> BundleAction {
        if current.spec.signer_name != self.signer_name.as_str() {
            return BundleAction::ForeignOwner(current.spec.signer_name.clone());
        }
        let published = Published::of(current, self.signer_name);
        if let Some(format) = published.newer_format {
            return BundleAction::NewerFormat(format);
        }
        if published.is_ahead_of(self.pool) {
            return BundleAction::Newer(published.generation());
        }
        self.repair_by(&published, current, now)
    }

    /// The same for a replica that had this pool's bundle in order before. If no replica can have made the
    /// current one of that, somebody has edited it: then the claims of the bundle before count, and not those
    /// of the edit.
    pub(crate) fn repair_after(
        &self,
        before: &ClusterTrustBundle,
        current: &ClusterTrustBundle,
        now: Timestamp,
    ) -> BundleAction {
        let claims = Published::of(before, self.signer_name);
        let is_ours = current.spec.signer_name == self.signer_name.as_str();
        if is_ours && Published::of(current, self.signer_name).is_an_edit_of(&claims, self.pool, now) {
            self.repair_by(&claims, current, now)
        } else {
            self.repair(current, now)
        }
    }

    fn repair_by(&self, published: &Published, current: &ClusterTrustBundle, now: Timestamp) -> BundleAction {
        let roots = self.roots(published, now);
        let mut annotations = self.annotations(&roots, published, now);
        let kept = published.to_keep(self.pool, now);
        let mut anchors = pem(&roots) + &published.pem_of(&kept);
        let size = Size { own: roots.len(), retained: kept.len(), bytes: anchors.len() };
        if size.is_too_large() && Published::of(current, self.signer_name).contains_all_of(self.pool, now) {
            // times that run out are all that can be written
            annotations = self.with_times_alone(published, &kept);
            if holds(current.annotations(), &annotations) {
                return BundleAction::TooLarge(size);
            }
            anchors.clone_from(&current.spec.trust_bundle);
        } else if size.is_too_large() {
            // the pool's own roots come first, whatever else is claimed
            anchors = with_what_fits(&roots, published, &kept);
        }
        let is_made = current.spec.trust_bundle == anchors && holds(current.annotations(), &annotations);
        let is_left = is_made || published.is_left_to_settle(self.pool, now);
        let to_write = self.labels_to_write(current.labels());
        match (to_write.is_empty(), holds(current.labels(), &self.labels)) {
            (true, true) if is_made => return BundleAction::InOrder,
            (true, true) if is_left => return BundleAction::Settling,
            (true, false) if is_left => return BundleAction::LabelsDiffer,
            _ => {}
        }
        let mut bundle = current.clone();
        bundle.labels_mut().extend(to_write);
        if !is_left {
            bundle.annotations_mut().extend(annotations);
            bundle.spec.trust_bundle = anchors;
        }
        BundleAction::Write(Box::new(bundle))
    }

    /// Labels that are missing; those that no configuration changes, by which pods select the bundle; and at the
    /// start all that have another value.
    fn labels_to_write(&self, current: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        // with the signer's prefix, or that of a draft of SPIFFE
        let is_common = |key: &str| key.split('/').next_back() == Some(COMMON_LABEL);
        let to_write = self.labels.iter().filter(|(key, value)| match current.get(*key) {
            None => true,
            Some(other) => other != *value && (self.is_at_start || is_common(key)),
        });
        to_write.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The pool's roots that are needed. One that is published stays for a while longer, so that replicas whose
    /// clocks differ by seconds don't bring back what another has removed.
    fn roots(&self, published: &Published, now: Timestamp) -> Vec<&'a CaCertificate> {
        let needed = published.needed_roots(self.pool, &self.fitness, now);
        let leave_before = self.removal_time.map(|time| before(time.min(now), CLOCKS_DIFFER));
        let staying = match leave_before {
            Some(time) => published.needed_roots(self.pool, &self.fitness, time),
            None => self.pool.roots(),
        };
        let stays = |root: &&CaCertificate| {
            needed.contains(root) || staying.contains(root) && published.contains(root)
        };
        self.pool.roots().into_iter().filter(stays).collect()
    }

    /// The same bundle with no labels and annotations but the signer's own, for where others have filled its
    /// metadata up to what the API server stores.
    pub(crate) fn stripped(&self, bundle: &ClusterTrustBundle) -> ClusterTrustBundle {
        let mut stripped = bundle.clone();
        let prefix = self.signer_name.label_key("");
        stripped.labels_mut().retain(|key, _| self.labels.contains_key(key));
        stripped.annotations_mut().retain(|key, _| key.starts_with(&prefix));
        stripped
    }

    /// What makes one state of the bundle another, as far as it is the signer's.
    pub(super) fn changes(&self, before: &ClusterTrustBundle, after: &ClusterTrustBundle) -> Changes {
        Changes::between(before, after, self.signer_name, &self.labels)
    }

    /// The pool's generation; since when each root is published: as before, or just now; and until when
    /// leaves under those that retire may live.
    fn annotations(
        &self,
        roots: &[&CaCertificate],
        published: &Published,
        now: Timestamp,
    ) -> BTreeMap<String, String> {
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        // one that isn't possible would keep a CA from signing until then
        let since =
            |root| published.since(root).filter(|since| is_possible(*since, now)).unwrap_or(now).min(now);
        let own = roots.iter().map(|root| {
            let until = self.pool.last_leaf_under(root);
            (root.fingerprint(), AnchorRecord { since: since(root), until, retained: false })
        });
        let kept = published.to_keep(self.pool, now);
        let retained = kept.iter().filter_map(|(root, until)| {
            let since = *published.since.get(root)?;
            Some((root.clone(), AnchorRecord { since, until: Some(*until), retained: true }))
        });
        BTreeMap::from([
            (self.signer_name.label_key(GENERATION), self.pool.generation().to_string()),
            (self.signer_name.label_key(ANCHORS), anchors::text(own.chain(retained).collect())),
        ])
    }

    /// What the bundle says of its anchors, but for the times of those that no CA of the pool has: these run
    /// out.
    fn with_times_alone(&self, published: &Published, kept: &ByRoot) -> BTreeMap<String, String> {
        let record = |(root, since): (&String, &Timestamp)| {
            let until = kept.get(root).or_else(|| published.retiring.get(root)).copied();
            (root.clone(), AnchorRecord { since: *since, until, retained: kept.contains_key(root) })
        };
        let records = published.since.iter().map(record).collect();
        BTreeMap::from([(self.signer_name.label_key(ANCHORS), anchors::text(records))])
    }
}

/// When the next root of a pool leaves the bundle, as far as the pool tells.
pub(super) fn next_to_leave(pool: &CaPool, now: Timestamp) -> Option<Timestamp> {
    let schedule = pool.schedule();
    let ends = schedule.windows().iter().filter_map(|window| window.trusted_until);
    ends.map(|end| after(end, CLOCKS_DIFFER)).filter(|end| now < *end).min()
}

/// The pool's roots, and as many of the retained ones as are published beside them: those that were replaced
/// last, whose leaves are the youngest.
fn with_what_fits(roots: &[&CaCertificate], published: &Published, kept: &ByRoot) -> String {
    let mut anchors = pem(roots);
    let free = MAX_ANCHORS.saturating_sub(roots.len());
    let mut latest: Vec<_> = kept.iter().collect();
    latest.sort_by_key(|(_, until)| Reverse(**until));
    for (root, until) in latest.into_iter().take(free) {
        let pem = published.pem_of(&ByRoot::from([(root.clone(), *until)]));
        if anchors.len() + pem.len() > MAX_BYTES {
            break;
        }
        anchors += &pem;
    }
    anchors
}

fn pem(roots: &[&CaCertificate]) -> String {
    roots.iter().map(|root| root.to_pem()).collect()
}

fn holds(current: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| current.get(key) == Some(value))
}

#[cfg(test)]
pub(crate) mod tests;

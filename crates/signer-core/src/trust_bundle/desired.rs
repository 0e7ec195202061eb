//! What a signer's trust bundle has to say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::{ResourceExt, api::ApiResource};

use super::{
    labels::{Found, LABELS, Labels},
    published::{ByRoot, GENERATION, KEPT, PUBLISHED, Published, RETIRING},
};
use crate::{
    api::{ClusterTrustBundle, ClusterTrustBundleSpec},
    authority::pem,
    ca_pool::{CaPool, PROPAGATION},
    signer_name::SignerName,
};

/// A signer's bundle as it should be.
pub(crate) struct DesiredBundle<'a> {
    signer_name: &'a SignerName,
    labels: Labels,
    /// Whether they are written over those of another configuration.
    insists: bool,
    pool: &'a CaPool,
    anchors: String,
}

/// What has to be done about the bundle that is there.
#[derive(Debug)]
pub(crate) enum Repair {
    /// Nothing.
    InOrder,
    /// Nothing yet: another replica may have another file than this one, and which of them is behind has to be waited for.
    Settling,
    /// This has to be written over it.
    Write(Box<ClusterTrustBundle>),
    /// Nothing but its labels, which a replica has written that is configured differently and started later.
    OthersLabels,
    /// It belongs to the signer of this name, and is left as it is.
    ForeignOwner(String),
    /// It was made of a newer version of the pool, or of another pool, and is left as it is: this replica's pool lags behind.
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
        all.insert(signer_name.label_key("canarying"), "live".to_owned());
        let anchors = pool.roots().into_iter().map(|root| pem::certificate(root.der())).collect();
        Self { signer_name, labels: Labels::new(Timestamp::UNIX_EPOCH, all), insists: false, pool, anchors }
    }

    /// As a replica wants it that runs since then: of two that want other labels, the one that started last has the newer configuration.
    pub(crate) fn of_replica(self, since: Timestamp) -> Self {
        Self { labels: Labels::new(since, self.labels.labels().clone()), ..self }
    }

    /// With these labels even if they were written by a replica that started later: it may be gone.
    pub(crate) fn with_labels_of_its_own(self) -> Self {
        Self { insists: true, ..self }
    }

    /// The bundle to create where there is none.
    pub(crate) fn created(&self, resource: &ApiResource, now: Timestamp) -> ClusterTrustBundle {
        let spec = ClusterTrustBundleSpec {
            signer_name: self.signer_name.to_string(),
            trust_bundle: self.anchors.clone(),
        };
        let mut bundle = ClusterTrustBundle::new(&self.signer_name.bundle_name(), resource, spec);
        bundle.metadata.annotations = Some(self.annotations(&Published::default(), now));
        self.label(&mut bundle);
        bundle
    }

    /// What has to be done about the bundle that is there. What others have added to its metadata stays.
    pub(crate) fn repair(&self, current: &ClusterTrustBundle, now: Timestamp) -> Repair {
        if current.spec.signer_name != self.signer_name.as_str() {
            return Repair::ForeignOwner(current.spec.signer_name.clone());
        }
        let published = Published::of(current, self.signer_name);
        if published.is_ahead_of(self.pool) {
            return Repair::Newer(published.generation());
        }
        let annotations = self.annotations(&published, now);
        let anchors = format!("{}{}", self.anchors, published.pem_of(&published.to_keep(self.pool, now)));
        let note = current.annotations().get(&self.signer_name.label_key(LABELS)).map(String::as_str);
        let labels = match self.labels.find(current.labels(), note, now) {
            Found::OfAnother if self.insists => Found::Drifted,
            found => found,
        };
        let is_made = current.spec.trust_bundle == anchors && holds(current.annotations(), &annotations);
        let is_left = is_made || published.is_left_to_settle(self.pool, now);
        match labels {
            Found::InOrder if is_made => return Repair::InOrder,
            Found::OfAnother if is_left => return Repair::OthersLabels,
            Found::InOrder if is_left => return Repair::Settling,
            Found::InOrder | Found::OfAnother | Found::Drifted => {}
        }
        let mut bundle = current.clone();
        if labels == Found::Drifted {
            self.label(&mut bundle);
        }
        if !is_left {
            bundle.annotations_mut().extend(annotations);
            bundle.spec.trust_bundle = anchors;
        }
        Repair::Write(Box::new(bundle))
    }

    /// Gives it the labels, and notes whose they are.
    fn label(&self, bundle: &mut ClusterTrustBundle) {
        bundle.labels_mut().extend(self.labels.labels().clone());
        bundle.annotations_mut().insert(self.signer_name.label_key(LABELS), self.labels.to_note());
    }

    /// The pool's generation; since when each root is published: as before, or just now; and until when leaves under those that retire may live.
    fn annotations(&self, published: &Published, now: Timestamp) -> BTreeMap<String, String> {
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        // a time far ahead was noted by a clock that was wrong, and would keep a CA from signing until then
        let latest = now.checked_add(PROPAGATION).unwrap_or(Timestamp::MAX);
        let since = |root| published.since(root).filter(|since| *since <= latest).unwrap_or(now);
        let roots = self.pool.roots();
        let own = roots.iter().map(|root| (root.fingerprint(), since(root)));
        let retiring =
            roots.iter().filter_map(|root| Some((root.fingerprint(), self.pool.last_leaf_under(root)?)));
        let kept = published.to_keep(self.pool, now);
        let since_of_kept = kept.keys().filter_map(|root| Some((root.clone(), *published.since.get(root)?)));
        let mut annotations = BTreeMap::from([
            (self.signer_name.label_key(GENERATION), self.pool.generation().to_string()),
            (self.signer_name.label_key(PUBLISHED), json(&own.chain(since_of_kept).collect())),
            (self.signer_name.label_key(RETIRING), json(&retiring.collect())),
        ]);
        if !(kept.is_empty() && published.kept.is_empty()) {
            annotations.insert(self.signer_name.label_key(KEPT), json(&kept));
        }
        annotations
    }
}

/// A map of strings and times always has a JSON form.
fn json(by_root: &ByRoot) -> String {
    serde_json::to_string(by_root).unwrap_or_default()
}

fn holds(current: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| current.get(key) == Some(value))
}

//! What the published bundle tells: which roots pods can know, since when, and of which version of the pool.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kube::ResourceExt;
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::anchors::{self, ANCHORS, Reading};
use crate::api::ClusterTrustBundle;
use ca_pool::names::SignerName;
use ca_pool::{
    CaCertificate, CaPool, CertificateAuthority, Fitness, NoSigningCa, RootPublication, SigningCa,
    fingerprint,
};

/// The published bundle, as far as it decides who may sign. All replicas see the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Published {
    generation: u64,
    /// Of those that are in the bundle.
    pub(super) since: ByRoot,
    pub(super) anchors: BTreeMap<String, Anchor>,
    /// Of those that were to be in it when it was written.
    written: BTreeSet<String>,
    pub(super) retiring: ByRoot,
    pub(super) kept: ByRoot,
    /// The format of what it says of its anchors, if that is newer than what is read here.
    pub(super) newer_format: Option<u32>,
    /// There is no bundle, and as far as is known there never was one.
    is_first: bool,
}

/// A root in the bundle.
pub(super) type Anchor = CaCertificate;

/// How many anchors a bundle has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anchors {
    pub(crate) published: usize,
    /// Of those, the ones that neither a CA of the pool nor a record of ours in the bundle stands for.
    pub(crate) foreign: usize,
}

/// A time for each of some roots, by their fingerprints.
pub(crate) type ByRoot = BTreeMap<String, Timestamp>;

/// The annotation `<path>.<domain>/generation`: of which version of the pool the bundle is.
pub(crate) const GENERATION: &str = "generation";

/// Whether whoever trusts an anchor accepts what an authority signs: a root that was renewed with its name
/// and its key vouches for the same certificates, as those two make a trust anchor (RFC 5280 §6.1.1 (d)); but
/// OpenSSL finds it only by the key identifier that the certificates name, and that may have been renewed
/// too.
pub(super) fn vouches_for(anchor: &Anchor, authority: &CertificateAuthority) -> bool {
    let root = authority.root();
    anchor == root || anchor.spki_der() == root.spki_der() && authority.finds_issuer_in(anchor)
}

impl Published {
    /// Reads a bundle.
    pub(crate) fn of(bundle: &ClusterTrustBundle, signer: &SignerName) -> Self {
        let annotation = |item| bundle.annotations().get(&signer.label_key(item)).map(String::as_str);
        let (records, newer_format) = match anchors::read(annotation(ANCHORS)) {
            Reading::Known(records) => (records, None),
            Reading::NewerFormat(format) => (BTreeMap::new(), Some(format)),
        };
        let until = |retained| -> ByRoot {
            let those = records.iter().filter(|(_, record)| record.retained == retained);
            those.filter_map(|(root, record)| Some((root.clone(), record.until?))).collect()
        };
        let anchors = CertificateDer::pem_slice_iter(bundle.spec.trust_bundle.as_bytes()).flatten();
        let anchors: BTreeMap<String, Anchor> = anchors
            .filter_map(|der| Some((fingerprint(&der), Anchor::from_der("the trust bundle", &der).ok()?)))
            .collect();
        let (retiring, kept) = (until(false), until(true));
        let written = records.keys().cloned().collect();
        let mut since: ByRoot = records.into_iter().map(|(root, record)| (root, record.since)).collect();
        since.retain(|root, _| anchors.contains_key(root));
        let generation = annotation(GENERATION).and_then(|text| text.parse().ok()).unwrap_or_default();
        Self { generation, since, anchors, written, retiring, kept, newer_format, is_first: false }
    }

    /// What is known where there is no bundle, and none has been seen: no pod can have any of its roots
    /// before one is written. (Where one was seen, pods go on with what that had.)
    pub(crate) fn before_the_first() -> Self {
        Self { is_first: true, ..Self::default() }
    }

    /// Whether no bundle has been seen.
    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }

    /// The version of the pool that it was made of.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Since when a root is in the bundle, if it is.
    pub(crate) fn since(&self, root: &CaCertificate) -> Option<Timestamp> {
        self.since.get(&root.fingerprint()).copied()
    }

    /// Which authority of a pool, whose fitness is known, signs at `now`. What a newer version of the pool
    /// has settled holds for a replica that doesn't have it yet: which roots are dropped, and until when the
    /// leaves under those that retire may live.
    ///
    /// # Errors
    /// If none may sign.
    pub(crate) fn choose_for(
        &self,
        fitness: &Fitness,
        pool: &CaPool,
        now: Timestamp,
    ) -> Result<SigningCa, NoSigningCa> {
        if let Some(format) = self.newer_format {
            return Err(NoSigningCa::NewerFormat { format });
        }
        let choice = pool.choose_for(fitness, now, |root| self.publication(root, pool))?;
        self.check_is_known(pool, choice, now)?;
        let authority = pool.authority(choice.index);
        let lacks_it = || !self.anchors.values().any(|anchor| vouches_for(anchor, authority));
        if self.is_first || !self.is_empty() && lacks_it() {
            return Err(NoSigningCa::Unpublished);
        }
        let fingerprint = authority.root().fingerprint();
        let settled = self.retiring.get(&fingerprint).filter(|_| self.is_ahead_of(pool));
        Ok(SigningCa {
            leaves_end: settled.map_or(choice.leaves_end, |end| choice.leaves_end.min(*end)),
            ..choice
        })
    }

    /// As [`choose_for`](Self::choose_for) where all CAs are fit.
    ///
    /// # Errors
    /// If none may sign.
    pub(crate) fn choose(&self, pool: &CaPool, now: Timestamp) -> Result<SigningCa, NoSigningCa> {
        self.choose_for(&Fitness::default(), pool, now)
    }

    /// Whether a root is in the bundle, whatever its annotations say.
    pub(super) fn contains(&self, root: &CaCertificate) -> bool {
        self.anchors.contains_key(&root.fingerprint())
    }

    /// Whether there is no root in it, or no bundle.
    pub(crate) fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Whether it was made of this version of a pool, with all of its roots, and they are there to stay: a CA
    /// that has replaced another outright may be a mistake until pods know it.
    pub(crate) fn is_made_of(&self, pool: &CaPool, now: Timestamp) -> bool {
        let is_settled = || pool.generation() > 0 || self.choose(pool, now).is_ok();
        self.generation == pool.generation() && self.has_all_of(pool, now) && is_settled()
    }

    /// The roots of a pool that have to be trusted at `now`.
    pub(super) fn needed_roots<'a>(
        &self,
        pool: &'a CaPool,
        fitness: &Fitness,
        now: Timestamp,
    ) -> Vec<&'a CaCertificate> {
        pool.needed_roots(fitness, now, |root| self.publication(root, pool))
    }

    /// Whether all roots of a pool that have to be are published.
    pub(super) fn has_all_of(&self, pool: &CaPool, now: Timestamp) -> bool {
        let needed = self.needed_roots(pool, &Fitness::default(), now);
        needed.into_iter().all(|root| self.since(root).is_some())
    }

    /// Whether all roots of a pool that have to be are in the bundle, whatever its annotations say.
    pub(super) fn contains_all_of(&self, pool: &CaPool, now: Timestamp) -> bool {
        let needed = self.needed_roots(pool, &Fitness::default(), now);
        needed.into_iter().all(|root| self.contains(root))
    }

    /// The fingerprints of the anchors in the bundle that no CA of a pool has.
    pub(super) fn foreign(&self, pool: &CaPool) -> Vec<String> {
        let own: Vec<String> = pool.roots().into_iter().map(CaCertificate::fingerprint).collect();
        self.anchors.keys().filter(|root| !own.contains(root)).cloned().collect()
    }

    /// How many anchors are in the bundle of a pool.
    pub(crate) fn count_anchors(&self, pool: &CaPool) -> Anchors {
        let foreign = self.foreign(pool).into_iter().filter(|root| !self.written.contains(root));
        Anchors { published: self.anchors.len(), foreign: foreign.count() }
    }

    /// The anchors in the bundle that no CA of a pool has.
    pub(crate) fn beside<'a>(&'a self, pool: &'a CaPool) -> impl Iterator<Item = &'a CaCertificate> {
        self.anchors.values().filter(|anchor| !pool.roots().contains(anchor))
    }

    /// Whether no replica can have made this of a bundle that was in order for a pool: a version of the pool
    /// has one content only, and none lacks its roots. What says that it is of a newer version may be.
    pub(super) fn is_an_edit_of(&self, before: &Self, pool: &CaPool, now: Timestamp) -> bool {
        let is_of_this_version = self.generation == pool.generation();
        let is_counted = pool.generation() > 0;
        let is_new = |root: &String| !before.anchors.contains_key(root);
        is_of_this_version
            && (!self.contains_all_of(pool, now) || is_counted && self.foreign(pool).iter().any(is_new))
    }

    /// Whether nothing of a pool is published any more, or yet.
    pub(super) fn has_none_of(&self, pool: &CaPool) -> bool {
        pool.roots().into_iter().all(|root| self.since(root).is_none())
    }

    fn publication(&self, root: &CaCertificate, pool: &CaPool) -> RootPublication {
        match self.since(root) {
            Some(since) => RootPublication::Since(since),
            None if self.is_ahead_of(pool) => RootPublication::Dropped,
            None => RootPublication::Absent,
        }
    }

    /// Whether it was made of a newer version of a pool, or of another pool altogether: two that share no
    /// root and have the same generation don't follow from each other. (A pool that doesn't count its
    /// generations is replaced as its owner likes.)
    pub(super) fn is_ahead_of(&self, pool: &CaPool) -> bool {
        let shares_a_root = || pool.roots().iter().any(|root| self.written.contains(&root.fingerprint()));
        let is_counted = self.generation > 0 && !self.written.is_empty();
        self.generation > pool.generation()
            || is_counted && self.generation == pool.generation() && !shares_a_root()
    }
}

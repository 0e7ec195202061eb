//! Roots of CAs that were replaced outright: whoever overwrites `tls.crt`, or a pool that doesn't count its
//! generations, leaves pods with certificates of a CA that no pool knows any more. Only the bundle still
//! does.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::published::{ByRoot, Published, vouches_for};
use ca_pool::{BUNDLE_PROPAGATION, CaCertificate, CaPool, MAX_LEAF_LIFETIME, NoSigningCa, SigningCa};

/// Kubelet brings a file that was overwritten to replicas minutes apart. Longer than that, and shorter than
/// the time after which a CA may have signed.
const SETTLES: Duration = Duration::from_secs(10 * 60);

impl Published {
    /// Whether a replica leaves a bundle that has all of its pool's roots as it is, because another one's
    /// root is new: whichever of the two is behind will follow, and until then both roots are trusted. (Where
    /// generations are counted it is known which one is behind.)
    pub(super) fn is_left_to_settle(&self, pool: &CaPool, now: Timestamp) -> bool {
        let own: Vec<String> = pool.roots().into_iter().map(CaCertificate::fingerprint).collect();
        let is_uncounted = pool.generation() == 0 && self.generation() == 0;
        let is_as_written = self.anchors.keys().all(|root| self.since.contains_key(root));
        let has_all = own.iter().all(|root| self.since.contains_key(root));
        let mut others = self.since.iter().filter(|(root, _)| !own.contains(root));
        let is_new = |since: Timestamp| is_possible(since, now) && after(since, SETTLES) > now;
        is_uncounted && is_as_written && has_all && others.any(|(_, since)| is_new(*since))
    }

    /// The roots that stay published though a pool hasn't got them, each with the time until which its leaves
    /// may live. Where generations are counted none are added: who removes a CA there has thought of its
    /// leaves, or wants them refused; and where an emergency has revoked them, none stays.
    ///
    /// What the bundle says was written by whoever may write it. So it counts within bounds alone: no root
    /// stays for longer than the longest leaf that it can have signed by now.
    pub(super) fn to_keep(&self, pool: &CaPool, now: Timestamp) -> ByRoot {
        if pool.revokes_unknown_anchors() {
            return ByRoot::new();
        }
        let own: Vec<String> = pool.roots().into_iter().map(CaCertificate::fingerprint).collect();
        let is_counted = pool.generation() > 0 || self.generation() > 0;
        let is_current = |root: &String| self.since.contains_key(root) && !self.kept.contains_key(root);
        // what `rootFile` lists besides signs nothing, so it doesn't tell whether the one that did is gone
        let mut signing = pool.authorities().map(|authority| authority.root().fingerprint());
        let is_replaced_now = !is_counted && !signing.any(|root| is_current(&root));
        let others =
            self.since.iter().filter(|(root, since)| !own.contains(root) && is_possible(**since, now));
        let kept = others.filter_map(|(root, _)| {
            let until = match self.kept.get(root) {
                // clocks of replicas differ
                Some(until) if *until > after(after(now, MAX_LEAF_LIFETIME), BUNDLE_PROPAGATION) => {
                    after(now, MAX_LEAF_LIFETIME)
                }
                Some(until) => *until,
                None if is_replaced_now && self.can_have_signed(root, now) => after(now, MAX_LEAF_LIFETIME),
                None => return None,
            };
            let until = until.min(self.anchors.get(root)?.not_after());
            (after(until, BUNDLE_PROPAGATION) > now).then(|| (root.clone(), until))
        });
        kept.collect()
    }

    /// A CA whose root isn't known yet doesn't sign where pods know another.
    fn can_have_signed(&self, root: &str, now: Timestamp) -> bool {
        let is_known =
            |root: &str| self.since.get(root).is_some_and(|since| after(*since, BUNDLE_PROPAGATION) <= now);
        is_known(root) || !self.since.keys().any(|other| other != root && is_known(other))
    }

    /// Lets a CA that replaces another outright wait until pods know it: they have certificates of the other
    /// one.
    ///
    /// # Errors
    /// If they don't know it yet.
    pub(super) fn check_is_known(
        &self,
        pool: &CaPool,
        choice: SigningCa,
        now: Timestamp,
    ) -> Result<(), NoSigningCa> {
        if pool.generation() > 0 || self.to_keep(pool, now).is_empty() {
            return Ok(());
        }
        let authority = pool.authority(choice.index);
        let same = self.anchors.iter().filter(|(_, anchor)| vouches_for(anchor, authority));
        let since = same.filter_map(|(anchor, _)| self.since.get(anchor)).min();
        let known = after(*since.ok_or(NoSigningCa::Unpublished)?, BUNDLE_PROPAGATION);
        if known <= now { Ok(()) } else { Err(NoSigningCa::Spreading { known }) }
    }

    /// These of the published roots, in PEM.
    pub(super) fn pem_of(&self, roots: &BTreeMap<String, Timestamp>) -> String {
        let anchors = roots.keys().filter_map(|root| self.anchors.get(root));
        anchors.map(CaCertificate::to_pem).collect()
    }
}

/// By how much the clocks of API servers, by which replicas go, may differ.
pub(super) const CLOCKS_DIFFER: Duration = Duration::from_secs(2 * 60);

/// Whether a root can have been published then: a time further ahead was noted by a clock that was wrong, or
/// by somebody who wants the root to stay.
pub(super) fn is_possible(since: Timestamp, now: Timestamp) -> bool {
    since <= after(now, CLOCKS_DIFFER)
}

pub(super) fn before(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

pub(super) fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;

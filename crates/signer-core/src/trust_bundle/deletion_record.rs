//! What a replica remembers of a bundle that is gone. Whoever makes it anew decides what pods trust, so one
//! that knows that its own pool is older leaves that to others.

use jiff::Timestamp;

use super::published::Published;
use ca_pool::{BUNDLE_PROPAGATION, CaPool};

/// What the last bundle was made of, and since when there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeletionRecord {
    generation: u64,
    was_published: bool,
    absent_since: Option<Timestamp>,
}

impl DeletionRecord {
    /// Notes what is published at `now`; `None`: there is no bundle.
    pub(crate) fn note(&mut self, published: Option<&Published>, now: Timestamp) {
        match published {
            Some(published) => {
                *self = Self { generation: published.generation(), was_published: true, absent_since: None };
            }
            None => {
                self.absent_since.get_or_insert(now);
            }
        }
    }

    /// What is known where there is no bundle now.
    pub(super) fn without_bundle(&self) -> Published {
        if self.was_published { Published::default() } else { Published::before_the_first() }
    }

    /// Whether there was a bundle since this replica started.
    pub(super) fn was_published(&self) -> bool {
        self.was_published
    }

    /// Whether a replica with this pool leaves a bundle that is gone to others: its pool is older than the
    /// one of which that was made. It doesn't do so for ever, as the newer one may be lost: a changed Secret
    /// reaches all replicas within [`BUNDLE_PROPAGATION`].
    pub(crate) fn holds_back(&self, pool: &CaPool, now: Timestamp) -> bool {
        let ends =
            self.absent_since.map(|since| since.checked_add(BUNDLE_PROPAGATION).unwrap_or(Timestamp::MAX));
        pool.generation() < self.generation && ends.is_some_and(|ends| now < ends)
    }

    /// The generation of the last bundle.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }
}

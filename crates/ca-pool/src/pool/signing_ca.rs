//! Which CA of a pool signs: the one whose time it is, once every pod can know its root.

use jiff::{Timestamp, tz::TimeZone};

use super::schedule::{
    BUNDLE_PROPAGATION, MAX_LEAF_LIFETIME, SHORTEST_LEAF, Schedule, SigningWindow, earlier, later,
};

/// How a CA's root stands in the published trust bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootPublication {
    /// It is in the bundle, since then.
    Since(Timestamp),
    /// It isn't in the bundle.
    Absent,
    /// A newer version of the pool has left it out: it may have leaked, and nothing may be signed under it
    /// any more.
    Dropped,
}

impl RootPublication {
    /// Whether every pod knows the root at `now`.
    pub(super) fn is_known(self, now: Timestamp) -> bool {
        matches!(self, Self::Since(since) if later(since, BUNDLE_PROPAGATION) <= now)
    }
}

/// Which CA signs, and until when its leaves may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningCa {
    /// Its position in the pool.
    pub index: usize,
    /// The end of what it signs: of itself, or of the time for which a CA that retires is still published.
    pub leaves_end: Timestamp,
}

impl SigningCa {
    /// Whether the CA, valid from `not_before` on, can sign even the shortest leaf at `now`.
    pub(super) fn can_sign(&self, not_before: Timestamp, now: Timestamp) -> bool {
        not_before <= now && later(now, SHORTEST_LEAF) <= self.leaves_end
    }
}

/// Why no CA of a pool may sign now. It passes, or somebody has to act; a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoSigningCa {
    /// The time of no CA has come.
    #[error("no CA of the pool signs yet; the first does from {} on", minute(*.from))]
    NotYet {
        /// When that of the first one comes.
        from: Timestamp,
    },
    /// The root of the CA that has to sign was published a short while ago, and the CA before it can't sign
    /// any more.
    #[error("the CA that signs next isn't known to all pods before {}, and the one before it can't sign any more", minute(*.known))]
    Spreading {
        /// From when on every pod knows it.
        known: Timestamp,
    },
    /// The root of the CA that has to sign isn't published.
    #[error(
        "the root of the CA that signs next isn't in the trust bundle, so nobody would accept its certificates; find out what keeps the bundle from being written"
    )]
    Unpublished,
    /// A newer version of this controller has written what the trust bundle says of its anchors.
    #[error(
        "the trust bundle has format {format}, which a newer version of this controller writes; give all replicas that version"
    )]
    NewerFormat {
        /// The format.
        format: u32,
    },
    /// A newer version of the pool has no CA of this one any more.
    #[error(
        "the trust bundle was made of a newer CA pool, which doesn't have this CA any more; this replica waits for that pool"
    )]
    Dropped,
}

/// What decides at one moment.
struct Candidates<'a, F> {
    windows: &'a [SigningWindow],
    now: Timestamp,
    publication: F,
}

impl Schedule {
    /// Which CA signs at `now`; `publication` tells of a CA how its root stands in the published bundle.
    ///
    /// The first CA in the order of the pool signs whose time hasn't ended and whose root has been published
    /// for [`BUNDLE_PROPAGATION`]; where there is none, the last one whose root has, with leaves that end
    /// before that leaves the bundle. Where no pod can be sure to know any of them (a first bundle, or one
    /// that was deleted), the oldest signs that still can: if pods know any, they know that one.
    ///
    /// # Errors
    /// If none may sign.
    pub fn signing_ca(
        &self,
        now: Timestamp,
        publication: impl Fn(usize) -> RootPublication,
    ) -> Result<SigningCa, NoSigningCa> {
        let at = Candidates { windows: self.windows(), now, publication };
        let mut all = 0..at.windows.len();
        if all.clone().all(|index| (at.publication)(index) == RootPublication::Dropped) {
            return Err(NoSigningCa::Dropped);
        }
        let may_sign = |index: &usize| at.is_known(*index) && at.can_sign(*index);
        let in_time = all.clone().find(|index| at.is_in_time(*index) && may_sign(index));
        let known = in_time.or_else(|| all.rfind(may_sign));
        match known.or_else(|| self.oldest_where_none_is_known(&at)) {
            Some(index) => Ok(at.choice(index)),
            None => at.nobody(),
        }
    }

    /// No leaf under another root is at stake here. A root that isn't published can only be meant to sign
    /// where none of the pool is.
    fn oldest_where_none_is_known<F: Fn(usize) -> RootPublication>(
        &self,
        at: &Candidates<'_, F>,
    ) -> Option<usize> {
        let mut all = 0..at.windows.len();
        let leaves_live = |index: usize| {
            let end = self.trusted_until(index, at.now, &at.publication);
            end.is_none_or(|end| at.now <= earlier(end, BUNDLE_PROPAGATION))
                && at.now <= at.windows[index].not_after
        };
        if all.clone().any(|index| at.is_known(index) && leaves_live(index)) {
            return None;
        }
        let is_published = |index: usize| matches!((at.publication)(index), RootPublication::Since(_));
        let none_is_published = !all.clone().any(is_published);
        all.find(|index| {
            let may_sign = match (at.publication)(*index) {
                RootPublication::Since(_) => true,
                RootPublication::Absent => none_is_published,
                RootPublication::Dropped => false,
            };
            may_sign && at.can_sign(*index)
        })
    }

    /// Until when the root of a CA is trusted, counted from when another took over from it at the earliest: when
    /// that was decided, and not before the root of the other was published. The time was computed on
    /// somebody's clock, who may have been days behind; the bundle is written by those who sign. `None`:
    /// nobody follows.
    pub(super) fn trusted_until(
        &self,
        index: usize,
        now: Timestamp,
        publication: impl Fn(usize) -> RootPublication,
    ) -> Option<Timestamp> {
        let window = self.windows()[index];
        let decided = window.trusted_until?;
        let taken_over_at = match publication(self.successor(index)?) {
            RootPublication::Since(since) => since,
            RootPublication::Absent => now,
            RootPublication::Dropped => window.until,
        };
        let late_by = taken_over_at.max(window.until).duration_since(window.until).unsigned_abs();
        Some(later(decided, late_by).min(later(window.not_after, BUNDLE_PROPAGATION)))
    }
}

impl<F: Fn(usize) -> RootPublication> Candidates<'_, F> {
    fn choice(&self, index: usize) -> SigningCa {
        let window = &self.windows[index];
        let longest = later(self.now, window.max_leaf_lifetime.unwrap_or(MAX_LEAF_LIFETIME));
        let end = longest.min(window.not_after);
        SigningCa { index, leaves_end: window.last_leaf_ends().map_or(end, |last| end.min(last)) }
    }

    /// The first of a pool may have to wait. Each other one may sign before its time if it has to.
    fn can_sign(&self, index: usize) -> bool {
        let window = &self.windows[index];
        let waits = index == 0 && window.from.is_some_and(|from| self.now < from);
        !waits && self.choice(index).can_sign(window.not_before, self.now)
    }

    fn is_in_time(&self, index: usize) -> bool {
        self.now < self.windows[index].until
    }

    fn is_known(&self, index: usize) -> bool {
        (self.publication)(index).is_known(self.now)
    }

    /// Why nobody may sign; or, where a CA would have to and can't, that one: whoever issues says what is wrong
    /// with it.
    fn nobody(&self) -> Result<SigningCa, NoSigningCa> {
        let all =
            || (0..self.windows.len()).filter(|index| (self.publication)(*index) != RootPublication::Dropped);
        let can_sign = |index: &usize| self.can_sign(*index);
        if let Some(next) =
            all().find(|index| self.is_in_time(*index) && can_sign(index)).or_else(|| all().find(can_sign))
        {
            return Err(match (self.publication)(next) {
                RootPublication::Since(since) => {
                    NoSigningCa::Spreading { known: later(since, BUNDLE_PROPAGATION) }
                }
                RootPublication::Absent | RootPublication::Dropped => NoSigningCa::Unpublished,
            });
        }
        let starts = self.windows.iter().enumerate().map(|(index, window)| {
            let waits_until = window.from.filter(|_| index == 0).unwrap_or(Timestamp::MIN);
            waits_until.max(window.not_before)
        });
        match (starts.filter(|from| self.now < *from).min(), all().next_back()) {
            (Some(from), _) => Err(NoSigningCa::NotYet { from }),
            (None, Some(last)) => Ok(self.choice(last)),
            (None, None) => Err(NoSigningCa::Dropped),
        }
    }
}

fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests;

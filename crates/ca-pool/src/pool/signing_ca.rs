//! Which CA of a pool signs: the one whose turn it is, once every pod can know its root.

use jiff::{Timestamp, tz::TimeZone};

use super::lifecycle::{
    BUNDLE_PROPAGATION, MAX_LEAF_LIFETIME, SHORTEST_LEAF, SigningWindow, last_leaf_after, last_leaf_ends,
    later, successor, was_activated,
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
    /// No CA's turn has come.
    #[error("no CA of the pool signs yet{}", from.map_or_else(String::new, |from| format!("; the first does from {} on", minute(from))))]
    NotYet {
        /// When the first one's turn comes.
        from: Option<Timestamp>,
    },
    /// The CA whose turn came last can't sign, and the next one's turn hasn't come.
    #[error("the CA that signs next does from {} on, and the one before it can't sign", minute(*.from))]
    Gap {
        /// When the next one's turn comes.
        from: Timestamp,
    },
    /// The root of the CA whose turn it is was published a short while ago, and the CA before it can't sign
    /// any more.
    #[error("the CA that signs next isn't known to all pods before {}, and the one before it can't sign any more", minute(*.known))]
    Spreading {
        /// From when on every pod knows it.
        known: Timestamp,
    },
    /// The root of the CA whose turn it is isn't published.
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

/// Which CA of a pool signs at `now`; `publication` tells of a CA how its root stands in the published
/// bundle.
///
/// The CA whose turn came last signs, once its root has been published for [`BUNDLE_PROPAGATION`]. Until then
/// the one before it goes on, with leaves that end before it leaves the bundle. Where no pod can be sure to
/// know any of them (a first bundle, or one that was deleted), the oldest signs that still can: if pods know
/// any, they know that one.
///
/// # Errors
/// If none may sign.
pub fn choose(
    signing_windows: &[SigningWindow],
    now: Timestamp,
    publication: impl Fn(usize) -> RootPublication,
) -> Result<SigningCa, NoSigningCa> {
    let pool = Candidates { signing_windows, now, publication };
    let candidates = pool.newest_first();
    let Some(newest) =
        candidates.iter().copied().find(|index| (pool.publication)(*index) != RootPublication::Dropped)
    else {
        return Err(if candidates.is_empty() { pool.not_yet() } else { NoSigningCa::Dropped });
    };
    let known = candidates.iter().copied().find(|index| pool.is_known(*index) && pool.can_sign(*index));
    let chosen = known.or_else(|| pool.oldest_where_none_is_known(&candidates));
    match chosen {
        Some(index) => Ok(pool.choice(index)),
        None if !pool.can_sign(newest) => match pool.next_activation() {
            Some(from) => Err(NoSigningCa::Gap { from }),
            // whoever issues says what is wrong with it
            None => Ok(pool.choice(newest)),
        },
        None => Err(pool.unknown(newest)),
    }
}

struct Candidates<'a, F> {
    signing_windows: &'a [SigningWindow],
    now: Timestamp,
    publication: F,
}

impl<F: Fn(usize) -> RootPublication> Candidates<'_, F> {
    /// Those whose turn has come. In a pool without times all may be needed: whoever puts a new CA in front
    /// of the old one by hand wants the new one to sign, but not before pods know it.
    fn newest_first(&self) -> Vec<usize> {
        let all = 0..self.signing_windows.len();
        if self.has_no_times() {
            return all.collect();
        }
        let mut turns: Vec<usize> =
            all.filter(|index| was_activated(self.signing_windows, *index, self.now)).collect();
        turns.sort_by_key(|index| std::cmp::Reverse((self.signing_windows[*index].signs_from, *index)));
        turns
    }

    fn choice(&self, index: usize) -> SigningCa {
        SigningCa { index, leaves_end: self.leaves_end(index) }
    }

    fn leaves_end(&self, index: usize) -> Timestamp {
        let signing_window = &self.signing_windows[index];
        let end = later(self.now, signing_window.max_leaf_lifetime.unwrap_or(MAX_LEAF_LIFETIME))
            .min(signing_window.not_after);
        last_leaf_ends(self.signing_windows, index).map_or(end, |last| end.min(last))
    }

    fn can_sign(&self, index: usize) -> bool {
        self.choice(index).can_sign(self.signing_windows[index].not_before, self.now)
    }

    fn is_known(&self, index: usize) -> bool {
        (self.publication)(index).is_known(self.now)
    }

    /// No leaf under another root is at stake here. A root that isn't published can only be meant to sign
    /// where none of the pool is. (In a pool without times it is the first: nothing tells which is the
    /// oldest.)
    fn oldest_where_none_is_known(&self, newest_first: &[usize]) -> Option<usize> {
        if newest_first.iter().any(|index| self.is_known(*index) && self.leaves_live(*index)) {
            return None;
        }
        let none_is_published =
            newest_first.iter().all(|index| !matches!((self.publication)(*index), RootPublication::Since(_)));
        let may_sign = |index: usize| match (self.publication)(index) {
            RootPublication::Since(_) => true,
            RootPublication::Absent => none_is_published,
            RootPublication::Dropped => false,
        };
        let mut in_order = newest_first.to_vec();
        if !self.has_no_times() {
            in_order.reverse();
        }
        in_order.into_iter().find(|index| may_sign(*index) && self.can_sign(*index))
    }

    fn has_no_times(&self) -> bool {
        self.signing_windows.iter().all(|signing_window| signing_window.signs_from.is_none())
    }

    fn leaves_live(&self, index: usize) -> bool {
        let takeover = taken_over_at(self.signing_windows, index, self.now, &self.publication);
        let signing_window = &self.signing_windows[index];
        takeover.map_or(signing_window.not_after, |at| last_leaf_after(signing_window, at)) >= self.now
    }

    fn next_activation(&self) -> Option<Timestamp> {
        self.signing_windows
            .iter()
            .filter_map(|signing_window| signing_window.signs_from)
            .filter(|from| *from > self.now)
            .min()
    }

    fn not_yet(&self) -> NoSigningCa {
        NoSigningCa::NotYet { from: self.next_activation() }
    }

    fn unknown(&self, newest: usize) -> NoSigningCa {
        match (self.publication)(newest) {
            RootPublication::Since(since) => {
                NoSigningCa::Spreading { known: later(since, BUNDLE_PROPAGATION) }
            }
            RootPublication::Absent | RootPublication::Dropped => NoSigningCa::Unpublished,
        }
    }
}

/// When another CA took over from this one at the earliest: when its turn came, and not before its root was
/// published. The turn was computed on somebody's clock, who may have been days behind; the bundle is written
/// by those who sign. `None`: there is no other.
pub(super) fn taken_over_at(
    signing_windows: &[SigningWindow],
    index: usize,
    now: Timestamp,
    publication: impl Fn(usize) -> RootPublication,
) -> Option<Timestamp> {
    let successor = successor(signing_windows, index)?;
    let turn = signing_windows[successor].signs_from?;
    Some(match publication(successor) {
        RootPublication::Since(since) => turn.max(since),
        RootPublication::Absent => turn.max(now),
        RootPublication::Dropped => turn,
    })
}

/// Whether nothing needs a CA any more, counted from when another took over from it.
pub(super) fn is_over(
    signing_windows: &[SigningWindow],
    index: usize,
    now: Timestamp,
    publication: impl Fn(usize) -> RootPublication,
) -> bool {
    let takeover = taken_over_at(signing_windows, index, now, publication);
    takeover.is_some_and(|at| later(last_leaf_after(&signing_windows[index], at), BUNDLE_PROPAGATION) <= now)
}

fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests;

//! Which CA of a pool signs: the one whose turn it is, once every pod can know its root.

use jiff::{Timestamp, tz::TimeZone};

use super::lifecycle::{
    LONGEST_LEAF, PROPAGATION, SHORTEST_LEAF, Tenure, has_had_its_turn, last_leaf_after, last_leaf_ends,
    later, successor,
};

/// How a CA's root stands in the published trust bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is in the bundle, since then.
    Since(Timestamp),
    /// It isn't in the bundle.
    Absent,
    /// A newer version of the pool has left it out: it may have leaked, and nothing may be signed under it any more.
    Dropped,
}

impl Standing {
    /// Whether every pod knows the root at `now`.
    pub(super) fn is_known(self, now: Timestamp) -> bool {
        matches!(self, Self::Since(since) if later(since, PROPAGATION) <= now)
    }
}

/// Which CA signs, and until when its leaves may live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its position in the pool.
    pub index: usize,
    /// The end of what it signs: of itself, or of the time for which a CA that retires is still published.
    pub leaves_end: Timestamp,
}

impl Choice {
    /// Whether the CA, valid from `not_before` on, can sign even the shortest leaf at `now`.
    pub(super) fn can_sign(&self, not_before: Timestamp, now: Timestamp) -> bool {
        not_before <= now && later(now, SHORTEST_LEAF) <= self.leaves_end
    }
}

/// Why no CA of a pool may sign now. It passes, or somebody has to act; a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoChoice {
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
    /// The root of the CA whose turn it is was published a short while ago, and the CA before it can't sign any more.
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
    /// A newer version of the pool has no CA of this one any more.
    #[error(
        "the trust bundle was made of a newer CA pool, which doesn't have this CA any more; this replica waits for that pool"
    )]
    Dropped,
}

/// Which CA of a pool signs at `now`; `standing` tells of a CA how its root stands in the published bundle.
///
/// The CA whose turn came last signs, once its root has been published for [`PROPAGATION`]. Until then the one before it goes on, with leaves that end
/// before it leaves the bundle. Where no pod can be sure to know any of them (a first bundle, or one that was deleted), the oldest signs that still can: if pods know any, they know that
/// one.
///
/// # Errors
/// If none may sign.
pub fn choose(
    tenures: &[Tenure],
    now: Timestamp,
    standing: impl Fn(usize) -> Standing,
) -> Result<Choice, NoChoice> {
    let pool = Candidates { tenures, now, standing };
    let candidates = pool.newest_first();
    let Some(newest) = candidates.iter().copied().find(|index| (pool.standing)(*index) != Standing::Dropped)
    else {
        return Err(if candidates.is_empty() { pool.not_yet() } else { NoChoice::Dropped });
    };
    let known = candidates.iter().copied().find(|index| pool.is_known(*index) && pool.can_sign(*index));
    let chosen = known.or_else(|| pool.oldest_where_none_is_known(&candidates));
    match chosen {
        Some(index) => Ok(pool.choice(index)),
        None if !pool.can_sign(newest) => match pool.next_turn() {
            Some(from) => Err(NoChoice::Gap { from }),
            // whoever issues says what is wrong with it
            None => Ok(pool.choice(newest)),
        },
        None => Err(pool.unknown(newest)),
    }
}

struct Candidates<'a, F> {
    tenures: &'a [Tenure],
    now: Timestamp,
    standing: F,
}

impl<F: Fn(usize) -> Standing> Candidates<'_, F> {
    /// Those whose turn has come. In a pool without times all may be needed: whoever puts a new CA in front of the old one by hand wants the new one to sign, but not
    /// before pods know it.
    fn newest_first(&self) -> Vec<usize> {
        let all = 0..self.tenures.len();
        if self.has_no_times() {
            return all.collect();
        }
        let mut turns: Vec<usize> =
            all.filter(|index| has_had_its_turn(self.tenures, *index, self.now)).collect();
        turns.sort_by_key(|index| std::cmp::Reverse((self.tenures[*index].signs_from, *index)));
        turns
    }

    fn choice(&self, index: usize) -> Choice {
        Choice { index, leaves_end: self.leaves_end(index) }
    }

    fn leaves_end(&self, index: usize) -> Timestamp {
        let tenure = &self.tenures[index];
        let end = later(self.now, tenure.longest_leaf.unwrap_or(LONGEST_LEAF)).min(tenure.not_after);
        last_leaf_ends(self.tenures, index).map_or(end, |last| end.min(last))
    }

    fn can_sign(&self, index: usize) -> bool {
        self.choice(index).can_sign(self.tenures[index].not_before, self.now)
    }

    fn is_known(&self, index: usize) -> bool {
        (self.standing)(index).is_known(self.now)
    }

    /// No leaf under another root is at stake here. A root that isn't published can only be meant to sign where none of the pool is. (In a pool without times it is
    /// the first: nothing tells which is the oldest.)
    fn oldest_where_none_is_known(&self, newest_first: &[usize]) -> Option<usize> {
        if newest_first.iter().any(|index| self.is_known(*index) && self.leaves_live(*index)) {
            return None;
        }
        let none_is_published =
            newest_first.iter().all(|index| !matches!((self.standing)(*index), Standing::Since(_)));
        let may_sign = |index: usize| match (self.standing)(index) {
            Standing::Since(_) => true,
            Standing::Absent => none_is_published,
            Standing::Dropped => false,
        };
        let mut in_order = newest_first.to_vec();
        if !self.has_no_times() {
            in_order.reverse();
        }
        in_order.into_iter().find(|index| may_sign(*index) && self.can_sign(*index))
    }

    fn has_no_times(&self) -> bool {
        self.tenures.iter().all(|tenure| tenure.signs_from.is_none())
    }

    fn leaves_live(&self, index: usize) -> bool {
        let takeover = taken_over_at(self.tenures, index, self.now, &self.standing);
        let tenure = &self.tenures[index];
        takeover.map_or(tenure.not_after, |at| last_leaf_after(tenure, at)) >= self.now
    }

    fn next_turn(&self) -> Option<Timestamp> {
        self.tenures.iter().filter_map(|tenure| tenure.signs_from).filter(|from| *from > self.now).min()
    }

    fn not_yet(&self) -> NoChoice {
        NoChoice::NotYet { from: self.next_turn() }
    }

    fn unknown(&self, newest: usize) -> NoChoice {
        match (self.standing)(newest) {
            Standing::Since(since) => NoChoice::Spreading { known: later(since, PROPAGATION) },
            Standing::Absent | Standing::Dropped => NoChoice::Unpublished,
        }
    }
}

/// When another CA took over from this one at the earliest: when its turn came, and not before its root was published. The turn was computed on somebody's clock, who may have been days
/// behind; the bundle is written by those who sign. `None`: there is no other.
pub(super) fn taken_over_at(
    tenures: &[Tenure],
    index: usize,
    now: Timestamp,
    standing: impl Fn(usize) -> Standing,
) -> Option<Timestamp> {
    let successor = successor(tenures, index)?;
    let turn = tenures[successor].signs_from?;
    Some(match standing(successor) {
        Standing::Since(since) => turn.max(since),
        Standing::Absent => turn.max(now),
        Standing::Dropped => turn,
    })
}

/// Whether nothing needs a CA any more, counted from when another took over from it.
pub(super) fn is_over(
    tenures: &[Tenure],
    index: usize,
    now: Timestamp,
    standing: impl Fn(usize) -> Standing,
) -> bool {
    let takeover = taken_over_at(tenures, index, now, standing);
    takeover.is_some_and(|at| later(last_leaf_after(&tenures[index], at), PROPAGATION) <= now)
}

fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests;

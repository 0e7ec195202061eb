//! Changes of a pool: a successor comes, an authority goes. Each makes a new generation, so that whoever holds an older one can tell.

use std::time::Duration;

use jiff::Timestamp;

use super::{CaPool, Member, Phase, PoolError, phases, removable_at};
use crate::authority::CertificateAuthority;

/// How a new authority takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// The longest lifetime that it may give a leaf; `None`: whatever the API allows.
    pub longest_leaf: Option<Duration>,
    /// The longest lifetime that those before it can have given, where the pool doesn't record it; `None`: whatever the API allows.
    pub predecessors_longest_leaf: Option<Duration>,
}

/// Why a pool can't be changed like that.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// A successor is waiting already.
    #[error(
        "CA {id:?} is already waiting for its turn, which comes at {signs_from}; wait until then, or take it out with \
         `signerctl ca-pool prune --force --ca-id {id}`"
    )]
    UnderWay {
        /// The one that waits.
        id: String,
        /// When its turn comes.
        signs_from: Timestamp,
    },
    /// There is no authority of that ID.
    #[error("the pool has no CA {id:?}; it has {known}")]
    UnknownId {
        /// What was asked for.
        id: String,
        /// What there is.
        known: String,
    },
    /// Nobody would sign.
    #[error("without CA {id:?} nobody could sign; a new CA has to take its place")]
    NoHeir {
        /// The one that would leave.
        id: String,
    },
    /// The new authority is vouched for by the root that has to leave.
    #[error(
        "the new CA is under the root of CA {id:?} ({root}), and that root has to leave the trust bundle; take a CA under another root"
    )]
    CompromisedRoot {
        /// The compromised authority.
        id: String,
        /// The subject of its root.
        root: String,
    },
    /// An authority is still needed.
    #[error("CA {id:?} can't be removed before {}: {why}", until.map_or_else(|| "it has a successor that signs".to_owned(), |until| until.to_string()))]
    StillNeeded {
        /// The authority.
        id: String,
        /// Until when it is needed, if that is known.
        until: Option<Timestamp>,
        /// What would break.
        why: &'static str,
    },
    /// The changed pool would be none.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl CaPool {
    /// A pool of one authority, which signs at once.
    ///
    /// # Errors
    /// None that one authority can cause.
    pub fn first(authority: CertificateAuthority, longest_leaf: Duration) -> Result<Self, PoolError> {
        let member = Member { longest_leaf: Some(longest_leaf), ..Member::from(authority) };
        Self::of_members(vec![member], 1, serde_json::Map::new())
    }

    /// A pool of one authority that signs from then on, or at once; its generations aren't counted before the first change.
    ///
    /// # Errors
    /// None that one authority can cause.
    pub fn beginning_with(
        authority: CertificateAuthority,
        signs_from: Option<Timestamp>,
        longest_leaf: Option<Duration>,
    ) -> Result<Self, PoolError> {
        let member = Member { signs_from, longest_leaf, ..Member::from(authority) };
        Self::of_members(vec![member], 0, serde_json::Map::new())
    }

    /// The number that no authority of the pool has as its ID yet.
    #[must_use]
    pub fn next_id(&self) -> String {
        let highest = self.authorities().filter_map(|authority| authority.id().parse::<u64>().ok()).max();
        highest.map_or(self.members.len() as u64, |highest| highest).saturating_add(1).to_string()
    }

    /// Lets all authorities give leaves of this lifetime; a longer one that is recorded stays.
    #[must_use]
    pub fn with_longest_leaf(mut self, longest_leaf: Duration, now: Timestamp) -> Self {
        for member in &mut self.members {
            member.longest_leaf = member.longest_leaf.map(|recorded| recorded.max(longest_leaf));
        }
        self.counted(now)
    }

    /// The same pool as a new version.
    #[must_use]
    pub fn counted(mut self, now: Timestamp) -> Self {
        self.generation = next_generation(self.generation, now);
        self
    }

    /// Adds the authority that signs next.
    ///
    /// # Errors
    /// If another is waiting for its turn already, or has the same ID or key.
    pub fn with_successor(
        self,
        successor: CertificateAuthority,
        succession: Succession,
        now: Timestamp,
    ) -> Result<Self, RotationError> {
        self.check_none_waits(now)?;
        let Self { mut members, generation, further } = self;
        for member in &mut members {
            member.longest_leaf = member.longest_leaf.or(succession.predecessors_longest_leaf);
        }
        members.push(Member {
            signs_from: Some(succession.signs_from),
            longest_leaf: succession.longest_leaf,
            ..Member::from(successor)
        });
        Ok(Self::of_members(members, next_generation(generation, now), further)?)
    }

    /// The IDs of the authorities that nothing needs any more. One that has expired without a successor isn't among them: it is all there is.
    #[must_use]
    pub fn removable(&self, now: Timestamp) -> Vec<&str> {
        self.authorities()
            .map(CertificateAuthority::id)
            .filter(|id| self.check_removable(id, now).is_ok())
            .collect()
    }

    /// Removes authorities that nothing needs any more.
    ///
    /// # Errors
    /// If one is still needed, or isn't there; nothing is removed then.
    pub fn without(self, ids: &[&str], now: Timestamp) -> Result<Self, RotationError> {
        for id in ids {
            self.check_removable(id, now)?;
        }
        self.without_regardless(ids, now)
    }

    /// Removes authorities, whatever that breaks.
    ///
    /// # Errors
    /// If one isn't there, or none would be left; nothing is removed then.
    pub fn without_regardless(self, ids: &[&str], now: Timestamp) -> Result<Self, RotationError> {
        let Self { members, generation, further } =
            ids.iter().try_fold(self, |pool, id| pool.without_member(id))?;
        Ok(Self::of_members(members, next_generation(generation, now), further)?)
    }

    /// One successor at a time.
    ///
    /// # Errors
    /// [`RotationError::UnderWay`] if an authority waits for its turn.
    pub fn check_none_waits(&self, now: Timestamp) -> Result<(), RotationError> {
        let waiting = self
            .members
            .iter()
            .find_map(|member| Some((member.authority.id(), member.signs_from.filter(|from| *from > now)?)));
        waiting
            .map_or(Ok(()), |(id, signs_from)| Err(RotationError::UnderWay { id: id.to_owned(), signs_from }))
    }

    fn check_removable(&self, id: &str, now: Timestamp) -> Result<(), RotationError> {
        let index = self.position(id)?;
        let (until, why) = match phases(&self.tenures(), now)[index] {
            Phase::Gone if removable_at(&self.tenures(), index).is_some() => return Ok(()),
            Phase::Gone => (None, "it has expired, and no other has taken over from it"),
            Phase::Retiring(until) => (
                Some(until),
                "until then pods may hold certificates of it, which others could no longer verify",
            ),
            Phase::Active => (removable_at(&self.tenures(), index), "it is the one that signs"),
            Phase::Trusted(_) => {
                (None, "it is published so that it can sign later, or so that pods keep trusting it")
            }
        };
        Err(RotationError::StillNeeded { id: id.to_owned(), until, why })
    }

    /// Where the authority of that ID stands in the pool.
    ///
    /// # Errors
    /// [`RotationError::UnknownId`], which says which there are.
    pub fn position(&self, id: &str) -> Result<usize, RotationError> {
        self.authorities().position(|authority| authority.id() == id).ok_or_else(|| {
            RotationError::UnknownId {
                id: id.to_owned(),
                known: self
                    .authorities()
                    .map(|authority| format!("{:?}", authority.id()))
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        })
    }

    fn without_member(mut self, id: &str) -> Result<Self, RotationError> {
        let index = self.position(id)?;
        self.members.remove(index);
        Ok(self)
    }
}

/// The time in seconds, or else one more. A pool that was put back to what it once was, and changed then, is newer all the same than whatever was made of it before.
pub(super) fn next_generation(generation: u64, now: Timestamp) -> u64 {
    generation.saturating_add(1).max(u64::try_from(now.as_second()).unwrap_or(0))
}

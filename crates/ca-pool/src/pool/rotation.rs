//! Changes of a pool: a successor comes, an authority goes. Each makes a new generation, so that whoever
//! holds an older one can tell.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    CaPool, Member, Phase, PoolError, RootPublication, RotationError,
    lifecycle::{latest, latest_activation},
    phases, removable_at,
    signing_ca::is_over,
};
use crate::authority::{CaCertificate, CertificateAuthority};

/// How a new authority takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationPlan {
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// The longest lifetime that it may give a leaf; `None`: whatever the API allows.
    pub max_leaf_lifetime: Option<Duration>,
    /// The longest lifetime that those before it can have given, where the pool doesn't record it; `None`:
    /// whatever the API allows.
    pub predecessor_max_leaf_lifetime: Option<Duration>,
}

impl CaPool {
    /// A pool of one authority, which signs at once.
    ///
    /// # Errors
    /// None that one authority can cause.
    pub fn first(authority: CertificateAuthority, max_leaf_lifetime: Duration) -> Result<Self, PoolError> {
        let member = Member { max_leaf_lifetime: Some(max_leaf_lifetime), ..Member::from(authority) };
        Self::of_members(vec![member], 1, serde_json::Map::new())
    }

    /// A pool of one authority that signs from then on, or at once; its generations aren't counted before the
    /// first change.
    ///
    /// # Errors
    /// None that one authority can cause.
    pub fn beginning_with(
        authority: CertificateAuthority,
        signs_from: Option<Timestamp>,
        max_leaf_lifetime: Option<Duration>,
    ) -> Result<Self, PoolError> {
        let member = Member { signs_from, max_leaf_lifetime, ..Member::from(authority) };
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
    pub fn with_longest_leaf(mut self, max_leaf_lifetime: Duration, now: Timestamp) -> Self {
        for member in &mut self.members {
            member.max_leaf_lifetime =
                member.max_leaf_lifetime.map(|recorded| recorded.max(max_leaf_lifetime));
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
    /// If another is waiting for its turn already, or has the same ID or key, or if nobody could sign before
    /// the successor's turn.
    pub fn with_successor(
        self,
        successor: CertificateAuthority,
        rotation_plan: RotationPlan,
        now: Timestamp,
    ) -> Result<Self, RotationError> {
        self.check_none_waits(now)?;
        self.check_activation(rotation_plan.signs_from, now)?;
        let Self { mut members, generation, further } = self;
        for member in &mut members {
            member.max_leaf_lifetime =
                member.max_leaf_lifetime.or(rotation_plan.predecessor_max_leaf_lifetime);
        }
        members.push(Member {
            signs_from: Some(rotation_plan.signs_from),
            max_leaf_lifetime: rotation_plan.max_leaf_lifetime,
            ..Member::from(successor)
        });
        Ok(Self::of_members(members, next_generation(generation, now), further)?)
    }

    /// Lets the authority at a position sign from then on.
    pub(super) fn with_activation(mut self, index: usize, signs_from: Timestamp, now: Timestamp) -> Self {
        self.members[index].signs_from = Some(signs_from);
        self.counted(now)
    }

    /// The IDs of the authorities that nothing needs any more. One that has expired without a successor isn't
    /// among them: it is all there is.
    #[must_use]
    pub fn removable(&self, now: Timestamp) -> Vec<&str> {
        self.authorities()
            .map(CertificateAuthority::id)
            .filter(|id| self.check_removable(id, now).is_ok())
            .collect()
    }

    /// Those of them that are of no use either where each takeover is counted from when the root of the new
    /// authority was published, as `publication` tells it: the pool's times were computed on somebody's
    /// clock.
    #[must_use]
    pub fn removable_as_published(
        &self,
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Vec<&str> {
        let signing_windows = self.signing_windows();
        let publication = |index| publication(self.authority(index).root());
        let is_over = |id: &&str| {
            self.position(id).is_ok_and(|index| is_over(&signing_windows, index, now, publication))
        };
        self.removable(now).into_iter().filter(is_over).collect()
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

    /// One successor at a time. Where the turn of the one that waits comes too late, another may sign in
    /// between.
    ///
    /// # Errors
    /// [`RotationError::UnderWay`] if an authority waits for its turn, and that comes in time.
    pub fn check_none_waits(&self, now: Timestamp) -> Result<(), RotationError> {
        let in_time = latest_activation(&self.signing_windows(), now);
        let waits = |from: &Timestamp| *from > now && *from <= in_time;
        let mut members = self.members.iter();
        let waiting =
            members.find_map(|member| Some((member.authority.id(), member.signs_from.filter(waits)?)));
        waiting
            .map_or(Ok(()), |(id, signs_from)| Err(RotationError::UnderWay { id: id.to_owned(), signs_from }))
    }

    /// A successor takes over as long as the authority before it can sign.
    ///
    /// # Errors
    /// [`RotationError::TooLate`] if nobody could sign before `signs_from`.
    pub fn check_activation(&self, signs_from: Timestamp, now: Timestamp) -> Result<(), RotationError> {
        let signing_windows = self.signing_windows();
        let latest_activation = latest_activation(&signing_windows, now);
        match latest(&signing_windows, now) {
            Some(index) if signs_from > latest_activation => Err(RotationError::TooLate {
                id: self.authority(index).id().to_owned(),
                not_after: signing_windows[index].not_after,
                signs_from,
                latest: latest_activation,
            }),
            _ => Ok(()),
        }
    }

    fn check_removable(&self, id: &str, now: Timestamp) -> Result<(), RotationError> {
        let index = self.position(id)?;
        let (until, why) = match phases(&self.signing_windows(), now)[index] {
            Phase::Gone if removable_at(&self.signing_windows(), index).is_some() => return Ok(()),
            Phase::Gone => (None, "it has expired, and no other has taken over from it"),
            Phase::Retiring(until) => (
                Some(until),
                "until then pods may hold certificates of it, which others could no longer verify",
            ),
            Phase::Active => (removable_at(&self.signing_windows(), index), "it is the one that signs"),
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

/// The time in seconds, or else one more. A pool that was put back to what it once was, and changed then, is
/// newer all the same than whatever was made of it before.
pub(super) fn next_generation(generation: u64, now: Timestamp) -> u64 {
    generation.saturating_add(1).max(u64::try_from(now.as_second()).unwrap_or(0))
}

#[cfg(test)]
mod tests;

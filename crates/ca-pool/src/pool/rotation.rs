//! Changes of a pool: a successor comes, an authority goes. Each makes a new generation, so that whoever
//! holds an older one can tell.

use std::time::Duration;

use jiff::Timestamp;

use super::{CaPool, Member, Phase, PoolError, RootPublication, RotationError};
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
    /// If another waits already, or has the same ID or key, or if the authority that signs couldn't until
    /// the successor does.
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
            let decided = member.retirement.filter(|end| end.signs_until <= rotation_plan.signs_from);
            member.retirement = decided.or(Some(member.recorded().retiring(rotation_plan.signs_from)));
        }
        let max_leaf_lifetime = rotation_plan.max_leaf_lifetime;
        members.push(Member { max_leaf_lifetime, ..Member::from(successor) });
        Ok(Self::of_members(members, next_generation(generation, now), further)?)
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
        let schedule = self.schedule();
        let publication = |index: usize| publication(self.authority(index).root());
        let is_over =
            |index: usize| schedule.trusted_until(index, now, publication).is_some_and(|until| until <= now);
        self.removable(now).into_iter().filter(|id| self.position(id).is_ok_and(is_over)).collect()
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
    /// [`RotationError::UnderWay`] if an authority waits for its time already.
    pub fn check_none_waits(&self, now: Timestamp) -> Result<(), RotationError> {
        let Some((index, signs_from)) = self.schedule().waiting(now) else { return Ok(()) };
        Err(RotationError::UnderWay { id: self.authority(index).id().to_owned(), signs_from })
    }

    /// A successor takes over as long as the authority before it can sign.
    ///
    /// # Errors
    /// [`RotationError::TooLate`] if that one couldn't until `signs_from`.
    pub fn check_activation(&self, signs_from: Timestamp, now: Timestamp) -> Result<(), RotationError> {
        let schedule = self.schedule();
        let latest = schedule.latest_activation(now);
        match schedule.active(now).or_else(|| schedule.last()) {
            Some(index) if latest < signs_from => Err(RotationError::TooLate {
                id: self.authority(index).id().to_owned(),
                not_after: self.authority(index).not_after(),
                signs_from,
                latest,
            }),
            _ => Ok(()),
        }
    }

    fn check_removable(&self, id: &str, now: Timestamp) -> Result<(), RotationError> {
        let window = self.schedule().windows()[self.position(id)?];
        let (until, why) = match window.phase(now) {
            Phase::Removable if window.trusted_until.is_some() => return Ok(()),
            Phase::Removable => (None, "it has expired, and no other has taken over from it"),
            Phase::Retiring(until) => (
                Some(until),
                "until then pods may hold certificates of it, which others could no longer verify",
            ),
            Phase::Active => (window.trusted_until, "it is the one that signs"),
            Phase::Prepared(_) => {
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

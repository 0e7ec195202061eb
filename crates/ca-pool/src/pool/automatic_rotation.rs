//! Automatic rotation: what is due at a given time.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    ACTIVATION_GRACE, BUNDLE_PROPAGATION, CaPool, PoolWarning, RootPublication, RotationError, RotationPlan,
    schedule::{earlier, later},
};
use crate::{
    authority::{
        AuthorityError, CaCertificate, CertificateAuthority, NewRoot, SerialNumber, SigningKey,
        SigningKeyType, root_common_name,
    },
    names::{CommonNameError, SignerName, Uri},
};

/// The pool's field that tells people who rotates it. It decides nothing.
pub(super) const ROTATION: &str = "Rotation";
const AUTOMATIC: &str = "automatic";

/// How a pool is rotated without people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomaticRotation {
    /// Whose pool it is; the subjects of its CAs say so.
    pub signer: SignerName,
    /// The URI in new roots, if there is to be one.
    pub root_uri: Option<Uri>,
    /// The type of new CAs' keys.
    pub key_type: SigningKeyType,
    /// How long a new CA is valid.
    pub validity: Duration,
    /// The longest lifetime that the signer gives a leaf.
    pub max_leaf_lifetime: Duration,
    /// How long a successor waits before it signs, so that whatever reads trust anchors knows it;
    /// [`BUNDLE_PROPAGATION`] at least. The first CA of a pool doesn't wait, nor does one that follows a CA
    /// which can't sign any more.
    pub propagation: Duration,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// The pool is empty: the first CA.
    First,
    /// The CA that signs has a third of its life left: its successor.
    Successor,
    /// Nothing needs these any more.
    Removal(Vec<String>),
    /// The signer gives longer lifetimes than the pool records.
    LongerLeaves,
    /// Its generations aren't counted yet, so that nobody could tell a wrong pool from this one.
    Generation,
}

/// Why a pool can't be kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AutomaticRotationError {
    /// The pool doesn't take the change.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// There is no new CA.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The subject can't be made.
    #[error(transparent)]
    Subject(#[from] CommonNameError),
}

/// What chance gives to a new CA.
#[derive(Debug)]
pub struct NewCaMaterial {
    /// Its key.
    pub key: SigningKey,
    /// For its serial number.
    pub serial: [u8; 16],
    /// For its subject.
    pub unique: [u8; 4],
}

impl AutomaticRotation {
    /// A year.
    pub const DEFAULT_VALIDITY: Duration = Duration::from_secs(365 * 24 * 3600);

    /// A day: what reads its trust anchors when its certificate is refreshed (that is as long as the default
    /// lifetime, twice the time to a refresh) has read them by then, as has what reads them each day, and
    /// people see for a day who signs next. It costs nothing, as a successor comes months before it is
    /// needed.
    pub const DEFAULT_PROPAGATION: Duration = Duration::from_secs(24 * 3600);

    /// The longest time that a successor may wait, where CAs are valid for so long: half of what is left of a
    /// CA when it gets a successor. The other half is for what may go wrong.
    #[must_use]
    pub fn longest_propagation(validity: Duration) -> Duration {
        Duration::from_secs(validity.as_secs() / 6)
    }

    /// What is due for a pool, `None` being an empty one; `publication` tells how a root stands in the
    /// published bundle.
    #[must_use]
    pub fn due(
        &self,
        pool: Option<&CaPool>,
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Due {
        let Some(pool) = pool else { return Due::First };
        let removable = pool.removable_as_published(now, publication);
        if !removable.is_empty() && removable.len() < pool.authorities().count() {
            return Due::Removal(removable.into_iter().map(str::to_owned).collect());
        }
        if self.needs_successor(pool, now) && not_ours(pool).is_none() {
            return Due::Successor;
        }
        if pool.schedule().windows().iter().any(|window| self.is_longer_than(window.max_leaf_lifetime)) {
            return Due::LongerLeaves;
        }
        if pool.generation() == 0 { Due::Generation } else { Due::Nothing }
    }

    /// What has to be done about a pool, and isn't without people.
    #[must_use]
    pub fn warning(&self, pool: &CaPool, now: Timestamp) -> Option<PoolWarning> {
        let authority = not_ours(pool).filter(|_| self.needs_successor(pool, now))?;
        Some(PoolWarning::NotSucceeded {
            authority: authority.to_string(),
            not_after: authority.not_after(),
            root: authority.root().subject(),
        })
    }

    /// Does what is due; `material` are asked for only where a new CA is.
    ///
    /// # Errors
    /// If the new CA can't be made, or the pool doesn't take it.
    pub fn apply<E: From<AutomaticRotationError>>(
        &self,
        due: &Due,
        pool: Option<CaPool>,
        now: Timestamp,
        material: impl FnOnce() -> Result<NewCaMaterial, E>,
    ) -> Result<Option<CaPool>, E> {
        if *due == Due::Nothing {
            return Ok(pool);
        }
        Ok(self.changed(due, pool, now, material)?.map(CaPool::with_automatic_rotation))
    }

    fn changed<E: From<AutomaticRotationError>>(
        &self,
        due: &Due,
        pool: Option<CaPool>,
        now: Timestamp,
        material: impl FnOnce() -> Result<NewCaMaterial, E>,
    ) -> Result<Option<CaPool>, E> {
        let rotation = |error: RotationError| E::from(error.into());
        match (due, pool) {
            (Due::Nothing, pool) => Ok(pool),
            (Due::First, _) | (Due::Successor, None) => {
                let first = self.new_root("1", material()?, now).map_err(E::from)?;
                CaPool::first(first, self.max_leaf_lifetime).map(Some).map_err(|error| rotation(error.into()))
            }
            (Due::Successor, Some(pool)) => {
                let successor = self.new_root(&pool.next_id(), material()?, now).map_err(E::from)?;
                let rotation_plan = RotationPlan {
                    signs_from: self.activation_of_successor(&pool, now),
                    max_leaf_lifetime: Some(self.max_leaf_lifetime),
                    predecessor_max_leaf_lifetime: None,
                };
                pool.with_successor(successor, rotation_plan, now).map(Some).map_err(rotation)
            }
            (Due::Removal(ids), Some(pool)) => {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                pool.without(&ids, now).map(Some).map_err(rotation)
            }
            (Due::LongerLeaves, Some(pool)) => Ok(Some(pool.with_longest_leaf(self.max_leaf_lifetime, now))),
            (Due::Generation, Some(pool)) => Ok(Some(pool.counted(now))),
            (Due::Removal(_) | Due::LongerLeaves | Due::Generation, None) => Ok(None),
        }
    }

    /// A third of its life before the last CA ends, unless it waits already. That leaves months, and at least
    /// the time in which the successor gets known.
    fn needs_successor(&self, pool: &CaPool, now: Timestamp) -> bool {
        let schedule = pool.schedule();
        if schedule.waiting(now).is_some() {
            return false;
        }
        let Some(last) = schedule.signed_up_to(now).map(|last| schedule.windows()[last]) else { return true };
        let life = last.not_after.duration_since(last.not_before).unsigned_abs();
        let left = last.not_after.duration_since(now);
        let least =
            self.max_leaf_lifetime.saturating_add(self.propagation).saturating_add(BUNDLE_PROPAGATION);
        left.is_negative() || left.unsigned_abs() < (life / 3).max(least.min(life / 2))
    }

    /// When whatever reads trust anchors knows its root; sooner where the CA that signs has been left too
    /// little, so that it can go on if that root gets known late; at once where it has expired.
    fn activation_of_successor(&self, pool: &CaPool, now: Timestamp) -> Timestamp {
        let schedule = pool.schedule();
        let Some(active) = schedule.active(now) else { return now };
        let in_good_time = earlier(schedule.windows()[active].until, ACTIVATION_GRACE);
        later(now, self.propagation).min(in_good_time).max(later(now, BUNDLE_PROPAGATION))
    }

    fn is_longer_than(&self, recorded: Option<Duration>) -> bool {
        recorded.is_some_and(|recorded| recorded < self.max_leaf_lifetime)
    }

    pub(super) fn new_root(
        &self,
        id: &str,
        with: NewCaMaterial,
        now: Timestamp,
    ) -> Result<CertificateAuthority, AutomaticRotationError> {
        let common_name = root_common_name(self.signer.as_str(), id, with.unique)?;
        let root =
            NewRoot { id: id.to_owned(), common_name, uri: self.root_uri.clone(), validity: self.validity };
        Ok(CertificateAuthority::new_root(root, with.key, SerialNumber::from_random(with.serial), now)?)
    }
}

impl CaPool {
    /// Whether the pool was written by a manager that keeps it (`rotation: automatic`).
    #[must_use]
    pub fn is_rotated_automatically(&self) -> bool {
        self.further.get(ROTATION).and_then(Value::as_str) == Some(AUTOMATIC)
    }

    fn with_automatic_rotation(mut self) -> Self {
        self.further.insert(ROTATION.to_owned(), AUTOMATIC.into());
        self
    }
}

/// The CA that would get a successor, if its root is another's.
fn not_ours(pool: &CaPool) -> Option<&CertificateAuthority> {
    let last = pool.authority(pool.schedule().last()?);
    last.is_intermediate().then_some(last)
}

#[cfg(test)]
mod tests;

//! A pool that keeps itself: what is due at a given time.

use std::time::Duration;

use jiff::Timestamp;

use super::{CaPool, PROPAGATION, Phase, RotationError, Succession, phases};
use crate::{
    authority::{
        AuthorityError, CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType,
        root_common_name,
    },
    names::CommonNameError,
    signer_name::SignerName,
};

/// How a pool keeps itself without people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// Whose pool it is; the subjects of its CAs say so.
    pub signer: SignerName,
    /// The type of new CAs' keys.
    pub key_type: SigningKeyType,
    /// How long a new CA is valid.
    pub validity: Duration,
    /// The longest lifetime that the signer gives a leaf.
    pub longest_leaf: Duration,
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
pub enum UpkeepError {
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
pub struct Ingredients {
    /// Its key.
    pub key: SigningKey,
    /// For its serial number.
    pub serial: [u8; 16],
    /// For its subject.
    pub unique: [u8; 4],
}

impl Upkeep {
    /// A year.
    pub const DEFAULT_VALIDITY: Duration = Duration::from_secs(365 * 24 * 3600);

    /// What is due for a pool, `None` being an empty one.
    #[must_use]
    pub fn due(&self, pool: Option<&CaPool>, now: Timestamp) -> Due {
        let Some(pool) = pool else { return Due::First };
        let removable = pool.removable(now);
        if !removable.is_empty() && removable.len() < pool.authorities().count() {
            return Due::Removal(removable.into_iter().map(str::to_owned).collect());
        }
        if self.needs_successor(pool, now) {
            return Due::Successor;
        }
        if pool.tenures().iter().any(|tenure| self.is_longer_than(tenure.longest_leaf)) {
            return Due::LongerLeaves;
        }
        if pool.generation() == 0 { Due::Generation } else { Due::Nothing }
    }

    /// Does what is due; `ingredients` are asked for only where a new CA is.
    ///
    /// # Errors
    /// If the new CA can't be made, or the pool doesn't take it.
    pub fn apply<E: From<UpkeepError>>(
        &self,
        due: &Due,
        pool: Option<CaPool>,
        now: Timestamp,
        ingredients: impl FnOnce() -> Result<Ingredients, E>,
    ) -> Result<Option<CaPool>, E> {
        let rotation = |error: RotationError| E::from(error.into());
        match (due, pool) {
            (Due::Nothing, pool) => Ok(pool),
            (Due::First, _) | (Due::Successor, None) => {
                let first = self.new_root("1", ingredients()?, now).map_err(E::from)?;
                CaPool::first(first, self.longest_leaf).map(Some).map_err(|error| rotation(error.into()))
            }
            (Due::Successor, Some(pool)) => {
                let successor = self.new_root(&pool.next_id(), ingredients()?, now).map_err(E::from)?;
                let succession = Succession {
                    signs_from: turn_of_successor(&pool, now),
                    longest_leaf: Some(self.longest_leaf),
                    predecessors_longest_leaf: None,
                };
                pool.with_successor(successor, succession, now).map(Some).map_err(rotation)
            }
            (Due::Removal(ids), Some(pool)) => {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                pool.without(&ids, now).map(Some).map_err(rotation)
            }
            (Due::LongerLeaves, Some(pool)) => Ok(Some(pool.with_longest_leaf(self.longest_leaf, now))),
            (Due::Generation, Some(pool)) => Ok(Some(pool.counted(now))),
            (Due::Removal(_) | Due::LongerLeaves | Due::Generation, None) => Ok(None),
        }
    }

    /// A third of its life before the CA that signs ends, unless a successor waits already. That leaves months, and at least the time in which the successor
    /// gets known.
    fn needs_successor(&self, pool: &CaPool, now: Timestamp) -> bool {
        let phases = phases(&pool.tenures(), now);
        if phases.iter().any(|phase| matches!(phase, Phase::Trusted(Some(_)))) {
            return false;
        }
        let active = pool.authorities().zip(&phases).find(|(_, phase)| **phase == Phase::Active);
        let Some((active, _)) = active else { return true };
        let life = active.not_after().duration_since(active.not_before()).unsigned_abs();
        let left = active.not_after().duration_since(now);
        let least = self.longest_leaf.saturating_add(PROPAGATION * 2);
        left.is_negative() || left.unsigned_abs() < (life / 3).max(least.min(life / 2))
    }

    fn is_longer_than(&self, recorded: Option<Duration>) -> bool {
        recorded.is_some_and(|recorded| recorded < self.longest_leaf)
    }

    fn new_root(
        &self,
        id: &str,
        with: Ingredients,
        now: Timestamp,
    ) -> Result<CertificateAuthority, UpkeepError> {
        let common_name = root_common_name(self.signer.as_str(), id, with.unique)?;
        let root = NewRoot { id: id.to_owned(), common_name, validity: self.validity };
        Ok(CertificateAuthority::new_root(root, with.key, SerialNumber::from_random(with.serial), now)?)
    }
}

/// When its root is known everywhere; at once where none is left that could sign until then.
fn turn_of_successor(pool: &CaPool, now: Timestamp) -> Timestamp {
    let one_signs = phases(&pool.tenures(), now).contains(&Phase::Active);
    if one_signs { now.checked_add(PROPAGATION).unwrap_or(Timestamp::MAX) } else { now }
}

#[cfg(test)]
mod tests {
    use super::{super::Standing, *};

    const DAY: i64 = 24 * 3600;

    fn upkeep() -> Upkeep {
        Upkeep {
            signer: "example.com/a".parse().unwrap(),
            key_type: SigningKeyType::Ed25519,
            validity: Upkeep::DEFAULT_VALIDITY,
            longest_leaf: Duration::from_secs(24 * 3600),
        }
    }

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + day * DAY).unwrap()
    }

    fn ingredients() -> Result<Ingredients, UpkeepError> {
        let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
        Ok(Ingredients { key, serial: [9; 16], unique: [1, 2, 3, 4] })
    }

    /// Does what is due on each of these days, and tells what that was.
    fn live(upkeep: &Upkeep, pool: &mut Option<CaPool>, days: std::ops::Range<i64>) -> Vec<(i64, Due)> {
        let mut done = Vec::new();
        for day in days {
            let due = upkeep.due(pool.as_ref(), at(day));
            if due != Due::Nothing {
                *pool = upkeep.apply(&due, pool.take(), at(day), ingredients).unwrap();
                done.push((day, due));
            }
        }
        done
    }

    #[test]
    fn three_years_without_people() {
        let mut pool = None;
        let done = live(&upkeep(), &mut pool, 0..800);
        let expected = [
            (0, Due::First),
            (244, Due::Successor),
            (247, Due::Removal(vec!["1".into()])),
            (488, Due::Successor),
            (491, Due::Removal(vec!["2".into()])),
            (732, Due::Successor),
            (735, Due::Removal(vec!["3".into()])),
        ];
        assert_eq!(done, expected);
        assert_eq!(pool.unwrap().generation(), at(735).as_second().unsigned_abs());
    }

    #[test]
    fn a_longer_lifetime_is_recorded_before_it_is_given() {
        let mut pool = None;
        live(&upkeep(), &mut pool, 0..1);
        let longer = Upkeep { longest_leaf: Duration::from_secs(48 * 3600), ..upkeep() };
        assert_eq!(live(&longer, &mut pool, 1..3), [(1, Due::LongerLeaves)]);
        assert_eq!(pool.unwrap().tenures()[0].longest_leaf, Some(longer.longest_leaf));
    }

    #[test]
    fn generations_begin_to_be_counted_at_once() {
        let root = upkeep().new_root("1", ingredients().unwrap(), at(0)).unwrap();
        let mut pool = Some(CaPool::beginning_with(root, None, Some(upkeep().longest_leaf)).unwrap());
        assert_eq!(live(&upkeep(), &mut pool, 1..10), [(1, Due::Generation)]);
        assert_eq!(pool.unwrap().generation(), at(1).as_second().unsigned_abs());
    }

    #[test]
    fn an_expired_pool_gets_a_successor_that_signs_at_once() {
        let mut pool = None;
        live(&upkeep(), &mut pool, 0..1);
        assert_eq!(live(&upkeep(), &mut pool, 1000..1001), [(1000, Due::Successor)]);
        let choice = pool.unwrap().choose(at(1000), |_| Standing::Absent).unwrap();
        assert_eq!(choice.index, 1);
    }
}

//! The rules by which a pool lives, and variants of them that must not hold.

use jiff::Timestamp;

use crate::{
    manager::{allowed_changes, standing_in},
    trust_bundle::Published,
};
use ca_pool::{
    AutomaticRotation, CaCertificate, CaPool, Due, NoSigningCa, Phase, RootPublication, SigningCa,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// As they are.
    Real,
    /// A CA signs at its activation, whether its root has been published for a while or not.
    SignEarly,
    /// A CA that retires leaves the bundle before its last leaf has expired.
    PruneEarly,
    /// A replica takes no notice of what a newer version of the pool has settled.
    ForgetRetirement,
    /// A replica doesn't remember what a bundle that is gone was made of.
    ForgetBundle,
    /// A pool has no generations.
    NoGenerations,
    /// Whether the leaves of a CA have expired is told by the activation of its successor, however late that was
    /// published.
    SignByTheTurn,
    /// A CA that retires is removed without people when the activation of its successor tells so.
    RemoveByTheTurn,
    /// A replica decides by its machine's clock, whatever the API server's says.
    OwnClock,
}

impl Rules {
    pub(super) fn choose(self, published: &Published, pool: &CaPool, now: Timestamp) -> Option<SigningCa> {
        match self {
            Self::Real
            | Self::PruneEarly
            | Self::ForgetBundle
            | Self::NoGenerations
            | Self::OwnClock
            | Self::RemoveByTheTurn => published.choose(pool, now),
            Self::SignByTheTurn => match published.choose(pool, now) {
                Err(NoSigningCa::Spreading { .. }) => {
                    let gone = pool.removable(now);
                    let is_gone = |root: &CaCertificate| {
                        pool.authorities().any(|ca| ca.root() == root && gone.contains(&ca.id()))
                    };
                    pool.choose(now, |root| match published.since(root) {
                        _ if is_gone(root) => RootPublication::Dropped,
                        since => since.map_or(RootPublication::Absent, RootPublication::Since),
                    })
                }
                other => other,
            },
            Self::SignEarly => pool.choose(now, |_| RootPublication::Since(Timestamp::UNIX_EPOCH)),
            Self::ForgetRetirement => pool.choose(now, |root| {
                published.since(root).map_or(RootPublication::Absent, RootPublication::Since)
            }),
        }
        .ok()
    }

    /// The IDs of the CAs that may go.
    pub(super) fn prunable(self, pool: &CaPool, now: Timestamp) -> Vec<String> {
        if self != Self::PruneEarly {
            return pool.removable(now).into_iter().map(str::to_owned).collect();
        }
        let phases = pool.schedule().phases(now);
        let retiring =
            pool.authorities().zip(phases).filter(|(_, phase)| matches!(phase, Phase::Retiring(_)));
        retiring.map(|(authority, _)| authority.id().to_owned()).collect()
    }

    /// The IDs of the CAs that go without people.
    pub(super) fn removed(
        self,
        automatic_rotation: &AutomaticRotation,
        pool: &CaPool,
        published: &Published,
        now: Timestamp,
    ) -> Vec<String> {
        let publication = |root: &CaCertificate| match self {
            Self::RemoveByTheTurn => RootPublication::Since(Timestamp::UNIX_EPOCH),
            _ => standing_in(Some(published))(root),
        };
        match allowed_changes(
            automatic_rotation.due(Some(pool), now, publication),
            Some(pool),
            Some(published),
            now,
        ) {
            Ok(Due::Removal(ids)) => ids,
            _ => Vec::new(),
        }
    }

    /// The pool as it is stored.
    pub(super) fn stored(self, pool: CaPool) -> CaPool {
        if self != Self::NoGenerations {
            return pool;
        }
        let mut document: serde_json::Value = serde_json::from_slice(&pool.to_json().unwrap()).unwrap();
        document["Generation"] = 0.into();
        CaPool::from_json(document.to_string().as_bytes()).unwrap()
    }
}

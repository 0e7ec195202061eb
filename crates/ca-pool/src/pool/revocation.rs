//! A key has leaked: its authority leaves at once, and with it all that its root vouches for.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    BUNDLE_PROPAGATION, CaPool, Member, Phase, PoolError, RotationError, SigningWindow,
    lifecycle::{later, was_activated},
    phases,
    rotation::next_generation,
};
use crate::{
    authority::{CaCertificate, CertificateAuthority},
    issuance::Terms,
};

/// The pool's field that says from which generation on anchors that no CA of it has are revoked. Versions
/// that don't know it keep it.
pub(super) const REVOKED: &str = "UnknownAnchorsRevokedFrom";

/// Who signs when a compromised authority has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplacementCa {
    /// The one that signs already.
    Active(String),
    /// The one that waits for its turn, which comes at once then.
    Waiting(String),
    /// Nobody: a new one is needed.
    None,
}

impl CaPool {
    /// The authorities that leave with a compromised one: itself, and those under the same root. As long as
    /// that root is trusted, so is whatever was signed with the leaked key, by way of the certificate that
    /// the root gave it.
    ///
    /// # Errors
    /// If the pool has no authority of that ID.
    pub fn leave_with(&self, compromised: &str) -> Result<Vec<&str>, RotationError> {
        let root = self.authority(self.position(compromised)?).root();
        let leaving = self.authorities().filter(|authority| authority.root() == root);
        Ok(leaving.map(CertificateAuthority::id).collect())
    }

    /// Who signs without a compromised authority and those that leave with it. One that can't sign even the
    /// shortest leaf now is nobody's replacement.
    ///
    /// # Errors
    /// If the pool has no authority of that ID.
    pub fn next_without(&self, compromised: &str, now: Timestamp) -> Result<ReplacementCa, RotationError> {
        let leaving = self.leave_with(compromised)?;
        let phases = phases(&self.signing_windows(), now);
        let can_sign = |authority: &CertificateAuthority| {
            authority.not_before() <= now && later(now, Terms::LEAST_LIFETIME) <= authority.not_after()
        };
        let staying = || {
            let all = self.authorities().zip(&phases);
            all.filter(|(authority, _)| !leaving.contains(&authority.id()) && can_sign(authority))
        };
        let id = |(authority, _): (&CertificateAuthority, &Phase)| authority.id().to_owned();
        let active = staying().find(|(_, phase)| **phase == Phase::Active).map(id);
        let waiting = || staying().find(|(_, phase)| matches!(phase, Phase::Trusted(Some(_)))).map(id);
        Ok(active
            .map(ReplacementCa::Active)
            .or_else(|| waiting().map(ReplacementCa::Waiting))
            .unwrap_or(ReplacementCa::None))
    }

    /// Removes a compromised authority, and those under the same root, at once; their leaves are refused as
    /// soon as pods have the new bundle. A replacement, or else the authority that waits for its turn, signs
    /// from now on; or, where another that retires can sign meanwhile, once pods know it. Anchors that no CA
    /// of the pool has are revoked too ([`revokes_unknown_anchors`](Self::revokes_unknown_anchors)).
    ///
    /// # Errors
    /// If the pool has no authority of that ID, if nobody would sign, or if the replacement is under the same
    /// root or has the ID or key of another.
    pub fn without_compromised(
        self,
        id: &str,
        replacement: Option<(CertificateAuthority, Option<Duration>)>,
        now: Timestamp,
    ) -> Result<Self, RotationError> {
        let root = self.authority(self.position(id)?).root().clone();
        let next = self.next_without(id, now)?;
        let Self { mut members, generation, mut further } = self;
        members.retain(|member| *member.authority.root() != root);
        let turn = turn(&members, now);
        match (replacement, next) {
            (Some((authority, max_leaf_lifetime)), _) => {
                check_root(id, &root, &authority)?;
                members.push(Member { signs_from: Some(turn), max_leaf_lifetime, ..Member::from(authority) });
            }
            (None, ReplacementCa::Active(_)) => {}
            (None, ReplacementCa::Waiting(next)) => {
                let waiting = members.iter_mut().filter(|member| member.authority.id() == next);
                waiting.for_each(|member| member.signs_from = member.signs_from.min(Some(turn)));
            }
            (None, ReplacementCa::None) => return Err(RotationError::NoReplacement { id: id.to_owned() }),
        }
        let generation = next_generation(generation, now);
        further.insert(REVOKED.to_owned(), generation.into());
        Ok(Self::of_members(members, generation, further)?)
    }

    /// Whether anchors that the published bundle retains, though no CA of the pool has them, are revoked: who
    /// had the leaked key may have planted them.
    #[must_use]
    pub fn revokes_unknown_anchors(&self) -> bool {
        let from = self.further.get(REVOKED).and_then(Value::as_u64).unwrap_or(0);
        (1..=self.generation).contains(&from)
    }

    /// The same pool, after an emergency in which unknown anchors aren't revoked: pods may have good
    /// certificates of a CA that was replaced outright.
    #[must_use]
    pub fn with_unknown_anchors(mut self) -> Self {
        self.further.remove(REVOKED);
        self
    }
}

/// Refuses a field that would be passed over: then a planted anchor would stay.
pub(super) fn check_revocation(further: &Map<String, Value>) -> Result<(), PoolError> {
    match further.get(REVOKED) {
        Some(value) if !value.is_u64() => Err(PoolError::BadRevocation { field: REVOKED }),
        _ => Ok(()),
    }
}

/// From when on a CA signs that takes over in an emergency: where one is left that has signed before, and
/// that pods trust, once they know the new one too. So the pool says who signs meanwhile.
fn turn(left: &[Member], now: Timestamp) -> Timestamp {
    let signing_windows: Vec<SigningWindow> = left.iter().map(Member::signing_window).collect();
    let known = later(now, BUNDLE_PROPAGATION);
    let can_sign_meanwhile = (0..signing_windows.len()).any(|index| {
        was_activated(&signing_windows, index, now)
            && signing_windows[index].not_before <= now
            && known <= signing_windows[index].can_sign_until()
    });
    if can_sign_meanwhile { known } else { now }
}

fn check_root(
    id: &str,
    root: &CaCertificate,
    replacement: &CertificateAuthority,
) -> Result<(), RotationError> {
    if replacement.root() == root {
        return Err(RotationError::CompromisedRoot { id: id.to_owned(), root: root.subject() });
    }
    Ok(())
}

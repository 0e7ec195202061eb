//! A key has leaked: its authority leaves at once, and with it all that its root vouches for.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    BUNDLE_PROPAGATION, CaPool, Member, Phase, PoolError, RotationError,
    rotation::next_generation,
    schedule::{Retirement, SHORTEST_LEAF, earlier, later},
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
    /// The one that waits, which signs at once then.
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
        let phases = self.schedule().phases(now);
        let can_sign = |authority: &CertificateAuthority| {
            authority.not_before() <= now && later(now, Terms::LEAST_LIFETIME) <= authority.not_after()
        };
        let staying = || {
            let all = self.authorities().zip(&phases);
            all.filter(|(authority, _)| !leaving.contains(&authority.id()) && can_sign(authority))
        };
        let id = |(authority, _): (&CertificateAuthority, &Phase)| authority.id().to_owned();
        let active = staying().find(|(_, phase)| **phase == Phase::Active).map(id);
        let waiting = || staying().find(|(_, phase)| matches!(phase, Phase::Prepared(Some(_)))).map(id);
        Ok(active
            .map(ReplacementCa::Active)
            .or_else(|| waiting().map(ReplacementCa::Waiting))
            .unwrap_or(ReplacementCa::None))
    }

    /// Removes a compromised authority, and those under the same root, at once; their leaves are refused as
    /// soon as pods have the new bundle. A replacement, or else the authority that waits, signs from
    /// now on; or, where another that retires can sign meanwhile, once pods know it. Anchors that no CA
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
        match (replacement, next) {
            (Some((authority, max_leaf_lifetime)), _) => {
                check_root(id, &root, &authority)?;
                go_on_until_known(&mut members, now);
                members.push(Member { max_leaf_lifetime, ..Member::from(authority) });
            }
            (None, ReplacementCa::Active(_)) => {}
            (None, ReplacementCa::Waiting(next)) => {
                let waiting = members.iter().position(|member| member.authority.id() == next);
                go_on_until_known(&mut members[..waiting.unwrap_or(0)], now);
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

/// Where one is left that has signed before, and that pods trust, it signs until they know the one that takes
/// over in an emergency. So the pool says who signs meanwhile.
fn go_on_until_known(left: &mut [Member], now: Timestamp) {
    let known = later(now, BUNDLE_PROPAGATION);
    let has_signed = |member: &Member| {
        let is_trusted = |end: Retirement| end.signs_until <= now && now < end.trusted_until;
        let authority = &member.authority;
        member.retirement.is_none_or(is_trusted)
            && authority.not_before() <= now
            && known <= earlier(authority.not_after(), SHORTEST_LEAF)
    };
    if let Some(member) = left.iter_mut().rfind(|member| has_signed(member)) {
        let trusted_until = member.retirement.map(|retirement| retirement.trusted_until);
        let retirement = member.recorded().retiring(known);
        let trusted_until = retirement.trusted_until.max(trusted_until.unwrap_or(Timestamp::MIN));
        member.retirement = Some(Retirement { trusted_until, ..retirement });
    }
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

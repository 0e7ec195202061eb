//! How a pool stands: all that is to be said of its CAs, in one place.

use std::time::Duration;

use jiff::Timestamp;

use super::{CaPool, Finding, Fitness, PoolWarning};
use crate::{
    authority::CertificateAuthority,
    issuance::{IssueError, Terms},
};

/// How a pool stands at a moment. `/readyz`, `signerctl ca-pool show` and `signer-manager check-config` tell
/// it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Assessment {
    /// Why none of the CAs that are of use can sign, if none can.
    pub exhausted: Option<IssueError>,
    /// What verifiers and the API server refuse of the CAs, the gravest first.
    pub findings: Vec<Finding>,
    /// Whether nothing that is issued is of use, and no other CA can sign in its place.
    pub is_outage: bool,
    /// What is wrong, or soon will be, with the times of each CA, by its position.
    pub warnings: Vec<(usize, PoolWarning)>,
}

impl CaPool {
    /// Assesses the pool for a signer with this `maxLifetime`; where the signer isn't known, what the pool
    /// records counts as right.
    #[must_use]
    pub fn assess(&self, fitness: &Fitness, max_lifetime: Option<Duration>, now: Timestamp) -> Assessment {
        let findings = self.findings(fitness, now);
        let is_outage = findings.first().is_some_and(Finding::is_outage)
            && !self.of_use(fitness).any(|authority| can_sign(authority, now));
        let schedule = self.schedule();
        let warnings = schedule.windows().iter().enumerate().filter_map(|(index, window)| {
            let recorded = || window.max_leaf_lifetime.unwrap_or(Terms::DEFAULT_MAX_LIFETIME);
            Some((index, self.warning(index, now, max_lifetime.unwrap_or_else(recorded))?))
        });
        Assessment {
            exhausted: self.exhausted(fitness, now),
            is_outage,
            warnings: warnings.collect(),
            findings,
        }
    }

    fn exhausted(&self, fitness: &Fitness, now: Timestamp) -> Option<IssueError> {
        let of_use: Vec<_> = self.of_use(fitness).collect();
        let candidates = if of_use.is_empty() { self.authorities().collect() } else { of_use };
        if candidates.iter().any(|authority| can_sign(authority, now)) {
            return None;
        }
        let last = candidates.into_iter().max_by_key(|authority| authority.not_after())?;
        let (authority, not_before, not_after) = (last.to_string(), last.not_before(), last.not_after());
        Some(if now < not_before {
            IssueError::AuthorityNotYetValid { authority, not_before }
        } else {
            IssueError::AuthorityExpiring { authority, not_after }
        })
    }
}

/// Whether it is valid, and for long enough for the shortest leaf.
fn can_sign(authority: &CertificateAuthority, now: Timestamp) -> bool {
    let least = now.checked_add(Terms::LEAST_LIFETIME).unwrap_or(Timestamp::MAX);
    authority.not_before() <= now && least <= authority.not_after()
}

#[cfg(test)]
mod tests;

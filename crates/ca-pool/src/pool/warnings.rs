//! What is wrong, or soon will be, with a pool that loads.

use std::time::Duration;

use jiff::Timestamp;

use super::{CaPool, Phase, near};
use crate::{authority::CertificateAuthority, duration::format_duration};

/// What is wrong, or soon will be, with a pool that loads. Each message names the CA, the rule and the
/// remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolWarning {
    /// A CA that should sign has expired.
    #[error(
        "{authority} expired at {not_after}, or a certificate above it did; replace it with `signerctl ca-pool {}`", remedy.command()
    )]
    Expired {
        /// The CA.
        authority: String,
        /// What replaces it.
        remedy: Remedy,
        /// When.
        not_after: Timestamp,
    },
    /// A CA isn't valid at the time from which on it should sign.
    #[error(
        "{authority} isn't valid before {not_before}, though it has to sign before that; wait, or check the clock of the machine that made it"
    )]
    NotYetValid {
        /// The CA.
        authority: String,
        /// From when on it is.
        not_before: Timestamp,
    },
    /// The CA that signs has less left than a certificate may live, and nobody follows.
    #[error(
        "{authority} ends at {not_after}, sooner than its certificates of {} would: they get shorter from now on, until none can be issued. \
         Add a successor with `signerctl ca-pool {}`", format_duration(*.max_leaf_lifetime), remedy.command()
    )]
    Ending {
        /// The CA.
        authority: String,
        /// What adds one.
        remedy: Remedy,
        /// When it, or a certificate above it, ends.
        not_after: Timestamp,
        /// The lifetime that its certificates would have.
        max_leaf_lifetime: Duration,
    },
    /// The CA that signs has less left than a certificate may live, and will have a successor before it can't
    /// sign any more.
    #[error(
        "{authority} ends at {not_after}, sooner than its certificates of {} would: they get shorter until the next CA signs, at {until}",
        format_duration(*.max_leaf_lifetime)
    )]
    Shortened {
        /// The CA.
        authority: String,
        /// When it, or a certificate above it, ends.
        not_after: Timestamp,
        /// The lifetime that its certificates would have.
        max_leaf_lifetime: Duration,
        /// When its successor signs.
        until: Timestamp,
    },
    /// No CA signs yet, nor will one soon.
    #[error(
        "nobody can sign before {from}, when {authority} becomes active; add one that signs until then with `signerctl ca-pool {}`", remedy.command()
    )]
    NobodyYet {
        /// The CA that signs first.
        authority: String,
        /// What adds one.
        remedy: Remedy,
        /// When it comes.
        from: Timestamp,
    },
    /// Automatic rotation doesn't replace a root that is another's.
    #[error(
        "{authority} ends at {not_after} and needs a successor. It is an intermediate under {root}, and whoever trusts that root alone would refuse a root that is \
         made here, so none is: add a CA under that root with `signerctl ca-pool import`, or take leave of that root with `signerctl ca-pool rotate --self-signed`"
    )]
    NotSucceeded {
        /// The CA.
        authority: String,
        /// When it, or a certificate above it, ends.
        not_after: Timestamp,
        /// The subject of its root.
        root: String,
    },
    /// The signer would give longer lifetimes than the pool has settled.
    #[error(
        "maxLifetime is {}, and {authority} gives {} at most, as its pool records; a successor made with `signerctl ca-pool rotate \
         --max-lifetime {}` gives more", format_duration(*.max_lifetime), format_duration(*.max_leaf_lifetime), format_duration(*.max_lifetime)
    )]
    Limited {
        /// The CA.
        authority: String,
        /// The signer's limit.
        max_lifetime: Duration,
        /// The pool's.
        max_leaf_lifetime: Duration,
    },
}

/// How a CA is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// `signerctl ca-pool rotate` makes a root.
    Rotate,
    /// `signerctl ca-pool import`: an intermediate is followed by another one that its root has signed.
    Import,
}

impl Remedy {
    fn of(authority: &CertificateAuthority) -> Self {
        if authority.is_intermediate() { Self::Import } else { Self::Rotate }
    }

    /// The subcommand of `signerctl ca-pool`.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Import => "import",
        }
    }
}

impl CaPool {
    /// What is wrong with the authority at a position of the pool.
    pub(super) fn warning(
        &self,
        index: usize,
        now: Timestamp,
        max_lifetime: Duration,
    ) -> Option<PoolWarning> {
        let schedule = self.schedule();
        let window = schedule.windows()[index];
        let phase = window.phase(now);
        let starts = match phase {
            Phase::Prepared(None) | Phase::Retiring(_) => return None,
            Phase::Removable if window.trusted_until.is_some() => return None,
            Phase::Prepared(Some(from)) => from,
            Phase::Active | Phase::Removable => now,
        };
        let (authority, remedy) = (self.authority(index).to_string(), Remedy::of(self.authority(index)));
        let not_after = window.not_after;
        if index == 0 && near(now) < starts {
            return Some(PoolWarning::NobodyYet { authority, remedy, from: starts });
        }
        if not_after < starts {
            return Some(PoolWarning::Expired { authority, remedy, not_after });
        }
        let comes_too_late = |before: usize| schedule.windows()[before].until.max(near(now)) < starts;
        if starts < window.not_before || index.checked_sub(1).is_some_and(comes_too_late) {
            return Some(PoolWarning::NotYetValid { authority, not_before: window.not_before });
        }
        let max_leaf_lifetime =
            window.max_leaf_lifetime.map_or(max_lifetime, |longest| longest.min(max_lifetime));
        if not_after.duration_since(starts).unsigned_abs() < max_leaf_lifetime {
            return Some(match schedule.successor(index) {
                Some(_) => {
                    PoolWarning::Shortened { authority, not_after, max_leaf_lifetime, until: window.until }
                }
                None => PoolWarning::Ending { authority, remedy, not_after, max_leaf_lifetime },
            });
        }
        let is_limited = phase == Phase::Active && max_leaf_lifetime < max_lifetime;
        is_limited.then_some(PoolWarning::Limited { authority, max_lifetime, max_leaf_lifetime })
    }
}

#[cfg(test)]
mod tests;

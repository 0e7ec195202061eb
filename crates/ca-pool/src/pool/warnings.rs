//! What is wrong, or soon will be, with a pool that loads.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    CaPool, Phase,
    lifecycle::{latest, near},
    phases, replaced_at,
};
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
        "{authority} isn't valid before {not_before}, though its turn to sign comes before that; wait, or check the clock of the machine that made it"
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
        /// When its successor's turn comes.
        until: Timestamp,
    },
    /// A CA can't sign any more when the turn of the next one comes.
    #[error(
        "{authority} ends at {not_after} and can't sign after {last}, and the next one, CA {next:?}, doesn't sign before {until:.0}: in between nobody can. \
         Add one that signs in between with `signerctl ca-pool {}`", remedy.command()
    )]
    Gap {
        /// The CA.
        authority: String,
        /// What adds one.
        remedy: Remedy,
        /// When it, or a certificate above it, ends.
        not_after: Timestamp,
        /// Until when it can sign.
        last: Timestamp,
        /// The ID of the one whose turn comes next.
        next: String,
        /// When that turn comes.
        until: Timestamp,
    },
    /// No CA's turn has come, nor will it soon.
    #[error(
        "nobody can sign before {from}, when the turn of {authority} comes; add one that signs until then with `signerctl ca-pool {}`", remedy.command()
    )]
    NobodyYet {
        /// The CA whose turn comes first.
        authority: String,
        /// What adds one.
        remedy: Remedy,
        /// When it comes.
        from: Timestamp,
    },
    /// A pool that keeps itself doesn't take leave of a root that is another's.
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
    /// What is wrong with the authorities that sign, or are to sign, for a signer with this `maxLifetime`.
    #[must_use]
    pub fn warnings(&self, now: Timestamp, max_lifetime: Duration) -> Vec<PoolWarning> {
        (0..self.members.len()).filter_map(|index| self.warning(index, now, max_lifetime)).collect()
    }

    /// What is wrong with the authority at a position of the pool.
    ///
    /// # Panics
    /// If the pool has no such position.
    #[must_use]
    pub fn warning(&self, index: usize, now: Timestamp, max_lifetime: Duration) -> Option<PoolWarning> {
        let signing_windows = self.signing_windows();
        let (phase, signing_window) = (phases(&signing_windows, now)[index], signing_windows[index]);
        let next = replaced_at(&signing_windows, index);
        let remedy = Remedy::of(self.authority(index));
        let turn = match phase {
            Phase::Trusted(None) | Phase::Retiring(_) => return None,
            Phase::Gone if next.is_some_and(|next| next <= now) => return None,
            Phase::Trusted(Some(from)) => from,
            Phase::Active | Phase::Gone => now,
        };
        if let Some(until) = next.filter(|next| *next > signing_window.can_sign_until().max(near(now))) {
            return Some(self.gap(index, until));
        }
        if let Some(from) = self.is_first_of_all(index, now).then_some(turn).filter(|from| *from > near(now))
        {
            return Some(PoolWarning::NobodyYet {
                authority: self.authority(index).to_string(),
                remedy,
                from,
            });
        }
        let (authority, not_after) = (self.authority(index).to_string(), signing_window.not_after);
        let max_leaf_lifetime =
            signing_window.max_leaf_lifetime.map_or(max_lifetime, |longest| longest.min(max_lifetime));
        if not_after < turn {
            // whoever follows within minutes is waited for
            let is_followed = phase == Phase::Gone && next.is_some();
            return (!is_followed).then_some(PoolWarning::Expired { authority, remedy, not_after });
        }
        if turn < signing_window.not_before {
            return Some(PoolWarning::NotYetValid { authority, not_before: signing_window.not_before });
        }
        if not_after.duration_since(turn).unsigned_abs() < max_leaf_lifetime {
            return Some(match next {
                Some(until) => PoolWarning::Shortened { authority, not_after, max_leaf_lifetime, until },
                None => PoolWarning::Ending { authority, remedy, not_after, max_leaf_lifetime },
            });
        }
        let is_limited = phase == Phase::Active && max_leaf_lifetime < max_lifetime;
        is_limited.then_some(PoolWarning::Limited { authority, max_lifetime, max_leaf_lifetime })
    }

    /// Whether its turn comes first in a pool of which no CA has had its turn.
    fn is_first_of_all(&self, index: usize, now: Timestamp) -> bool {
        let signing_windows = self.signing_windows();
        let first = signing_windows.iter().filter_map(|signing_window| signing_window.signs_from).min();
        latest(&signing_windows, now).is_none() && first == signing_windows[index].signs_from
    }

    fn gap(&self, index: usize, until: Timestamp) -> PoolWarning {
        let signing_windows = self.signing_windows();
        let next = signing_windows.iter().position(|signing_window| signing_window.signs_from == Some(until));
        PoolWarning::Gap {
            authority: self.authority(index).to_string(),
            remedy: Remedy::of(self.authority(index)),
            not_after: signing_windows[index].not_after,
            last: signing_windows[index].can_sign_until(),
            next: next.map_or_else(String::new, |next| self.authority(next).id().to_owned()),
            until,
        }
    }
}

#[cfg(test)]
mod tests;

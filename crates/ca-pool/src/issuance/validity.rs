//! When a certificate is valid, and when it is refreshed.
//!
//! All times are whole seconds: the API server compares those in the status with those in the leaf, which has
//! no smaller unit.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{IssueError, LifetimeLimit, Terms};
use crate::{
    authority::CertificateAuthority,
    leaf::{Leaf, Refresh},
};

/// The times of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) begin_refresh_at: Timestamp,
}

/// Finds the times of a certificate that is issued now.
pub(super) fn times(
    leaf: &Leaf,
    terms: &Terms,
    authority: &CertificateAuthority,
    now: Timestamp,
) -> Result<Times, IssueError> {
    let not_before = not_before(terms, authority, now)?;
    let (lifetime, limit) = lifetime(leaf, terms, authority, not_before);
    if lifetime < seconds(Terms::LEAST_LIFETIME) {
        return Err(match limit {
            LifetimeLimit::Authority => IssueError::AuthorityExpiring {
                authority: authority.to_string(),
                not_after: authority.not_after().min(terms.leaves_end),
            },
            limit => IssueError::LifetimeTooShort { lifetime: unsigned(lifetime), limit },
        });
    }
    let refresh_after = match leaf.refresh {
        Some(explicit) => after(explicit, lifetime),
        None => {
            let earlier = terms.refresh_spread.of_lifetime(unsigned(lifetime));
            after(leaf.default_refresh.unwrap_or(terms.refresh), lifetime).saturating_sub(seconds(earlier))
        }
    };
    Ok(Times {
        not_before,
        not_after: add(not_before, lifetime),
        begin_refresh_at: add(not_before, within_margins(refresh_after, lifetime)),
    })
}

/// Backdated, but never to before the CA and what is above it.
fn not_before(
    terms: &Terms,
    authority: &CertificateAuthority,
    now: Timestamp,
) -> Result<Timestamp, IssueError> {
    let now = whole_second(now);
    let born = authority.not_before();
    if now < born {
        return Err(IssueError::AuthorityNotYetValid { authority: authority.to_string(), not_before: born });
    }
    let skew = seconds(terms.clock_skew.min(Terms::MOST_CLOCK_SKEW));
    Ok(add(now, -skew).max(born))
}

/// The least of what leaf, signer, request and CA allow, and whose it is.
fn lifetime(
    leaf: &Leaf,
    terms: &Terms,
    authority: &CertificateAuthority,
    not_before: Timestamp,
) -> (SignedDuration, LifetimeLimit) {
    let left = authority.not_after().min(terms.leaves_end).duration_since(not_before);
    let mut least = (SignedDuration::from_secs(left.as_secs()), LifetimeLimit::Authority);
    for (lifetime, limit) in [
        (leaf.lifetime, LifetimeLimit::Leaf),
        (Some(terms.max_lifetime), LifetimeLimit::Signer),
        (Some(terms.requested_max), LifetimeLimit::Request),
    ] {
        if let Some(lifetime) = lifetime.map(seconds).filter(|lifetime| *lifetime < least.0) {
            least = (lifetime, limit);
        }
    }
    least
}

/// How long after the beginning the refresh is wanted to begin.
fn after(refresh: Refresh, lifetime: SignedDuration) -> SignedDuration {
    match refresh {
        Refresh::AfterPercent(percent) => {
            SignedDuration::from_secs(lifetime.as_secs() * i64::from(percent) / 100)
        }
        Refresh::BeforeExpiry(before) => lifetime.saturating_sub(seconds(before)),
    }
}

/// Moves a wish to within the API server's margins.
fn within_margins(wanted: SignedDuration, lifetime: SignedDuration) -> SignedDuration {
    let margin = seconds(Terms::REFRESH_MARGIN);
    wanted.clamp(margin, lifetime - margin)
}

/// Drops the fraction of a second.
fn whole_second(timestamp: Timestamp) -> Timestamp {
    Timestamp::from_second(timestamp.as_second()).unwrap_or(timestamp)
}

fn seconds(duration: Duration) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(duration.as_secs()).unwrap_or(i64::MAX))
}

fn unsigned(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}

fn add(timestamp: Timestamp, duration: SignedDuration) -> Timestamp {
    timestamp.saturating_add(duration).unwrap_or(timestamp)
}

//! What signer and request allow a certificate.

use std::time::Duration;

use aws_lc_rs::digest;
use jiff::Timestamp;

use crate::{leaf::Refresh, names::SignerName};

/// What a signer's configuration and a request allow a certificate, whatever the leaf asks for.
///
/// ```
/// use std::time::Duration;
/// use ca_pool::Terms;
///
/// let terms = Terms { requested_max: Duration::from_secs(3600), ..Terms::default() };
/// assert_eq!(terms.max_lifetime, Duration::from_secs(24 * 3600));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The signer's longest lifetime, backdating included (`maxLifetime`).
    pub max_lifetime: Duration,
    /// The request's longest lifetime (`spec.maxExpirationSeconds`).
    pub requested_max: Duration,
    /// How far a certificate is backdated, so that clocks that lag take it (`clockSkew`); at most
    /// [`Terms::MOST_CLOCK_SKEW`], and what is above counts as that.
    pub clock_skew: Duration,
    /// When a certificate is refreshed if the leaf doesn't say (`refreshAt`).
    pub refresh: Refresh,
    /// How much earlier it is refreshed then.
    pub refresh_spread: RefreshSpread,
    /// When the last leaf of the CA must have expired, because its root is no longer published then; the CA's
    /// own end counts too.
    pub leaves_end: Timestamp,
}

/// How much earlier than configured a certificate is refreshed: up to a tenth of its lifetime, always as much
/// for the same pod. So what is issued at once isn't refreshed at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefreshSpread(u32);

impl RefreshSpread {
    /// No earlier.
    pub const NONE: Self = Self(0);

    #[cfg(test)]
    pub(super) fn of_share(share: u32) -> Self {
        Self(share)
    }

    /// The same for each certificate of a pod by a signer. (A request doesn't name its volume; of a pod's
    /// volumes, those of one signer are refreshed together.)
    #[must_use]
    pub fn of_pod(uid: &str, signer_name: &SignerName) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [uid, signer_name.as_str()] {
            hash.update(part.as_bytes());
            hash.update(&[0]);
        }
        Self(hash.finish().as_ref()[..4].iter().fold(0, |share, byte| share << 8 | u32::from(*byte)))
    }

    /// How much earlier a certificate of this lifetime is refreshed, in whole seconds.
    #[must_use]
    pub fn of_lifetime(self, lifetime: Duration) -> Duration {
        let Self(share) = self;
        Duration::from_secs((lifetime / 10).as_secs().saturating_mul(share.into()) >> 32)
    }
}

impl Terms {
    /// The API server's least lifetime, backdating included.
    pub const LEAST_LIFETIME: Duration = Duration::from_secs(3600);
    /// The API server's least distance of `beginRefreshAt` from both ends of the validity.
    pub const REFRESH_MARGIN: Duration = Duration::from_secs(10 * 60);
    /// The API server wants notBefore within 5 minutes of its clock; a minute is left for clocks that differ.
    pub const MOST_CLOCK_SKEW: Duration = Duration::from_secs(4 * 60);
    /// The default of `maxLifetime`.
    pub const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);
    /// The default of `clockSkew`.
    pub const DEFAULT_CLOCK_SKEW: Duration = Duration::from_secs(2 * 60);
    /// The default of `refreshAt`.
    pub const DEFAULT_REFRESH: Refresh = Refresh::AfterPercent(50);
}

impl Default for Terms {
    /// The defaults of the configuration, and of a request that gives no maximum.
    fn default() -> Self {
        Self {
            max_lifetime: Self::DEFAULT_MAX_LIFETIME,
            requested_max: Duration::from_secs(86_400),
            clock_skew: Self::DEFAULT_CLOCK_SKEW,
            refresh: Self::DEFAULT_REFRESH,
            refresh_spread: RefreshSpread::NONE,
            leaves_end: Timestamp::MAX,
        }
    }
}

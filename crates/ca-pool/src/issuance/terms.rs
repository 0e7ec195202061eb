//! What signer and request allow a certificate.

use std::time::Duration;

use jiff::Timestamp;

use crate::leaf::Refresh;

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
    /// When the last leaf of the CA must have expired, because its root is no longer published then; the CA's
    /// own end counts too.
    pub leaves_end: Timestamp,
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
            leaves_end: Timestamp::MAX,
        }
    }
}

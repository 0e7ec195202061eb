//! How long a certificate lives, and when it is refreshed.

use std::time::Duration;

use signer_core::{
    Denial, Refresh, Request,
    ca_pool::{format_duration, parse_duration},
};

use crate::{
    annotations::{Annotation, Annotations},
    keys::Item,
    quoted::Quoted,
};

/// How long a certificate lives, backdating included, and when it is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) lifetime: Duration,
    /// What the pod's author wants.
    pub(crate) refresh: Option<Refresh>,
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const DEFAULT_LIFETIME: Duration = HOUR.saturating_mul(24);
const DEFAULT_REFRESH: Duration = HOUR;
/// The API server's rule for a certificate's lifetime.
const SHORTEST_LIFETIME: Duration = HOUR;
/// The API server's rule for `beginRefreshAt`: this far inside both ends.
const REFRESH_MARGIN: Duration = Duration::from_secs(10 * 60);

impl Validity {
    /// Reads `duration` and `refresh`.
    ///
    /// # Errors
    /// If one of them is not a valid duration, or out of its bounds.
    pub(crate) fn read(annotations: &Annotations<'_>, request: &Request) -> Result<Self, Denial> {
        let lifetime =
            annotations.get(Item::Duration).map(|annotation| lifetime(&annotation, request)).transpose()?;
        // the longest that it could be under any configuration of the signer
        let unconfigured = lifetime.unwrap_or(DEFAULT_LIFETIME.min(request.requested_max_lifetime()));
        let lifetime = unconfigured.min(request.signer_max_lifetime());
        let refresh =
            annotations.get(Item::Refresh).map(|annotation| refresh(&annotation, lifetime, unconfigured));
        Ok(Self { lifetime, refresh: refresh.transpose()?.map(Refresh::BeforeExpiry) })
    }

    /// When the certificate is refreshed where neither author nor operator says.
    pub(crate) fn default_refresh(&self) -> Refresh {
        if self.lifetime / 2 < DEFAULT_REFRESH {
            Refresh::AfterPercent(50)
        } else {
            Refresh::BeforeExpiry(DEFAULT_REFRESH)
        }
    }
}

fn lifetime(annotation: &Annotation<'_>, request: &Request) -> Result<Duration, Denial> {
    let lifetime = parse_duration(annotation.value()).map_err(|error| annotation.malformed(error))?;
    let (requested_max, signer_max) = (request.requested_max_lifetime(), request.signer_max_lifetime());
    let value = Quoted(annotation.value());
    let accepted = format!(
        "write {} to {}",
        format_duration(SHORTEST_LIFETIME),
        format_duration(requested_max.min(signer_max))
    );
    if lifetime < SHORTEST_LIFETIME {
        return Err(annotation.malformed(format_args!(
            "{value} is shorter than the API server lets a certificate live; {accepted}"
        )));
    }
    if lifetime > requested_max {
        let (seconds, limit) = (requested_max.as_secs(), format_duration(requested_max));
        let rule = format_args!(
            "{value} is longer than the volume's maxExpirationSeconds of {seconds} ({limit}); {accepted}, or raise that"
        );
        return Err(annotation.malformed(rule));
    }
    if lifetime > signer_max {
        let limit = format_duration(signer_max);
        return Err(annotation.malformed_for_now(format_args!(
            "{value} is longer than the signer's maxLifetime ({limit}); {accepted}"
        )));
    }
    Ok(lifetime)
}

/// `unconfigured` is the lifetime if the signer's configuration didn't shorten it.
fn refresh(
    annotation: &Annotation<'_>,
    lifetime: Duration,
    unconfigured: Duration,
) -> Result<Duration, Denial> {
    let refresh = parse_duration(annotation.value()).map_err(|error| annotation.malformed(error))?;
    let longest = |lifetime: Duration| lifetime.saturating_sub(REFRESH_MARGIN);
    if (REFRESH_MARGIN..=longest(lifetime)).contains(&refresh) {
        return Ok(refresh);
    }
    let rule = format!(
        "{} before expiry is out of bounds: a certificate of {} is refreshed at least 10m after it begins and before it ends; write 10m to {}",
        Quoted(annotation.value()),
        format_duration(lifetime),
        format_duration(longest(lifetime)),
    );
    let is_signers_doing = (REFRESH_MARGIN..=longest(unconfigured)).contains(&refresh);
    Err(if is_signers_doing { annotation.malformed_for_now(rule) } else { annotation.malformed(rule) })
}

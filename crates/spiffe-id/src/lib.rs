//! SPIFFE IDs and trust domains (SPIFFE-ID §2), of the `spiffe` crate's types, parsed strictly.
//!
//! The types' own parsers normalise: they lowercase the scheme and the trust domain, and cut a path off a
//! trust domain. Here a text must be its canonical form, so that what a certificate says and what a rule says
//! are equal only if their bytes are. Empty labels of a trust domain (`a..b`) are refused too.
//!
//! ```
//! use spiffe_id::{parse_spiffe_id, parse_trust_domain, service_account, service_account_id};
//!
//! let domain = parse_trust_domain("cluster.local")?;
//! let id = service_account_id(&domain, "shop", "web")?;
//! assert_eq!(id.to_string(), "spiffe://cluster.local/ns/shop/sa/web");
//! assert_eq!(service_account(&id), Some(("shop", "web")));
//! assert!(parse_spiffe_id("spiffe://Cluster.local/ns/shop/sa/web").is_err());
//! # Ok::<(), spiffe_id::InvalidSpiffeId>(())
//! ```

pub use spiffe::{SpiffeId, TrustDomain};

/// A text isn't a valid SPIFFE ID or trust domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {rule}")]
pub struct InvalidSpiffeId {
    text: String,
    what: &'static str,
    rule: String,
}

/// SPIFFE-ID §2.3.
const LONGEST: usize = 2048;

const EMPTY: &str = "is empty";
const LONG: &str = "is longer than 255 bytes";
const CHARACTERS: &str = "may hold lowercase letters, digits, '.', '_' and '-' alone";
const LABELS: &str = "may not start or end with '.', nor hold '..'";

/// Parses a SPIFFE ID: `spiffe://<trust domain>/<path>`.
///
/// # Errors
/// If it breaks a rule of SPIFFE-ID §2, isn't in its canonical form, or is longer than 2048 bytes.
pub fn parse_spiffe_id(text: &str) -> Result<SpiffeId, InvalidSpiffeId> {
    let broken = |rule: String| invalid(text, "SPIFFE ID", rule);
    if text.len() > LONGEST {
        return Err(broken("it is longer than 2048 bytes".into()));
    }
    let Some(rest) = text.strip_prefix("spiffe://") else {
        return Err(broken("it looks like spiffe://cluster.local/ns/shop/sa/web".into()));
    };
    let domain = trust_domain(rest.split('/').next().unwrap_or_default());
    domain.map_err(|rule| broken(format!("its trust domain {rule}")))?;
    SpiffeId::new(text).map_err(|error| broken(path_rule(&error).into()))
}

/// Parses the name of a trust domain: whoever holds its trust anchors says who is who in it.
///
/// # Errors
/// If it breaks a rule of SPIFFE-ID §2.1, or isn't in its canonical form.
pub fn parse_trust_domain(text: &str) -> Result<TrustDomain, InvalidSpiffeId> {
    trust_domain(text).map_err(|rule| invalid(text, "trust domain", format!("it {rule}")))
}

/// The SPIFFE ID of a service account: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
///
/// # Errors
/// If a name can't be a path segment, or the ID would be longer than 2048 bytes. Names that the API server
/// takes can.
pub fn service_account_id(
    trust_domain: &TrustDomain,
    namespace: &str,
    service_account: &str,
) -> Result<SpiffeId, InvalidSpiffeId> {
    id_of_segments(trust_domain, &["ns", namespace, "sa", service_account])
}

/// The SPIFFE ID whose path has these segments: `spiffe://<trust domain>/<segment>/<segment>`.
///
/// # Errors
/// If a segment isn't legal (SPIFFE-ID §2.2), or the ID would be longer than 2048 bytes.
pub fn id_of_segments(trust_domain: &TrustDomain, segments: &[&str]) -> Result<SpiffeId, InvalidSpiffeId> {
    SpiffeId::from_segments(trust_domain.clone(), segments).map_err(|error| {
        let text = format!("spiffe://{trust_domain}/{}", segments.join("/"));
        invalid(&text, "SPIFFE ID", path_rule(&error).into())
    })
}

/// Namespace and service account, if the ID has the form of [`service_account_id`].
#[must_use]
pub fn service_account(id: &SpiffeId) -> Option<(&str, &str)> {
    let (namespace, account) = id.path().strip_prefix("/ns/")?.split_once("/sa/")?;
    (!namespace.contains('/') && !account.contains('/')).then_some((namespace, account))
}

fn trust_domain(text: &str) -> Result<TrustDomain, &'static str> {
    if text.is_empty() {
        return Err(EMPTY);
    }
    // that parser takes a SPIFFE ID too, and cuts its path off
    let domain = match TrustDomain::new(text) {
        Ok(domain) if domain.as_str() == text => domain,
        Err(spiffe::SpiffeIdError::TrustDomainTooLong { .. }) => return Err(LONG),
        _ => return Err(CHARACTERS),
    };
    if text.split('.').any(str::is_empty) { Err(LABELS) } else { Ok(domain) }
}

fn path_rule(error: &spiffe::SpiffeIdError) -> &'static str {
    use spiffe::SpiffeIdError as E;
    match error {
        E::EmptySegment | E::TrailingSlash => "its path has an empty segment, or ends with '/'",
        E::DotSegment => "its path has a segment '.' or '..'",
        E::BadPathSegmentChar => "its path has letters, digits, '.', '_' and '-' alone, between '/'",
        E::SpiffeIdTooLong { .. } => "it is longer than 2048 bytes",
        _ => "it breaks a rule of SPIFFE-ID, section 2",
    }
}

fn invalid(text: &str, what: &'static str, rule: String) -> InvalidSpiffeId {
    InvalidSpiffeId { text: text.chars().take(300).collect(), what, rule }
}

#[cfg(test)]
mod tests;

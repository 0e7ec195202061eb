//! Arguments that more than one subcommand takes.

use std::time::Duration;

use ca_pool::{
    CaPool, MAX_LEAF_LIFETIME, Terms, format_duration,
    names::{Uri, UriError},
    parse_duration,
};
use jiff::Timestamp;

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// A time in days (`30d`), or a Go duration.
pub(crate) fn days(text: &str) -> Result<Duration, String> {
    match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => Ok(Duration::from_secs(u64::from(days) * 24 * 3600)),
        _ => duration(text).map_err(|error| format!("{error}; or write days, such as 30d")),
    }
}

/// A time with its zone (RFC 3339).
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write a time with its zone, such as 2026-11-27T20:00:00Z".to_owned())
}

/// A lifetime that the API lets a certificate have.
pub(crate) fn leaf_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration(text)?;
    if (Terms::LEAST_LIFETIME..=MAX_LEAF_LIFETIME).contains(&lifetime) {
        return Ok(lifetime);
    }
    Err(format!(
        "Kubernetes lets a certificate live for {} to {}",
        format_duration(Terms::LEAST_LIFETIME),
        format_duration(MAX_LEAF_LIFETIME)
    ))
}

/// A namespace: a DNS label (RFC 1123).
pub(crate) fn namespace(text: &str) -> Result<String, String> {
    let fits = text.len() <= 63 && is_label(text);
    let rule = "a namespace is 1 to 63 lowercase letters, digits and hyphens, with no hyphen at either end";
    if fits { Ok(text.to_owned()) } else { Err(rule.to_owned()) }
}

/// A Secret's name.
pub(crate) fn secret_name(text: &str) -> Result<String, String> {
    object_name(text, "a Secret's name")
}

/// A name of an object: DNS labels with dots between them.
fn object_name(text: &str, what: &str) -> Result<String, String> {
    let fits = text.len() <= 253 && text.split('.').all(is_label);
    let rule = "is 1 to 253 lowercase letters, digits, hyphens and dots, with a letter or digit at either end and beside each dot";
    if fits { Ok(text.to_owned()) } else { Err(format!("{what} {rule}")) }
}

fn is_label(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// A SPIFFE trust domain, as the URI that a root has for it.
pub(crate) fn trust_domain(text: &str) -> Result<Uri, String> {
    let domain = signer_spiffe::parse_trust_domain(text).map_err(|error| error.to_string())?;
    format!("spiffe://{domain}").parse().map_err(|error: UriError| error.to_string())
}

/// Whether a URI is that of a trust domain alone.
pub(crate) fn is_trust_domain(uri: &Uri) -> bool {
    uri.as_str().strip_prefix("spiffe://").is_some_and(|domain| trust_domain(domain).is_ok())
}

/// `<namespace>/<name>`.
pub(crate) fn namespaced(text: &str) -> Result<(String, String), String> {
    let (of, name) = text.split_once('/').ok_or("write it as NAMESPACE/NAME")?;
    Ok((namespace(of)?, secret_name(name)?))
}

/// `<namespace>/<name>` of a pod.
pub(crate) fn pod(text: &str) -> Result<(String, String), String> {
    let (of, name) = text.split_once('/').ok_or("write it as NAMESPACE/NAME")?;
    Ok((namespace(of)?, object_name(name, "a pod's name")?))
}

/// An ID becomes a part of the CA's subject, so it has to leave room for the rest.
pub(crate) fn ca_id(text: &str) -> Result<String, String> {
    const LONGEST: usize = 32;
    const _: () = assert!(LONGEST <= CaPool::MAX_ID_CHARACTERS);
    let fits = (1..=LONGEST).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err(format!("an ID is 1 to {LONGEST} visible ASCII characters")) }
}

/// `1 pod`, `2 pods`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

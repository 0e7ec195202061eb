//! DNS names as subject alternative names.

use std::{fmt, str::FromStr};

/// A DNS name as it may stand in a subject alternative name: lowercase letters, digits and hyphens in labels
/// of 1 to 63 bytes, 253 bytes in all, no trailing dot (RFC 1123 §2.1, RFC 5280 §4.2.1.6; the API server
/// refuses empty labels). The first label may be `*` (RFC 9525 §6.3); whoever issues decides whether it may.
///
/// ```
/// use ca_pool::DnsName;
///
/// let name: DnsName = "server.web.svc".parse()?;
/// assert_eq!(name.labels().collect::<Vec<_>>(), ["server", "web", "svc"]);
/// assert!("Server.web.svc".parse::<DnsName>().is_err());
/// assert!("*.example.com".parse::<DnsName>()?.is_wildcard());
/// # Ok::<(), ca_pool::DnsNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName(String);

/// Why a text is not a valid DNS name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a valid DNS name: {rule}")]
pub struct DnsNameError {
    name: String,
    rule: &'static str,
}

const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

impl DnsName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels from left to right.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether the first label is `*`.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

impl FromStr for DnsName {
    type Err = DnsNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match broken_rule(name) {
            None => Ok(Self(name.to_owned())),
            Some(rule) => Err(DnsNameError { name: name.chars().take(300).collect(), rule }),
        }
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for DnsName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > LONGEST_NAME {
        return Some("it is longer than 253 bytes");
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some("write it in lowercase");
    }
    let rest = name.strip_prefix("*.").unwrap_or(name);
    if rest.contains('*') {
        return Some("'*' may only be the whole first label, with a domain behind it");
    }
    if !rest.split('.').all(is_dns_label) {
        return Some("each label must be 1 to 63 letters, digits or '-', not starting or ending with '-'");
    }
    let last = rest.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some("the last label is a number, so it reads as an IP address");
    }
    None
}

/// Whether `label` is a lowercase DNS label (RFC 1123 §2.1): the API server's rule for the names of
/// namespaces and Services, and for each part between the dots of a service account's.
#[must_use]
pub fn is_dns_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LONGEST_LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests;

//! What stands behind the namespace in a Service's DNS name.

use std::{fmt, str::FromStr};

use signer_core::DnsName;

/// The suffix of Services' DNS names: `svc`, which every pod's resolver completes, or a domain of two labels
/// at least, such as `svc.cluster.local`. At most 125 bytes, so that each Service's name under it is a legal
/// DNS name.
///
/// ```
/// use signer_service_dns::DnsSuffix;
///
/// let suffix: DnsSuffix = "svc.cluster.local".parse()?;
/// assert_eq!(suffix.as_str(), "svc.cluster.local");
/// assert_eq!(DnsSuffix::default().as_str(), "svc");
/// assert!("local".parse::<DnsSuffix>().is_err());
/// # Ok::<(), signer_service_dns::DnsSuffixError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsSuffix(String);

/// Why a text is not a suffix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{suffix:?} is not a suffix for Services: {rule}; write svc or a domain of two lowercase labels at least, such as svc.cluster.local"
)]
pub struct DnsSuffixError {
    suffix: String,
    rule: &'static str,
}

const SVC: &str = "svc";

/// 253 bytes of a DNS name, less a Service's name and a namespace of 63 bytes each and their dots.
const LONGEST: usize = 253 - 2 * (63 + 1);

impl DnsSuffix {
    /// The suffix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for DnsSuffix {
    fn default() -> Self {
        Self(SVC.to_owned())
    }
}

impl FromStr for DnsSuffix {
    type Err = DnsSuffixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match broken_rule(text) {
            None => Ok(Self(text.to_owned())),
            Some(rule) => Err(DnsSuffixError { suffix: text.chars().take(300).collect(), rule }),
        }
    }
}

impl fmt::Display for DnsSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.starts_with('.') {
        return Some("the dot in front of it is added anyway");
    }
    if text.parse::<DnsName>().is_err() || text.contains('*') {
        return Some("it is no domain");
    }
    if text.len() > LONGEST {
        return Some("it is longer than 125 bytes, so names under it could be longer than DNS allows");
    }
    if text != SVC && !text.contains('.') {
        return Some("names would end in a top-level domain");
    }
    None
}

#[cfg(test)]
mod tests;

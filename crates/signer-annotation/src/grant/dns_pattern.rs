//! Patterns for DNS names.

use std::str::FromStr;

use signer_core::{ANY_LABEL, DnsName};

use super::PatternError;

/// DNS names that a grant gives: `example.com` is that name, `*.example.com` one label in front of it, `*`
/// everything.
///
/// ```
/// use signer_annotation::DnsPattern;
///
/// let pattern: DnsPattern = "*.example.com".parse()?;
/// assert!(pattern.matches(&"www.example.com".parse()?));
/// assert!(!pattern.matches(&"example.com".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsPattern(Matcher);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matcher {
    Everything,
    /// One label in front of a domain; with the dot that follows the label.
    OneLabel(String),
    Exact(DnsName),
}

impl DnsPattern {
    /// Whether it covers a name. A literal wildcard counts as a label like others here: whether it may be had
    /// is the [`Grant`](super::Grant)'s to say.
    #[must_use]
    pub fn matches(&self, name: &DnsName) -> bool {
        match &self.0 {
            Matcher::Everything => true,
            Matcher::OneLabel(domain) => name
                .as_str()
                .strip_suffix(domain.as_str())
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
            Matcher::Exact(exact) => exact == name,
        }
    }

    /// A name that it covers, with a label that stands for any.
    pub(crate) fn example(&self) -> Option<DnsName> {
        match &self.0 {
            Matcher::Everything => ANY_LABEL.parse().ok(),
            Matcher::OneLabel(domain) => format!("{ANY_LABEL}{domain}").parse().ok(),
            Matcher::Exact(exact) => Some(exact.clone()),
        }
    }
}

impl FromStr for DnsPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self(Matcher::Everything));
        }
        let name: DnsName = text.parse()?;
        Ok(Self(match text.strip_prefix('*') {
            Some(domain) => Matcher::OneLabel(domain.to_owned()),
            None => Matcher::Exact(name),
        }))
    }
}

#[cfg(test)]
mod tests;

//! Patterns for DNS names.

use std::str::FromStr;

use signer_core::{ANY_LABEL, DnsName};

use super::PatternError;

/// DNS names that a grant gives: `example.com` is that name, `*.example.com` one label in front of it, `*` everything.
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
    /// Whether it covers a name. A literal wildcard counts as a label like others here: whether it may be had is the [`Grant`](super::Grant)'s to say.
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn covers_a_name_one_label_or_everything() {
        for (pattern, name, covered) in [
            ("example.com", "example.com", true),
            ("example.com", "www.example.com", false),
            ("example.com", "badexample.com", false),
            ("*.example.com", "www.example.com", true),
            ("*.example.com", "*.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "*.b.example.com", false),
            ("*.example.com", "www.example.com.evil", false),
            ("*.example.com", "wwwexample.com", false),
            ("*", "a.b.example.com", true),
            ("*", "localhost", true),
            ("localhost", "localhost", true),
        ] {
            let parsed: DnsPattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(&name.parse().unwrap()), covered, "{pattern} {name}");
        }
    }

    #[test]
    fn refuses_with_the_rule_and_what_is_accepted() {
        for pattern in
            ["", "**", "*.*.com", "a.*.com", "*a.com", "Example.com", "example.com.", "192.0.2.1", "*."]
        {
            let error = pattern.parse::<DnsPattern>().unwrap_err().to_string();
            assert!(error.contains("is no DNS name") && error.contains("* for everything"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn covers_what_label_by_label_comparison_covers(
            pattern in "(\\*\\.)?[ab](\\.[ab]){0,2}",
            name in "(\\*\\.)?[ab](\\.[ab]){0,3}",
        ) {
            let labels: Vec<&str> = name.split('.').collect();
            let covered = pattern.split('.').count() == labels.len()
                && pattern.split('.').zip(labels).all(|(pattern, label)| pattern == "*" || pattern == label);
            let parsed: DnsPattern = pattern.parse().unwrap();
            prop_assert_eq!(parsed.matches(&name.parse().unwrap()), covered);
        }
    }
}

//! Reasons, as they stand in conditions and events.

use std::{borrow::Cow, fmt};

/// A reason in CamelCase: a letter, then letters and digits, 128 bytes at most (the API server takes 1024 in
/// a condition and 128 in an event).
///
/// A signer of your own may have reasons of its own; as a constant, a bad one doesn't compile:
///
/// ```
/// use signer_core::Reason;
///
/// const NO_TEAM: Reason = Reason::from_static("PodHasNoTeam");
/// assert_eq!(NO_TEAM.as_str(), "PodHasNoTeam");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reason(Cow<'static, str>);

const LONGEST: usize = 128;

impl Reason {
    /// Makes a reason from a constant.
    ///
    /// # Panics
    /// If it isn't CamelCase. In a `const` that is a compile error.
    #[must_use]
    pub const fn from_static(reason: &'static str) -> Self {
        assert!(is_camel_case(reason.as_bytes()), "a reason is CamelCase: a letter, then letters and digits");
        Self(Cow::Borrowed(reason))
    }

    /// The reason as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const fn is_camel_case(bytes: &[u8]) -> bool {
    if bytes.is_empty() || bytes.len() > LONGEST || !bytes[0].is_ascii_uppercase() {
        return false;
    }
    let mut i = 0;
    while i < bytes.len() {
        if !bytes[i].is_ascii_alphanumeric() {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests;

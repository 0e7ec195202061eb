//! The common name of a subject.

use std::{fmt, str::FromStr};

/// A common name: 1 to 64 characters (RFC 5280 appendix A, `ub-common-name`), none of them a control
/// character; more of them by [`beyond_x520`](Self::beyond_x520) alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommonName(String);

/// Why a text is not a valid common name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a valid common name: {rule}")]
pub struct CommonNameError {
    name: String,
    rule: &'static str,
}

const LONGEST: usize = 64;

impl CommonName {
    /// The most bytes of a name that is longer than X.520 has it.
    pub const MAX_BYTES_BEYOND_X520: usize = 512;

    /// A name without X.520's bound of 64 characters, for peers that don't count them, as kube-apiserver: the
    /// user name of a service account has up to 337. OpenSSL and Java verify such certificates too; some tools
    /// that parse subjects strictly don't.
    ///
    /// # Errors
    /// If it is empty, longer than 512 bytes, or has a control character.
    pub fn beyond_x520(name: &str) -> Result<Self, CommonNameError> {
        let rule = if name.is_empty() {
            "it is empty"
        } else if name.len() > Self::MAX_BYTES_BEYOND_X520 {
            "it is longer than 512 bytes"
        } else if name.chars().any(char::is_control) {
            "it has a control character"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(CommonNameError { name: name.chars().take(300).collect(), rule })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommonName {
    type Err = CommonNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let rule = if name.is_empty() {
            "it is empty"
        } else if name.chars().count() > LONGEST {
            "it is longer than 64 characters (RFC 5280)"
        } else if name.chars().any(char::is_control) {
            "it has a control character"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(CommonNameError { name: name.chars().take(300).collect(), rule })
    }
}

impl fmt::Display for CommonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;

//! SPIFFE IDs, built from their parts.

use std::{fmt, str::FromStr};

use signer_core::{Uri, UriError};

use crate::TrustDomain;

/// A SPIFFE ID (SPIFFE-ID §2): a trust domain and a path. Built from parts that are each legal and never parsed or normalised, so nothing in a part can
/// become another part.
///
/// ```
/// use signer_spiffe::SpiffeId;
///
/// let id = SpiffeId::of_service_account(&"cluster.local".parse()?, "shop", "server")?;
/// assert_eq!(id.to_string(), "spiffe://cluster.local/ns/shop/sa/server");
/// assert!(SpiffeId::of_service_account(&"cluster.local".parse()?, "shop", "../web").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SpiffeId {
    trust_domain: TrustDomain,
    path: Vec<PathSegment>,
}

/// A segment of a SPIFFE ID's path (SPIFFE-ID §2.2): letters, digits, `.`, `-` and `_`; not empty, not `.` and not `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathSegment(String);

/// Why a text is no path segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no segment of a SPIFFE ID's path: {rule}")]
pub struct PathSegmentError {
    text: String,
    rule: &'static str,
}

/// Why parts make no SPIFFE ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpiffeIdError {
    /// A part can't stand in a path.
    #[error(transparent)]
    Segment(#[from] PathSegmentError),
    /// It is longer than the 2048 bytes of SPIFFE-ID §2.3.
    #[error("the SPIFFE ID would have {0} bytes; {LONGEST} are the most")]
    TooLong(usize),
}

/// SPIFFE-ID §2.3.
const LONGEST: usize = 2048;

impl SpiffeId {
    /// An ID of this path in a trust domain.
    ///
    /// # Errors
    /// If it would be longer than 2048 bytes.
    pub fn new(
        trust_domain: TrustDomain,
        path: impl IntoIterator<Item = PathSegment>,
    ) -> Result<Self, SpiffeIdError> {
        let id = Self { trust_domain, path: path.into_iter().collect() };
        match id.to_string().len() {
            length if length > LONGEST => Err(SpiffeIdError::TooLong(length)),
            _ => Ok(id),
        }
    }

    /// The ID of a service account: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`.
    ///
    /// # Errors
    /// If a name can't stand in a path, which no name that the API server takes does.
    pub fn of_service_account(
        trust_domain: &TrustDomain,
        namespace: &str,
        service_account: &str,
    ) -> Result<Self, SpiffeIdError> {
        let path = ["ns", namespace, "sa", service_account]
            .map(str::parse)
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(trust_domain.clone(), path)
    }

    /// The ID as the URI of a certificate.
    ///
    /// # Errors
    /// None in fact: each SPIFFE ID is such a URI.
    pub fn to_uri(&self) -> Result<Uri, UriError> {
        self.to_string().parse()
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}", self.trust_domain)?;
        self.path.iter().try_for_each(|segment| write!(f, "/{}", segment.0))
    }
}

impl FromStr for PathSegment {
    type Err = PathSegmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = if text.is_empty() {
            "it is empty"
        } else if text == "." || text == ".." {
            "'.' and '..' are relative"
        } else if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
            "it may have letters, digits, '.', '-' and '_' only"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(PathSegmentError { text: text.chars().take(300).collect(), rule })
    }
}

#[cfg(test)]
mod tests;

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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trust_domain() -> TrustDomain {
        "cluster.local".parse().unwrap()
    }

    #[test]
    fn no_segment_can_become_another_part() {
        for (text, rule) in [
            ("", "empty"),
            (".", "relative"),
            ("..", "relative"),
            ("a/b", "letters"),
            ("a%2Fb", "letters"),
            ("%2e%2e", "letters"),
            ("a?b", "letters"),
            ("a#b", "letters"),
            ("a b", "letters"),
            ("a\n", "letters"),
            ("ä", "letters"),
        ] {
            let error = SpiffeId::of_service_account(&trust_domain(), "shop", text).unwrap_err().to_string();
            assert!(error.contains(rule), "{text}: {error}");
            assert!(SpiffeId::of_service_account(&trust_domain(), text, "server").is_err(), "{text}");
        }
    }

    #[test]
    fn holds_2048_bytes_and_no_more() {
        let prefix = "spiffe://cluster.local/".len();
        let id =
            |length: usize| SpiffeId::new(trust_domain(), ["a".repeat(length - prefix).parse().unwrap()]);
        assert_eq!(id(2048).unwrap().to_uri().unwrap().as_str().len(), 2048);
        assert_eq!(id(2049), Err(SpiffeIdError::TooLong(2049)));
    }

    proptest! {
        #[test]
        fn every_id_is_one_to_others_and_a_uri_unchanged(
            trust_domain in "[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?",
            path in proptest::collection::vec("[a-zA-Z0-9._-]{1,20}", 1..5),
        ) {
            let trust_domain = trust_domain.parse::<TrustDomain>();
            let segments = path.iter().map(|segment| segment.parse()).collect::<Result<Vec<PathSegment>, _>>();
            prop_assume!(trust_domain.is_ok() && segments.is_ok());
            let id = SpiffeId::new(trust_domain.unwrap(), segments.unwrap()).unwrap();
            let theirs = spiffe::SpiffeId::new(id.to_string()).unwrap();
            prop_assert_eq!(theirs.to_string(), id.to_string());
            prop_assert_eq!(theirs.path(), format!("/{}", path.join("/")));
            let uri = id.to_uri().unwrap();
            prop_assert_eq!(uri.as_str(), id.to_string());
            prop_assert_eq!(uri.host(), id.trust_domain.as_str());
        }

        #[test]
        fn the_id_of_a_service_account_tells_its_parts(
            namespace in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?",
            account in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,3}",
        ) {
            let id = SpiffeId::of_service_account(&trust_domain(), &namespace, &account).unwrap();
            let text = id.to_string();
            let parts: Vec<&str> = text.strip_prefix("spiffe://cluster.local/").unwrap().split('/').collect();
            prop_assert_eq!(parts, ["ns", namespace.as_str(), "sa", account.as_str()]);
        }

        #[test]
        fn what_others_refuse_as_a_segment_is_refused(text in "\\PC{0,12}|[a-z/.%]{0,6}") {
            let theirs = spiffe::SpiffeId::from_segments(spiffe::TrustDomain::new("cluster.local").unwrap(), &[&text]);
            prop_assert_eq!(text.parse::<PathSegment>().is_ok(), theirs.is_ok());
        }
    }
}

//! The URL of an endpoint.

use std::{fmt, str::FromStr};

use http::Uri;

/// The URL of a bundle endpoint: `https`, without a user (SPIFFE Federation §5.2).
///
/// ```
/// use spiffe_federation::EndpointUrl;
///
/// let url: EndpointUrl = "https://partner.example/bundle".parse()?;
/// assert_eq!((url.host(), url.port()), ("partner.example", 443));
/// assert!("http://partner.example/bundle".parse::<EndpointUrl>().is_err());
/// # Ok::<(), spiffe_federation::InvalidUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl {
    uri: Uri,
    host: String,
}

/// It can't be the URL of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a bundle endpoint: {0}; write https://HOST[:PORT]/PATH")]
pub struct InvalidUrl(&'static str);

/// Longer ones aren't URLs that anybody wrote.
const LONGEST: usize = 2048;

impl EndpointUrl {
    /// The host, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 443 unless it is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.uri.port_u16().unwrap_or(443)
    }

    /// Path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// Host and port as they are written.
    pub(crate) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Where a redirect from here leads: another URL, or another path on the same host.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, InvalidUrl> {
        if location.starts_with('/') && !location.starts_with("//") {
            format!("https://{}{location}", self.authority()).parse()
        } else {
            location.parse()
        }
    }
}

impl FromStr for EndpointUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        if text.len() > LONGEST {
            return Err(InvalidUrl("it is too long"));
        }
        let uri: Uri = text.parse().map_err(|_| InvalidUrl("it isn't a URL"))?;
        if uri.scheme_str() != Some("https") {
            return Err(InvalidUrl("its scheme isn't https"));
        }
        let authority = uri.authority().ok_or(InvalidUrl("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl("it names a user"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(InvalidUrl("it has no host"));
        }
        Ok(Self { uri, host })
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "",
            "partner.example",
            "http://partner.example/",
            "https:///path",
            "https://user@partner.example/",
            "https://user:secret@partner.example/",
            "ftp://partner.example/",
            &format!("https://a.example/{}", "a".repeat(3000)),
        ] {
            let error = text.parse::<EndpointUrl>().unwrap_err().to_string();
            assert!(
                error.ends_with("write https://HOST[:PORT]/PATH") && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_redirect_stays_https() {
        let url: EndpointUrl = "https://[::1]:8443/a?b".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.path()), ("::1", 8443, "/a?b"));
        assert_eq!(url.redirected("/c").unwrap().to_string(), "https://[::1]:8443/c");
        assert_eq!(url.redirected("https://b.example/d").unwrap().to_string(), "https://b.example/d");
        for location in ["http://b.example/", "//b.example/", "c", "javascript:x", "https://u@b.example/"] {
            assert!(url.redirected(location).is_err(), "{location}");
        }
    }
}

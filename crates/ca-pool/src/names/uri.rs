//! URIs as subject alternative names.

use std::{fmt, str::FromStr};

/// An absolute URI as it may stand in a subject alternative name (RFC 5280 §4.2.1.6, RFC 3986): ASCII, scheme
/// and host in lowercase, no userinfo, no dot segments, no percent-encoded host, 2048 bytes at most. It is
/// never normalised: two texts are two identities.
///
/// ```
/// use ca_pool::Uri;
///
/// let uri: Uri = "spiffe://cluster.local/ns/web/sa/server".parse()?;
/// assert_eq!((uri.scheme(), uri.host(), uri.path()), ("spiffe", "cluster.local", "/ns/web/sa/server"));
/// assert!("https://user@example.com/".parse::<Uri>().is_err());
/// # Ok::<(), ca_pool::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uri {
    text: String,
    scheme: usize,
    authority: usize,
}

/// Why a text is no URI that a certificate may carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{uri:?} is no URI for a certificate: {rule}")]
pub struct UriError {
    uri: String,
    rule: &'static str,
}

/// The longest SPIFFE ID (SPIFFE-ID §2.3), and a bound for all others.
const LONGEST: usize = 2048;

impl Uri {
    /// The URI as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part in front of `://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.text[..self.scheme]
    }

    /// The host, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        split_port(self.authority()).0
    }

    /// Host and port: all between `://` and the path.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[self.scheme + 3..self.authority]
    }

    /// All that follows the authority: path, query and fragment.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[self.authority..]
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|rule| UriError { uri: text.chars().take(300).collect(), rule })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse(text: &str) -> Result<Uri, &'static str> {
    if text.len() > LONGEST {
        return Err("it is longer than 2048 bytes");
    }
    if !text.bytes().all(is_uri_byte) {
        return Err("it has a character that RFC 3986 doesn't allow; percent-encode it in the path");
    }
    let (scheme, rest) = text.split_once("://").ok_or("it isn't absolute; write <scheme>://<host>/<path>")?;
    if !is_scheme(scheme) {
        return Err("the scheme must start with a letter and be lowercase");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    check_authority(authority)?;
    let path = rest[authority.len()..].split(['?', '#']).next().unwrap_or_default();
    if path.split('/').any(is_dot_segment) {
        return Err("the path has a '.' or '..' segment");
    }
    if !percent_encoding_is_whole(&rest[authority.len()..]) {
        return Err("a '%' must be followed by two hexadecimal digits");
    }
    Ok(Uri { text: text.to_owned(), scheme: scheme.len(), authority: scheme.len() + 3 + authority.len() })
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    if authority.contains('@') {
        return Err("it has userinfo in front of the host");
    }
    if authority.contains('%') {
        return Err("the host is percent-encoded");
    }
    let (host, port) = split_port(authority);
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return Err("the port must be a number up to 65535");
    }
    if !is_host(host) {
        return Err("the host must be a lowercase DNS name or an IP address (IPv6 in brackets)");
    }
    Ok(())
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok()
            && !address.bytes().any(|b| b.is_ascii_uppercase());
    }
    host.len() <= 255 && host.split('.').all(is_host_label)
}

/// SPIFFE trust domains may hold underscores, and hyphens anywhere (SPIFFE-ID §2.1); all else is a DNS label.
fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
}

/// RFC 3986 §2: unreserved, reserved and '%'.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// A verifier that decodes before it compares sees `%2e` as a dot, so both spellings count.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn percent_encoding_is_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        let bytes = rest.as_bytes();
        bytes.len() >= 2 && bytes[0].is_ascii_hexdigit() && bytes[1].is_ascii_hexdigit()
    })
}

#[cfg(test)]
mod tests;

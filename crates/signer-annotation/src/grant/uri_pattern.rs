//! Patterns for URIs.

use std::str::FromStr;

use signer_core::{ANY_LABEL, Uri};

use super::PatternError;

/// URIs that a grant gives. `https://example.com/a` is that URI alone, byte for byte. In the path, `*` stands
/// for one segment, and a last `**` for all that may follow its slash. `*` alone is everything.
///
/// Scheme, host and port are always literal, and so are queries, fragments and percent-encoding: what a
/// wildcard stands for holds none of them, nor a `*`. Thus no two readers can disagree on whether a URI is
/// below another. A `spiffe:` URI is somebody's identity, and takes no wildcards.
///
/// ```
/// use signer_annotation::UriPattern;
///
/// let pattern: UriPattern = "https://example.com/**".parse()?;
/// assert!(pattern.matches(&"https://example.com/a/b".parse()?));
/// assert!(!pattern.matches(&"https://example.com.evil/a".parse()?));
/// assert!(!pattern.matches(&"https://example.com:8443/a".parse()?));
/// assert!("spiffe://cluster.local/**".parse::<UriPattern>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriPattern(Matcher);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matcher {
    Everything,
    Exact(Uri),
    Below {
        /// `https://example.com/`
        root: String,
        segments: Vec<Segment>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `*`: one segment, not empty.
    One,
    /// `**`: all that follows.
    Rest,
}

impl UriPattern {
    /// Whether it covers a URI.
    #[must_use]
    pub fn matches(&self, uri: &Uri) -> bool {
        match &self.0 {
            Matcher::Everything => true,
            Matcher::Exact(exact) => exact == uri,
            Matcher::Below { root, segments } => {
                uri.as_str().strip_prefix(root.as_str()).is_some_and(|path| match_path(segments, path))
            }
        }
    }

    /// A URI that it covers, as far as constraints of a CA care: they are on hosts. (What stands in front of
    /// a path is always a URI.)
    pub(crate) fn example(&self) -> Option<Uri> {
        match &self.0 {
            Matcher::Everything => format!("https://{ANY_LABEL}/").parse().ok(),
            Matcher::Exact(exact) => Some(exact.clone()),
            Matcher::Below { root, .. } => root.parse().ok(),
        }
    }
}

fn match_path(segments: &[Segment], mut path: &str) -> bool {
    for (i, segment) in segments.iter().enumerate() {
        if *segment == Segment::Rest {
            return path.bytes().all(is_plain) && !path.split('/').any(is_dots);
        }
        let is_last = i + 1 == segments.len();
        let (head, tail) = match path.split_once('/') {
            Some((head, tail)) if !is_last => (head, tail),
            None if is_last => (path, ""),
            _ => return false,
        };
        let is_met = match segment {
            Segment::Literal(literal) => literal == head,
            Segment::One => !head.is_empty() && head.bytes().all(is_plain) && !is_dots(head),
            Segment::Rest => true,
        };
        if !is_met {
            return false;
        }
        path = tail;
    }
    true
}

/// Whether a segment is `.` or `..` to servers that take away what follows a `;` (path parameters, RFC 3986
/// §3.3).
fn is_dots(segment: &str) -> bool {
    matches!(segment.split(';').next(), Some("." | ".."))
}

/// What a wildcard may stand for: characters of a path (RFC 3986 §3.3) that mean themselves.
fn is_plain(byte: u8) -> bool {
    !matches!(byte, b'%' | b'*' | b'?' | b'#')
}

impl FromStr for UriPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self(Matcher::Everything));
        }
        let uri: Uri = text.parse()?;
        if !text.contains('*') {
            return Ok(Self(Matcher::Exact(uri)));
        }
        if uri.scheme() == "spiffe" {
            return Err(PatternError::uri_wildcard(
                text,
                "a spiffe: URI is granted as it is, without wildcards, or by * for everything",
            ));
        }
        if uri.path().contains(['?', '#']) {
            return Err(PatternError::uri_wildcard(
                text,
                "a URI with a query or a fragment is granted as it is, without wildcards",
            ));
        }
        let path = uri.path().strip_prefix('/').unwrap_or_default();
        let segments = path.split('/').map(segment).collect::<Option<Vec<_>>>().filter(|segments| {
            // whatever stood behind a ** would never be looked at
            !segments.iter().rev().skip(1).any(|segment| *segment == Segment::Rest)
        });
        let rule =
            "* stands for one whole segment of the path, and ** for the rest of it, as its last segment";
        let segments = segments.ok_or_else(|| PatternError::uri_wildcard(text, rule))?;
        Ok(Self(Matcher::Below { root: text[..text.len() - path.len()].to_owned(), segments }))
    }
}

fn segment(text: &str) -> Option<Segment> {
    match text {
        "*" => Some(Segment::One),
        "**" => Some(Segment::Rest),
        _ if text.contains('*') => None,
        _ => Some(Segment::Literal(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;

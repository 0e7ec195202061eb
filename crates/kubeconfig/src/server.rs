//! The URL of an API server.

use http::Uri;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// Where the API server is.
#[derive(Clone)]
pub(crate) struct Server {
    /// Scheme, host, port and path, without a slash at its end.
    pub(crate) uri: Uri,
    /// User and password in the URL, which Go sends with each call.
    pub(crate) basic: Option<(String, Zeroizing<String>)>,
    /// What the kubeconfig says, if it has no scheme; as it may be shown.
    pub(crate) without_scheme: Option<String>,
}

impl Server {
    /// As client-go's `DefaultServerURL` does for kubectl: without a scheme it is `http`, and there may be no
    /// path. (The certificate authority, which would make it `https`, client-go takes in only later:
    /// `tools/clientcmd/client_config.go`, `ClientConfig`.)
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (url, without_scheme) = match scheme(text) {
            Some(_) => (text.to_owned(), None),
            None => (format!("http://{text}"), Some(without_user(text))),
        };
        let wrong = || {
            format!(
                "the API server's URL is {:?}; it needs a scheme, https or http, and a host. Write `server: https://HOST:PORT`{}",
                without_user(text),
                escapes(text)
            )
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let scheme = scheme.to_ascii_lowercase();
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        if !matches!(scheme.as_str(), "https" | "http")
            || (without_scheme.is_some() && !["", "/"].contains(&path))
        {
            return Err(wrong());
        }
        if !escapes(&url).is_empty() {
            return Err(wrong());
        }
        let path = path.trim_end_matches('/');
        let (user, host) =
            authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let uri: Uri =
            format!("{scheme}://{}{path}", host.trim_end_matches(':')).parse().map_err(|_| wrong())?;
        let port = uri.authority().and_then(|authority| authority.as_str().rsplit_once(':'));
        let has_bad_port = port.is_some_and(|(_, port)| !port.ends_with(']') && port.parse::<u16>().is_err());
        if uri.host().is_none_or(str::is_empty) || has_bad_port {
            return Err(wrong());
        }
        Ok(Self { uri, basic: user.map(user_and_password), without_scheme })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

/// As it may be shown: no user, no password.
impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.uri.to_string().trim_end_matches('/'))
    }
}

/// Scheme and host are both there.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|each| each.is_ascii_alphanumeric() || matches!(each, '+' | '-' | '.'));
    (is_scheme && !rest.is_empty() && !rest.starts_with(['/', '?', '#'])).then_some(scheme)
}

/// A URL's user and password, without their percent escapes.
pub(crate) fn user_and_password(user: &str) -> (String, Zeroizing<String>) {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    (decoded(user), Zeroizing::new(decoded(password)))
}

/// A URL that may be shown, whatever else is wrong with it: without all that stands before its last `@`, as a
/// password may have in it what ends a URL's host.
pub(crate) fn without_user(url: &str) -> String {
    let start = url.find("://").map_or(0, |scheme| scheme + 3);
    match url[start..].rfind('@') {
        Some(at) => format!("{}{}", &url[..start], &url[start + at + 1..]),
        None => url.to_owned(),
    }
}

/// What is to be done about a URL with an `@` behind its host: a user or a password may have in it what ends
/// the host, and the rest of it would be shown, and sent, as a path.
pub(crate) fn escapes(url: &str) -> &'static str {
    let start = url.find("://").map_or(0, |scheme| scheme + 3);
    let host_ends = url[start..].find(['/', '?', '#']).map_or(url.len(), |end| start + end);
    if url[host_ends..].contains('@') {
        ". In a user, a password or a path, an @ is written %40, and in the first two / is %2F, ? is %3F, # is %23"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests;

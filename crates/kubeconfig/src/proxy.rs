//! Through which proxy the API server is called.

use http::{HeaderValue, Uri};
use zeroize::Zeroizing;

use crate::{
    Environment, Error,
    credentials::basic,
    no_proxy::goes_direct,
    server::{Server, escapes, user_and_password, without_user},
};

/// A proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// `http`, `https` or `socks5`, with host and port.
    pub(crate) uri: Uri,
    pub(crate) user: Option<(String, Zeroizing<String>)>,
    /// What says so, for messages.
    pub(crate) said_by: String,
}

impl Proxy {
    /// The proxy of a cluster's `proxy-url`. `NO_PROXY` has no say in it.
    pub(crate) fn of_cluster(url: &str) -> Result<Self, String> {
        let proxy = Self::parse(url, "proxy-url")?;
        // unlike that of the environment, client-go knows no socks5h here
        if url.to_ascii_lowercase().starts_with("socks5h:") {
            Err(unsupported("proxy-url", "socks5h"))
        } else {
            Ok(proxy)
        }
    }

    /// The proxy that the environment has for this server.
    pub(crate) fn of_environment(environment: &Environment, server: &Server) -> Result<Option<Self>, Error> {
        let (variable, url) = if server.is_https() {
            ("HTTPS_PROXY", &environment.https_proxy)
        } else {
            ("HTTP_PROXY", &environment.http_proxy)
        };
        let Some(url) = url else { return Ok(None) };
        let wrong = |problem| Error::Environment { variable, problem };
        let port = server.uri.port_u16().unwrap_or(if server.is_https() { 443 } else { 80 });
        if goes_direct(
            environment.no_proxy.as_deref().unwrap_or_default(),
            server.uri.host().unwrap_or_default(),
            port,
        ) {
            return Ok(None);
        }
        if environment.is_cgi && variable == "HTTP_PROXY" {
            return Err(wrong(
                "it isn't used where REQUEST_METHOD is set, as in CGI a header of a request may have become this variable; \
                 unset one of them"
                    .into(),
            ));
        }
        let has_scheme =
            url.split_once("://").is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty());
        let url = if has_scheme { url.clone() } else { format!("http://{url}") };
        Self::parse(&url, variable).map(Some).map_err(wrong)
    }

    fn parse(url: &str, said_by: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{:?} is not a valid URL of a proxy; write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT{}",
                without_user(url),
                escapes(url)
            )
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        if !escapes(url).is_empty() {
            return Err(wrong());
        }
        let scheme = scheme.to_ascii_lowercase();
        let (scheme, default_port) = match scheme.as_str() {
            "http" => ("http", 80),
            "https" => ("https", 443),
            "socks5" | "socks5h" => ("socks5", 1080),
            other => return Err(unsupported(said_by, other)),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host) =
            authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let uri: Uri = format!("{scheme}://{host}").parse().map_err(|_| wrong())?;
        let name = uri.host().filter(|name| !name.is_empty()).ok_or_else(wrong)?;
        let port = match uri.authority().map(|authority| authority.as_str().len() > name.len()) {
            Some(true) => uri.port_u16().ok_or_else(wrong)?,
            _ => default_port,
        };
        let uri = format!("{scheme}://{name}:{port}").parse().map_err(|_| wrong())?;
        Ok(Self { uri, user: user.map(user_and_password), said_by: said_by.to_owned() })
    }

    /// Its `Proxy-Authorization`.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.user.as_ref()?;
        basic(user, password).ok()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    pub(crate) fn is_socks(&self) -> bool {
        self.uri.scheme_str() == Some("socks5")
    }
}

fn unsupported(said_by: &str, scheme: &str) -> String {
    format!(
        "a proxy of the scheme {scheme:?} isn't supported; {said_by} may be http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT"
    )
}

/// As it may be shown: no user, no password.
impl std::fmt::Display for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.uri.to_string().trim_end_matches('/'), self.said_by)
    }
}

#[cfg(test)]
mod tests;

//! The URL of an API server, as a kubeconfig has it.

use hyper::Uri;

/// The URL of an API server isn't one that can be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the API server's URL is {url:?}; it needs a scheme and a host. Write `server: https://HOST:PORT` in the kubeconfig's cluster"
)]
pub struct ServerUrlError {
    url: String,
}

/// Checks that calls can be sent to it, and returns it as it may be logged: without a user and a password.
///
/// # Errors
/// If it has no host, or another scheme than `https` and `http`. kubectl adds a scheme; kube's client panics at the first call.
pub fn check_server_url(url: &Uri) -> Result<String, ServerUrlError> {
    let host = url.host().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    match url.scheme_str() {
        Some(scheme @ ("https" | "http")) if !host.is_empty() => {
            Ok(format!("{scheme}://{host}{port}{}", url.path().trim_end_matches('/')))
        }
        Some(scheme) => Err(ServerUrlError { url: format!("{scheme}://{host}{port}") }),
        None => Err(ServerUrlError { url: format!("{host}{port}{}", url.path()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str) -> Result<String, ServerUrlError> {
        check_server_url(&url.parse().unwrap())
    }

    #[test]
    fn a_url_needs_scheme_and_host() {
        for (url, shown) in [
            ("127.0.0.1:18099", "127.0.0.1:18099"),
            ("localhost:18099", "localhost:18099"),
            ("api.example.com", "api.example.com"),
            ("/k8s/clusters/c-1", "/k8s/clusters/c-1"),
            ("ftp://api.example.com", "ftp://api.example.com"),
        ] {
            let error = checked(url).unwrap_err().to_string();
            assert!(error.starts_with(&format!("the API server's URL is {shown:?}; it needs")), "{error}");
        }
    }

    #[test]
    fn a_url_is_shown_without_user_and_password() {
        for (url, shown) in [
            ("https://10.0.0.1:6443/", "https://10.0.0.1:6443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://r.example.com/k8s/clusters/c-1", "https://r.example.com/k8s/clusters/c-1"),
            ("https://admin:secret@r.example.com", "https://r.example.com"),
        ] {
            assert_eq!(checked(url).as_deref(), Ok(shown));
        }
    }
}

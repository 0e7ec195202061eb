//! What the environment says of clusters and proxies.

use std::{env, ffi::OsString, fmt, path::PathBuf};

/// The variables that count. Empty ones are absent.
#[derive(Clone, Default)]
pub struct Environment {
    /// `KUBECONFIG`: a list of files.
    pub kubeconfig: Option<OsString>,
    /// `HOME`: has `.kube/config`.
    pub home: Option<PathBuf>,
    /// `HTTPS_PROXY` or `https_proxy`.
    pub https_proxy: Option<String>,
    /// `HTTP_PROXY` or `http_proxy`.
    pub http_proxy: Option<String>,
    /// `NO_PROXY` or `no_proxy`.
    pub no_proxy: Option<String>,
    /// `REQUEST_METHOD` is set: as in CGI, where a request's header would become `HTTP_PROXY`.
    pub is_cgi: bool,
    /// `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`, which kubelet sets in pods.
    pub service: Option<(String, String)>,
}

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let path = |name| env::var_os(name).filter(|value| !value.is_empty());
        let text = |name| path(name).and_then(|value| value.into_string().ok());
        Self {
            kubeconfig: path("KUBECONFIG"),
            home: path("HOME").map(PathBuf::from),
            https_proxy: text("HTTPS_PROXY").or_else(|| text("https_proxy")),
            http_proxy: text("HTTP_PROXY").or_else(|| text("http_proxy")),
            no_proxy: text("NO_PROXY").or_else(|| text("no_proxy")),
            is_cgi: path("REQUEST_METHOD").is_some(),
            service: text("KUBERNETES_SERVICE_HOST").zip(text("KUBERNETES_SERVICE_PORT")),
        }
    }
}

/// Without the proxies, whose URLs may hold passwords.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kubeconfig, home, https_proxy: _, http_proxy: _, no_proxy, is_cgi, service } = self;
        f.debug_struct("Environment")
            .field("kubeconfig", kubeconfig)
            .field("home", home)
            .field("no_proxy", no_proxy)
            .field("is_cgi", is_cgi)
            .field("service", service)
            .finish_non_exhaustive()
    }
}

//! Why a call got no answer, in words that name what the kubeconfig has, and what to do.

use std::{error::Error as StdError, io, iter::successors};

use rustls::CertificateError;
use rustls_pki_types::UnixTime;

use crate::{
    target::{Target, Trust},
    transport::ProxyError,
    x509::Certificate,
};

/// A call got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct CallError {
    text: String,
    is_wrong_configuration: bool,
}

impl CallError {
    /// Whether the kubeconfig must be corrected.
    #[must_use]
    pub fn is_wrong_configuration(&self) -> bool {
        self.is_wrong_configuration
    }

    /// What an error of the API client says, if it is one of these.
    #[must_use]
    pub fn of(error: &kube::Error) -> Option<&Self> {
        match error {
            kube::Error::Service(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

type Cause<'a> = &'a (dyn StdError + 'static);

/// In words of ours, where there are some. Certificates out of their time are told by those who know the
/// clock, and go through as they are.
pub(crate) fn explain(error: Cause<'_>, target: &Target, anchors: &[Certificate]) -> Option<CallError> {
    let chain = || successors(Some(error), |error| inner(*error));
    let proxy = chain().find_map(|error| error.downcast_ref::<ProxyError>());
    let text = match (proxy, chain().find_map(|error| error.downcast_ref::<rustls::Error>())) {
        (Some(proxy), Some(tls)) => Some(format!("{proxy}: {}", of_tls(tls, target, anchors, "proxy")?)),
        (Some(proxy), None) => Some(format!("{proxy}: {}", of_proxy(proxy))),
        (None, Some(tls)) => Some(of_tls(tls, target, anchors, "API server")?),
        (None, None) => None,
    };
    if let Some(text) = text {
        return Some(CallError { text, is_wrong_configuration: false });
    }
    let said = target.server.without_scheme.as_ref()?;
    let cause = chain().last().map(plain).unwrap_or_default();
    Some(CallError {
        text: format!(
            "{}: its `server` {said:?} has no scheme, so it is called without TLS, as by kubectl: {cause}. Write `server: https://HOST:PORT`",
            target.cluster
        ),
        is_wrong_configuration: true,
    })
}

/// An answer to plain HTTP that comes from a server of TLS: Go's says 400, in plain text.
pub(crate) fn needs_tls(target: &Target) -> CallError {
    CallError {
        text: format!(
            "{}: {} answers that it wants TLS, and `server` says none; write `server: https://HOST:PORT`",
            target.cluster, target.server
        ),
        is_wrong_configuration: true,
    }
}

/// An I/O error hands out the cause of what it wraps, but not that itself.
fn inner(error: Cause<'_>) -> Option<Cause<'_>> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn plain(error: Cause<'_>) -> String {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "connection refused".into(),
        Some(io::ErrorKind::ConnectionReset) => "connection reset".into(),
        Some(io::ErrorKind::TimedOut) => "no answer in time".into(),
        _ => error.to_string(),
    }
}

/// hyper-util's errors of tunnels have no type that could be named.
fn of_proxy(error: &ProxyError) -> String {
    let last =
        successors(Some(error as Cause<'_>), |error| inner(*error)).last().map(plain).unwrap_or_default();
    match last.strip_prefix("tunnel error: ").unwrap_or(&last) {
        "proxy authorization required" => {
            "it wants a user and a password, or others than those given; write them into its URL: http://USER:PASSWORD@HOST:PORT".into()
        }
        "unsuccessful" => "it refuses to connect to the API server; have it allowed there, or put the host into NO_PROXY".into(),
        other => other.to_owned(),
    }
}

fn of_tls(error: &rustls::Error, target: &Target, anchors: &[Certificate], who: &str) -> Option<String> {
    let (server, cluster) = (&target.server, &target.cluster);
    let whose = format!("the certificate of the {who} {server}");
    let text = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => return None,
            CertificateError::UnknownIssuer => {
                format!("{whose} isn't vouched for by {}", trusted(target, anchors))
            }
            CertificateError::NotValidForName => {
                format!(
                    "{whose} is for another name; correct `server`, or set `tls-server-name` in {cluster} to a name that it has"
                )
            }
            CertificateError::NotValidForNameContext { expected, presented } => format!(
                "{whose} isn't for {}, but for {}; correct `server`, or set `tls-server-name` in {cluster} to one of these",
                expected.to_str(),
                names(presented)
            ),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                format!("{whose} isn't one of a server (extended key usage); have it issued with serverAuth")
            }
            CertificateError::BadSignature => format!(
                "{whose} isn't signed by the certificate authority of {cluster}, though by one of the same name; take that of this cluster, `certificate-authority-data`"
            ),
            _ => format!(
                "{whose} isn't one that this program takes, though kubectl may; have it issued anew as X.509 version 3 of a server (CA:FALSE, subjectAltName), signed with SHA-256 \
                 and better, on RSA of 2048 bits or an elliptic curve, or pin it: put that certificate itself into `certificate-authority-data` of {cluster}"
            ),
        },
        rustls::Error::AlertReceived(alert) => {
            format!(
                "the {who} {server} breaks TLS off ({alert:?}); it may not take the client certificate of {}",
                target.user
            )
        }
        rustls::Error::InvalidMessage(_) => format!(
            "the {who} {server} doesn't speak TLS; correct the port, or write http:// if `server` of {cluster} means that"
        ),
        _ => format!(
            "there is no TLS with the {who} {server}: it offers no version (1.2, 1.3) or cipher that this program knows"
        ),
    };
    Some(text)
}

/// rustls writes a name with its kind: `DnsName("localhost")`, `IpAddress(127.0.0.1)`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| match name.split_once('(').and_then(|(_, name)| name.strip_suffix(')')) {
        Some(name) => name.trim_matches('"').to_owned(),
        None => name.clone(),
    };
    if presented.is_empty() {
        return "no name".to_owned();
    }
    presented.iter().map(bare).collect::<Vec<_>>().join(", ")
}

/// Whom the kubeconfig trusts, and what to do if the server is none of those.
fn trusted(target: &Target, anchors: &[Certificate]) -> String {
    let cluster = &target.cluster;
    if !matches!(target.trust, Trust::Authorities(_)) {
        return format!(
            "a CA of this system, and {cluster} names none; add the CA that signed it as `certificate-authority-data`"
        );
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(now);
    let unusable = anchors.iter().find_map(|anchor| match (anchor.is_valid(now), anchor.may_issue) {
        (false, _) => Some(format!(" ({} isn't valid at this machine's time)", anchor.subject)),
        (true, false) => {
            Some(format!(" ({} isn't a CA's certificate, and not the server's own)", anchor.subject))
        }
        _ => None,
    });
    format!(
        "the certificate authority of {cluster}{}; take the CA that signed it, or the server's certificate itself, as `certificate-authority-data`",
        unusable.unwrap_or_default()
    )
}

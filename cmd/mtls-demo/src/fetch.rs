//! One request over a connection of its own.

use std::{io, sync::Arc};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, StatusCode, Uri, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use pod_credentials::{Certificate, refusal};
use rustls::{AlertDescription, ClientConfig};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::body_text::{MOST_BYTES, first_line};

/// An answer, and who gave it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    pub(crate) server: Certificate,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0} is no name of a server")]
    BadName(String),
    #[error("can't connect to {authority}: {source}; is the name right, and the server running?")]
    Connect { authority: String, source: io::Error },
    #[error("TLS with {authority}: {reason}")]
    Handshake { authority: String, reason: String },
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("the server's certificate can't be read")]
    NoServerCertificate,
    #[error("the answer is broken, or longer than {MOST_BYTES} bytes: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
}

/// Fetches a URL. The connection is new and closed afterwards, so that each call meets what both ends have in
/// use now.
pub(crate) async fn fetch(url: &Uri, config: Arc<ClientConfig>) -> Result<Answer, FetchError> {
    let (tls, authority) = connect(url, config).await?;
    let server = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
    let server =
        server.and_then(|der| Certificate::from_der(der).ok()).ok_or(FetchError::NoServerCertificate)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
    let connection = tokio::spawn(connection);
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(header::HOST, authority)
        .header(header::USER_AGENT, "mtls-demo")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| FetchError::Body(error.into()))?;
    let response = sender.send_request(request).await;
    // With TLS 1.3 a server refuses a client's certificate only after the client's handshake is done: the
    // first read tells.
    let response = response.map_err(|error| refused_late(error, url))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await.map_err(FetchError::Body)?;
    connection.abort();
    Ok(Answer { status, body: first_line(&body.to_bytes()), server })
}

async fn connect(url: &Uri, config: Arc<ClientConfig>) -> Result<(TlsStream<TcpStream>, String), FetchError> {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let (port, authority) =
        (url.port_u16().unwrap_or(443), url.authority().map(ToString::to_string).unwrap_or_default());
    let name = ServerName::try_from(host.to_owned()).map_err(|_| FetchError::BadName(host.into()))?;
    let tcp = TcpStream::connect((host, port))
        .await
        .map_err(|source| FetchError::Connect { authority: authority.clone(), source })?;
    match TlsConnector::from(config).connect(name, tcp).await {
        Ok(tls) => Ok((tls, authority)),
        Err(error) => Err(FetchError::Handshake { reason: why(&error), authority }),
    }
}

fn refused_late(error: hyper::Error, url: &Uri) -> FetchError {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref::<io::Error>() {
            let authority = url.authority().map(ToString::to_string).unwrap_or_default();
            return FetchError::Handshake { authority, reason: why(io) };
        }
        cause = current.source();
    }
    FetchError::Http(error)
}

/// The reason of a failed handshake, in words that lead on.
fn why(error: &io::Error) -> String {
    use rustls::{CertificateError::UnknownIssuer, Error};
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        // an alert that comes after a request may be lost with the connection
        return format!("{error}; if the server ended the connection, its log says why");
    };
    match (refusal(tls), tls) {
        (Some(reason), _) => reason.to_string(),
        (_, Error::InvalidCertificate(UnknownIssuer)) => {
            "the server's certificate isn't verified against any anchor of --server-trust-bundle".into()
        }
        (_, Error::AlertReceived(alert)) => {
            format!("the server ended it ({alert:?}{}); its log says why", hint(*alert))
        }
        (_, other) => other.to_string(),
    }
}

fn hint(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::UnknownCA => ": it doesn't trust the CA of this client's certificate",
        AlertDescription::CertificateRequired => ": it wants a client certificate, see --client-cred-bundle",
        AlertDescription::CertificateUnknown => ": it doesn't admit this client's certificate",
        AlertDescription::CertificateExpired => ": this client's certificate has expired",
        AlertDescription::AccessDenied => ": it may have no certificate yet",
        _ => "",
    }
}

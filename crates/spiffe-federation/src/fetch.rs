//! Fetching a bundle.

use std::{fmt::Write as _, fs::File, io::Read as _, path::Path, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use ca_pool::CaCertificate;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use spiffe_bundle::{BundleError, SpiffeBundle};
use spiffe_id::{SpiffeId, parse_spiffe_id};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use x509_cert::{
    Certificate,
    der::Decode as _,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::{Endpoint, EndpointUrl, InvalidUrl, Profile};

/// What an endpoint may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For all of it, redirects included.
    pub time: Duration,
    /// Redirects that are followed.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(30), redirects: 3 }
    }
}

/// Why a bundle couldn't be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Nothing of the bundle came in time.
    #[error("no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The server can't be reached, or isn't who it should be.
    #[error("no connection: {0}")]
    Connection(String),
    /// The host in the URL is neither a DNS name nor an IP address.
    #[error("{0:?} is neither a DNS name nor an IP address")]
    Host(String),
    /// The CAs that verify the server can't be read, or there are none.
    #[error("{0}")]
    Roots(String),
    /// Its answer is another one.
    #[error("the answer is {0}")]
    Status(StatusCode),
    /// It leads elsewhere, where it may not.
    #[error("a redirect leads to what is {0}")]
    Redirect(#[from] InvalidUrl),
    /// It leads elsewhere again and again.
    #[error("more than {0} redirects")]
    Redirects(usize),
    /// It broke off.
    #[error("the answer broke off: {0}")]
    Body(String),
    /// The answer isn't a valid bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Fetches a bundle. `latest` are the anchors by which a server with an X.509-SVID is verified: those of the latest
/// bundle of its trust domain.
///
/// # Errors
/// If the server doesn't answer in time, isn't the configured one, or has no bundle there.
pub async fn fetch(
    endpoint: &Endpoint,
    latest: &[CaCertificate],
    limits: Limits,
) -> Result<SpiffeBundle, FetchError> {
    let config = Arc::new(client_config(&endpoint.profile, latest)?);
    let following = async {
        let mut url = endpoint.url.clone();
        // each redirect is temporary: the next fetch begins at the configured URL (§5.2)
        for _ in 0..=limits.redirects {
            match get(&url, Arc::clone(&config)).await? {
                Answer::Bundle(json) => return Ok(SpiffeBundle::from_json(&json)?),
                Answer::Redirect(location) => url = url.redirected(&location)?,
            }
        }
        Err(FetchError::Redirects(limits.redirects))
    };
    timeout(limits.time, following).await.map_err(|_| FetchError::TooSlow(limits.time))?
}

enum Answer {
    Bundle(Bytes),
    Redirect(String),
}

async fn get(url: &EndpointUrl, config: Arc<ClientConfig>) -> Result<Answer, FetchError> {
    let failed = |error: &dyn std::error::Error| FetchError::Connection(causes(error));
    let name =
        ServerName::try_from(url.host().to_owned()).map_err(|_| FetchError::Host(url.host().to_owned()))?;
    let stream = TcpStream::connect((url.host(), url.port())).await.map_err(|error| failed(&error))?;
    let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| failed(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    let request = Request::get(url.path())
        .header(header::HOST, url.authority())
        .header(header::ACCEPT, "application/json")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failed(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        match response.status() {
            StatusCode::OK => {
                let body = Limited::new(response.into_body(), SpiffeBundle::MAX_BYTES).collect().await;
                Ok(Answer::Bundle(body.map_err(|error| broken(&*error))?.to_bytes()))
            }
            status if status.is_redirection() => {
                let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
                location.map(|to| Answer::Redirect(to.to_owned())).ok_or(FetchError::Status(status))
            }
            status => Err(FetchError::Status(status)),
        }
    };
    // the connection is driven while the answer is read; when it ends, what has come is there to be read
    let mut exchange = pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
}

fn broken(error: &(dyn std::error::Error + Send + Sync + 'static)) -> FetchError {
    if error.is::<LengthLimitError>() {
        return BundleError::TooLong(SpiffeBundle::MAX_BYTES + 1).into();
    }
    FetchError::Body(causes(error))
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // writing to a String can't fail
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

fn client_config(profile: &Profile, latest: &[CaCertificate]) -> Result<ClientConfig, FetchError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchError::Connection(error.to_string()))?;
    Ok(match profile {
        Profile::HttpsWeb { ca_file } => {
            builder.with_root_certificates(web_roots(ca_file.as_deref())?).with_no_client_auth()
        }
        Profile::HttpsSpiffe { endpoint_id } => {
            let mut roots = RootCertStore::empty();
            let anchors = latest.iter().map(|anchor| CertificateDer::from(anchor.der().to_vec()));
            roots.add_parsable_certificates(anchors);
            if roots.is_empty() {
                let problem = "no bundle of the endpoint's trust domain is known by which to verify it; configure its first one";
                return Err(FetchError::Roots(problem.to_owned()));
            }
            let verifier = SvidVerifier { roots, endpoint_id: endpoint_id.clone(), provider };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    })
}

/// The longest file of CAs that is read.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Read anew for each fetch: a file may change, and fetches are minutes apart.
fn web_roots(ca_file: Option<&Path>) -> Result<RootCertStore, FetchError> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
        Some(path) => {
            let mut bytes = Vec::new();
            let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes));
            read.map_err(|error| FetchError::Roots(format!("{} can't be read: {error}", path.display())))?;
            let blocks = pem_blocks::blocks(&bytes).map_err(|bad| {
                FetchError::Roots(format!("{}, line {}: {}", path.display(), bad.line, bad.problem))
            })?;
            let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
            roots.add_parsable_certificates(certificates.map(|block| block.der.to_vec().into()))
        }
    };
    if roots.is_empty() {
        return Err(FetchError::Roots(match ca_file {
            Some(path) => format!("{} has no CA by which to verify the server", path.display()),
            None => "the system trusts no CA by which to verify the server; name a file of CAs".to_owned(),
        }));
    }
    Ok(roots)
}

/// Verifies an endpoint by its SPIFFE ID (§5.2.2): a path to the latest bundle, the rules of an X.509-SVID, and the
/// very ID that is configured. The host's name doesn't count.
#[derive(Debug)]
struct SvidVerifier {
    roots: RootCertStore,
    endpoint_id: SpiffeId,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for SvidVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, algorithms)?;
        match svid_of(end_entity) {
            Some(id) if id == self.endpoint_id => Ok(ServerCertVerified::assertion()),
            Some(id) => Err(rustls::Error::General(format!(
                "the server is {id}, and {} is expected",
                self.endpoint_id
            ))),
            None => Err(rustls::Error::General("the server's certificate isn't an X.509-SVID".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The SPIFFE ID of a leaf that has exactly one URI.
fn svid_of(der: &[u8]) -> Option<SpiffeId> {
    let certificate = Certificate::from_der(der).ok()?;
    let (_, SubjectAltName(names)) = certificate.tbs_certificate().get_extension().ok()??;
    let mut uris = names.iter().filter_map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
        _ => None,
    });
    let id = parse_spiffe_id(uris.next()?).ok()?;
    uris.next().is_none().then_some(id)
}

#[cfg(test)]
mod tests;

//! What a TLS server shows, whoever it is.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::{net::TcpStream, runtime::Builder, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{error::Error, observed::shown};

/// How long a server may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The certificates that a server shows, the leaf first. Nothing is sent to it but the handshake.
pub(super) fn chain(
    address: &str,
    name: Option<&ServerName<'static>>,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let refused = |problem: String| Error::Peer { address: shown(address), problem };
    let (host, _) =
        address.rsplit_once(':').ok_or_else(|| refused("it has no port; write HOST:PORT".to_owned()))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let of_host = || {
        ServerName::try_from(host.to_owned()).map_err(|_| {
            refused(
                "its host is neither a DNS name nor an IP address; write HOST:PORT, without https://"
                    .to_owned(),
            )
        })
    };
    let server = name.map_or_else(of_host, |name| Ok(name.clone()))?;
    let recorder = Arc::new(Recorder { provider: aws_lc_rs::default_provider(), shown: Mutex::default() });
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(recorder.clone())
        .with_no_client_auth();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let handshake = async {
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let connected = TlsConnector::from(Arc::new(config)).connect(server, stream).await;
        connected.map(drop).map_err(|error| error.to_string())
    };
    let ended = runtime.block_on(async { timeout(HANDSHAKE_TIMEOUT, handshake).await });
    let Shown { chain, has_key } = std::mem::take(&mut *recorder.shown());
    match ended {
        // a server that wants a client's certificate has shown its own by then
        _ if has_key => Ok(chain),
        Ok(Ok(())) => Err(refused("it showed no certificate".to_owned())),
        Ok(Err(problem)) => Err(refused(problem)),
        Err(_) => Err(refused(format!("no answer within {} s", HANDSHAKE_TIMEOUT.as_secs()))),
    }
}

/// Keeps what is shown. Whether it is verified, others decide; that the server has its key, this does.
struct Recorder {
    provider: CryptoProvider,
    shown: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    /// Whether the server has signed with the first one's key.
    has_key: bool,
}

impl Recorder {
    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signed(
        &self,
        verified: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.shown().has_key = verified.is_ok();
        verified
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        self.shown().chain = all.map(|der| der.clone().into_owned()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed(verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        ))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed(verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        ))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

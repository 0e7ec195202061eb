//! Whether a server is believed, as Go decides it where a kubeconfig names certificates.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::x509::Certificate;

/// Believes what the certificates of a kubeconfig vouch for, and a server that has one of them for its own.
pub(crate) struct Verifier {
    anchors: Arc<[Certificate]>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(crate) fn new(anchors: Arc<[Certificate]>, provider: Arc<CryptoProvider>) -> Self {
        Self { anchors, provider }
    }

    /// A verifier that goes by those of these that may vouch for others.
    fn by<'a>(
        &self,
        anchors: impl Iterator<Item = &'a Certificate>,
    ) -> Result<Arc<WebPkiServerVerifier>, rustls::Error> {
        let mut roots = RootCertStore::empty();
        let issuers = anchors.filter(|anchor| anchor.may_issue);
        roots.add_parsable_certificates(issuers.map(|anchor| anchor.der.clone()));
        WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&self.provider))
            .build()
            .map_err(|_| CertificateError::UnknownIssuer.into())
    }
}

/// A server whose certificate is one of the anchors (`if opts.Roots.contains(c)` in Go's `Verify`).
fn verify_pinned(pinned: &Certificate, name: &ServerName<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    if now < pinned.not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before: pinned.not_before }.into());
    }
    if pinned.not_after < now {
        return Err(CertificateError::ExpiredContext { time: now, not_after: pinned.not_after }.into());
    }
    if !pinned.may_serve {
        return Err(CertificateError::InvalidPurpose.into());
    }
    verify_server_name(&ParsedCertificate::try_from(&pinned.der)?, name)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(pinned) = self.anchors.iter().find(|anchor| anchor.der == *end_entity) {
            return verify_pinned(pinned, server_name, now).map(|()| ServerCertVerified::assertion());
        }
        // Where this machine's clock is wrong, the server's own certificate is to be told, not its issuer's.
        let verify = |by: Arc<WebPkiServerVerifier>| {
            by.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        verify(self.by(self.anchors.iter())?)?;
        // Go looks at the validity of anchors too; webpki doesn't.
        verify(self.by(self.anchors.iter().filter(|anchor| anchor.is_valid(now)))?)
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

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("anchors", &self.anchors.len()).finish_non_exhaustive()
    }
}

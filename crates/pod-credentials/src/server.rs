//! A server's side of TLS.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    server::{
        NoServerSessionStorage,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{credentials::Credentials, peer::PeerRule, presented::Presented, trust::Trust, watched::Watched};

/// Which clients a server talks with.
#[derive(Clone, Debug)]
pub struct Clients(Option<Known>);

#[derive(Clone, Debug)]
struct Known {
    trust: Trust,
    rule: PeerRule,
    mandatory: bool,
}

impl Clients {
    /// All; nobody is asked for a certificate.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Those with a certificate that is verified against the trust bundle and that the rule admits. Others fail in the
    /// handshake.
    #[must_use]
    pub fn required(trust: impl Into<Trust>, rule: PeerRule) -> Self {
        Self(Some(Known { trust: trust.into(), rule, mandatory: true }))
    }

    /// Those too that show no certificate; a wrong one still fails. What anonymous clients may do, the
    /// handler must decide.
    #[must_use]
    pub fn optional(trust: impl Into<Trust>, rule: PeerRule) -> Self {
        Self(Some(Known { trust: trust.into(), rule, mandatory: false }))
    }
}

/// A server's configuration: each handshake shows the certificate, and trusts the anchors, that are in use at
/// that moment. Without a certificate yet, handshakes fail.
///
/// Sessions aren't resumed: a resumed session takes over what was verified in an earlier handshake, and so
/// would outlive the anchors, the client's certificate and the rule by which that was done. Whoever changes
/// `session_storage`, `ticketer` or `send_tls13_tickets` of the result gives that up. `alpn_protocols` is
/// empty; set it where HTTP/2 is spoken.
///
/// # Errors
/// If rustls has no protocol version that its cryptography can do, which no build of this crate has shown.
///
/// ```
/// use pod_credentials::*;
///
/// let credentials = Watched::follow(CredentialFiles::bundle("/run/tls/credentials.pem"), DEFAULT_POLL)?;
/// let trust = Watched::follow(TrustFile::new("/run/tls/spiffe-roots.pem"), DEFAULT_POLL)?;
/// let mesh = SpiffeRule::in_trust_domain(parse_trust_domain("cluster.local")?);
/// let config = server_config(&credentials, Clients::required(&trust, PeerRule::spiffe(mesh)))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn server_config(
    credentials: &Watched<Credentials>,
    clients: Clients,
) -> Result<ServerConfig, rustls::Error> {
    let provider = crate::provider();
    let algorithms = provider.signature_verification_algorithms;
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match clients.0 {
        None => builder.with_no_client_auth(),
        Some(known) => builder.with_client_cert_verifier(Arc::new(Verifier { known, algorithms })),
    };
    let mut config = builder.with_cert_resolver(Arc::new(Presented::new(credentials)));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    known: Known,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        self.known.mandatory
    }

    /// None: they are optional (RFC 8446 §4.2.4), may change between two handshakes, and tell anybody whom
    /// the server trusts.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let trust = self.known.trust.of_peer(end_entity)?;
        let verified = trust.of_clients.verify_client_cert(end_entity, intermediates, now)?;
        self.known.rule.check(end_entity)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

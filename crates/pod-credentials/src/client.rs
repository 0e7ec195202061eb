//! A client's side of TLS.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::{credentials::Credentials, peer::PeerRule, presented::Presented, trust::Trust, watched::Watched};

/// Which servers a client talks with.
#[derive(Clone, Debug)]
pub struct Servers {
    trust: Trust,
    named_by: NamedBy,
}

#[derive(Clone, Debug)]
enum NamedBy {
    Url,
    Rule(PeerRule),
}

impl Servers {
    /// Those whose certificate has the DNS name or IP address that the client asks for: the usual check of
    /// HTTPS.
    #[must_use]
    pub fn by_name(trust: impl Into<Trust>) -> Self {
        Self { trust: trust.into(), named_by: NamedBy::Url }
    }

    /// Those that the rule admits, whatever the name by which they are reached: for servers with a SPIFFE ID.
    #[must_use]
    pub fn by_rule(trust: impl Into<Trust>, rule: PeerRule) -> Self {
        Self { trust: trust.into(), named_by: NamedBy::Rule(rule) }
    }
}

/// A client's configuration: each handshake shows the certificate, and trusts the anchors, that are in use at
/// that moment. `credentials` is what the client shows where the server asks for it; as long as there are
/// none, it shows nothing, and the log says why.
///
/// Sessions aren't resumed, for the reasons that [`server_config`](crate::server_config) gives. Connections
/// that live go on; whoever keeps them in a pool closes them now and then, so that both ends meet each
/// other's renewed certificates.
///
/// # Errors
/// If rustls has no protocol version that its cryptography can do, which no build of this crate has shown.
///
/// ```
/// use pod_credentials::*;
///
/// let credentials = Watched::follow(CredentialFiles::bundle("/run/tls/credentials.pem"), DEFAULT_POLL)?;
/// let trust = Watched::follow(TrustFile::new("/run/tls/spiffe-roots.pem"), DEFAULT_POLL)?;
/// let web = SpiffeRule::exactly("spiffe://cluster.local/ns/shop/sa/web".parse()?);
/// let config = client_config(Some(&credentials), Servers::by_rule(&trust, PeerRule::spiffe(web)))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn client_config(
    credentials: Option<&Watched<Credentials>>,
    servers: Servers,
) -> Result<ClientConfig, rustls::Error> {
    let provider = crate::provider();
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { servers, algorithms }));
    let mut config = match credentials {
        None => builder.with_no_client_auth(),
        Some(credentials) => builder.with_client_cert_resolver(Arc::new(Presented::new(credentials))),
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    servers: Servers,
    algorithms: WebPkiSupportedAlgorithms,
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
        let trust = self.servers.trust.of_peer(end_entity)?;
        match &self.servers.named_by {
            NamedBy::Url => trust.of_servers.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            NamedBy::Rule(rule) => {
                let parsed = ParsedCertificate::try_from(end_entity)?;
                let algorithms = self.algorithms.all;
                verify_server_cert_signed_by_trust_anchor(
                    &parsed,
                    &trust.roots,
                    intermediates,
                    now,
                    algorithms,
                )?;
                rule.check(end_entity)?;
                Ok(ServerCertVerified::assertion())
            }
        }
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

//! What is read of the files that a context names. They are read again every minute: kubelet, cert-manager
//! and agents renew them.

use std::sync::Arc;

use http::HeaderValue;
use jiff::Timestamp;
use rustls::{ClientConfig, client::ResolvesClientCert, crypto::CryptoProvider, sign::CertifiedKey};
use zeroize::Zeroizing;

use crate::{
    Error,
    credentials::{basic, bearer, token_of},
    exec::{ExecCredential, KeyPair},
    fields::Content,
    files::{self, LARGEST},
    oidc, pem,
    proxy::Proxy,
    target::{Login, Target, Trust},
    verifier::Verifier,
    x509::Certificate,
};

/// Certificates and keys as they stand in their files.
#[derive(PartialEq, Eq)]
pub(crate) struct TlsFiles {
    authorities: Option<Zeroizing<Vec<u8>>>,
    identity: Option<KeyPair>,
}

impl TlsFiles {
    /// Reads them; a plugin's certificate stands in for those that the user has none of.
    pub(crate) fn read(target: &Target, plugin: &ExecCredential) -> Result<Self, Error> {
        let authorities = match &target.trust {
            Trust::Authorities(content) if target.server.is_https() => {
                Some(read(content, &target.cluster, "`certificate-authority`")?)
            }
            _ => None,
        };
        let identity = match &target.certificate {
            Some((certificate, key)) => Some(KeyPair {
                certificate: read(certificate, &target.user, "`client-certificate`")?,
                key: read(key, &target.user, "`client-key`")?,
            }),
            None => plugin.certificate.clone(),
        };
        Ok(Self { authorities, identity })
    }

    /// How TLS is spoken with them, and who vouches for the server.
    pub(crate) fn client_config(&self, target: &Target) -> Result<(ClientConfig, Arc<[Certificate]>), Error> {
        let wrong = |entry: &str, problem: String| Error::Entry { entry: entry.to_owned(), problem };
        let mut config = base(target)?;
        let mut known = Arc::from([]);
        if let Some(authorities) = &self.authorities {
            let anchors = pem::authorities(authorities)
                .map_err(|problem| wrong(&target.cluster, format!("its certificate authority {problem}")))?;
            let provider = Arc::clone(config.crypto_provider());
            known = anchors.into();
            config
                .dangerous()
                .set_certificate_verifier(Arc::new(Verifier::new(Arc::clone(&known), provider)));
        }
        if let Some(KeyPair { certificate, key }) = &self.identity {
            let identity = pem::identity(certificate, key).map_err(|problem| wrong(&target.user, problem))?;
            config.client_auth_cert_resolver = Arc::new(Identity(Arc::new(identity)));
        }
        Ok((config, known))
    }
}

fn read(content: &Content, entry: &str, field: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    match content {
        Content::Data(data) => Ok(data.clone()),
        Content::File(path) => files::read(path, LARGEST)?.ok_or_else(|| Error::Entry {
            entry: entry.to_owned(),
            problem: format!("{field} {} doesn't exist; correct the path (a relative one counts from the kubeconfig's directory)", path.display()),
        }),
    }
}

/// kube's own configuration: the system's CAs, or none at all.
fn base(target: &Target) -> Result<ClientConfig, Error> {
    use kube::client::ConfigExt as _;

    if CryptoProvider::get_default().is_none() {
        // fails only if another thread has just done it
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    }
    let mut config = kube::Config::new(http::Uri::from_static("https://localhost"));
    // The system may have no CAs at all, so they are asked for where they count alone. A named authority's
    // verifier replaces this one.
    let is_tls = target.server.is_https();
    let is_tls_to_proxy = target.proxy.as_ref().is_some_and(Proxy::is_https);
    config.accept_invalid_certs =
        if is_tls { !matches!(target.trust, Trust::System) } else { !is_tls_to_proxy };
    if config.accept_invalid_certs {
        config.root_cert = Some(Vec::new());
    }
    config.rustls_client_config().map_err(|_| {
        Error::Tls("this system has no CA certificates, and the kubeconfig names none; add `certificate-authority`, or install ca-certificates".into())
    })
}

/// Sends this certificate to whoever asks for one, as client-go does.
#[derive(Debug)]
struct Identity(Arc<CertifiedKey>);

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The header `Authorization` for the next call.
pub(crate) fn authorization(target: &Target, plugin: &ExecCredential) -> Result<Option<HeaderValue>, Error> {
    let user = &target.user;
    match &target.login {
        Login::Nothing => Ok(None),
        Login::Basic(name, password) => basic(name, password).map(Some),
        Login::Token { given, file } => {
            let of_file = file.as_ref().map(|file| token_of(file, user));
            match (of_file, given) {
                (Some(Ok(header)), _) => Ok(Some(header)),
                (_, Some(given)) => bearer(given, user, "`token`").map(Some),
                (of_file, None) => of_file.transpose(),
            }
        }
        Login::Oidc(token) => {
            oidc::check(token, Timestamp::now(), user)?;
            bearer(token, user, "the `id-token` of its auth-provider").map(Some)
        }
        Login::Exec(_) => plugin
            .token
            .as_ref()
            .map(|token| bearer(token, user, "what its plugin gave as token"))
            .transpose(),
    }
}

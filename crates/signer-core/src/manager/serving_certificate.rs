//! Certificates of this process's own servers: of files, or issued by one of its signers. They never come from a
//! podCertificate volume: this process would have to sign it before it starts.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::{self, sign::any_supported_type},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep},
};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::supervisor::Spawner;
use crate::{
    certificate_facts::CertificateFacts, controller::issuer::Issuer, policy::Policy, pool_source::PoolState,
};
use ca_pool::{IssuedCertificate, Leaf, PublicKey, SigningKey, SigningKeyType, Terms, names::SignerName};

/// How often files are looked at.
const POLL: Duration = Duration::from_secs(60);
/// The delay before a retry.
const RETRY: Duration = Duration::from_secs(5);
/// How long a signer may take at its start before somebody hears of it.
const QUIET_START: Duration = Duration::from_secs(60);
/// The longest file that is read.
const LONGEST: u64 = 1024 * 1024;

/// A server's certificate.
#[derive(Clone, Debug)]
pub enum ServingCertificate {
    /// In PEM files, which are read again when they change.
    Files {
        /// The certificate, and those above it but for the root.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// Issued by a signer of this process by its policy, and renewed as that says, or when its CA leaves the pool.
    Issued {
        /// The signer.
        signer: SignerName,
        /// What it says: the name by which clients verify the server.
        leaf: Box<Leaf>,
    },
}

/// A server, in logs and audit records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    /// As logs call it.
    pub(super) name: &'static str,
    /// `purpose` of audit records.
    pub(super) purpose: &'static str,
}

/// Where signers leave what issues their certificates, for the servers that wait for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct IssuerSlots(Vec<(SignerName, watch::Sender<Option<Offer>>)>);

impl IssuerSlots {
    /// A signer runs.
    pub(crate) fn offer(&self, signer: &SignerName, issuer: &Issuer, policy: &Policy) {
        let Self(slots) = self;
        for (_, slot) in slots.iter().filter(|(wanted, _)| wanted == signer) {
            slot.send_replace(Some(Offer { issuer: issuer.clone(), policy: policy.clone() }));
        }
    }

    /// Starts what keeps a server's certificate.
    pub(super) fn keep(
        &mut self,
        certificate: ServingCertificate,
        server: Server,
        tasks: &Spawner,
    ) -> Resolver {
        let resolver = Resolver::default();
        let task = format!("certificate of the {}", server.name);
        match certificate {
            ServingCertificate::Files { cert, key } => {
                tasks.spawn(task, follow(cert, key, server, resolver.clone()));
            }
            ServingCertificate::Issued { signer, leaf } => {
                let (slot, offered) = watch::channel(None);
                tasks.spawn(task, renew(offered, signer.clone(), leaf, server, resolver.clone()));
                self.0.push((signer, slot));
            }
        }
        resolver
    }
}

/// TLS with whatever certificate is there at each handshake.
pub(super) fn acceptor(resolver: Resolver) -> Result<TlsAcceptor, rustls::Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = config.with_safe_default_protocol_versions()?;
    Ok(TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(resolver)))))
}

/// Gives handshakes the certificate that is there; without one they fail. Cheap to clone.
#[derive(Clone)]
pub(super) struct Resolver(watch::Sender<Option<Arc<CertifiedKey>>>);

impl Default for Resolver {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.borrow().clone()
    }
}

impl Resolver {
    fn set(&self, key: CertifiedKey) {
        self.0.send_replace(Some(Arc::new(key)));
    }
}

/// Reads the files again and again. What can't be read leaves the last one in use. Never ends.
async fn follow(cert: PathBuf, key: PathBuf, server: Server, resolver: Resolver) {
    let server = server.name;
    let (mut last, mut last_problem) = (None, None);
    loop {
        let (cert, key) = (cert.clone(), key.clone());
        let read = spawn_blocking(move || Ok::<_, String>((read(&cert)?, read(&key)?)));
        let read = read.await.unwrap_or_else(|_| Err("the thread that reads files ended early".to_owned()));
        let problem = match read {
            Ok(files) if last.as_ref() == Some(&files) => None,
            Ok(files) => match certified(&files.0, &files.1) {
                Ok(certified) => {
                    tracing::info!("the {server} has a new certificate");
                    resolver.set(certified);
                    last = Some(files);
                    None
                }
                Err(problem) => Some(problem),
            },
            Err(problem) => Some(problem),
        };
        if problem != last_problem {
            if let Some(problem) = &problem {
                let until_then = if last.is_some() { "the last one stays" } else { "nobody can connect" };
                tracing::warn!("the certificate of the {server} can't be used, so {until_then}: {problem}");
            }
            last_problem = problem.clone();
        }
        sleep(if problem.is_some() { RETRY } else { POLL }).await;
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read =
        |bytes: &mut Vec<u8>| -> io::Result<usize> { File::open(path)?.take(LONGEST + 1).read_to_end(bytes) };
    match read(&mut bytes) {
        Ok(count) if count as u64 > LONGEST => Err(format!("{} is longer than 1 MiB", path.display())),
        Ok(_) => Ok(bytes),
        Err(error) => Err(format!("{} can't be read: {error}", path.display())),
    }
}

/// A chain and its key, in PEM.
fn certified(cert: &[u8], key: &[u8]) -> Result<CertifiedKey, String> {
    let blocks =
        pem_blocks::blocks(cert).map_err(|bad| format!("certificate, line {}: {}", bad.line, bad.problem))?;
    let chain = blocks.iter().filter(|block| block.label == "CERTIFICATE");
    let chain: Vec<_> = chain.map(|block| CertificateDer::from(block.der.to_vec())).collect();
    if chain.is_empty() {
        return Err("the certificate's file has no CERTIFICATE in PEM".to_owned());
    }
    let blocks = pem_blocks::blocks(key).map_err(|bad| format!("key, line {}: {}", bad.line, bad.problem))?;
    let key = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY") && !block.encrypted);
    let key = key.ok_or("the key's file has no unencrypted PRIVATE KEY in PEM")?;
    let key =
        SigningKey::from_der(&key.der).and_then(|key| key.to_pkcs8()).map_err(|error| error.to_string())?;
    of_pkcs8(chain, &key)
}

fn of_pkcs8(chain: Vec<CertificateDer<'static>>, pkcs8: &[u8]) -> Result<CertifiedKey, String> {
    let key = PrivateKeyDer::Pkcs8(pkcs8.to_vec().into());
    let key = any_supported_type(&key).map_err(|error| error.to_string())?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(error) => Err(format!("certificate and key don't belong together: {error}")),
    }
}

/// What a signer issues with.
#[derive(Clone, Debug)]
struct Offer {
    issuer: Issuer,
    policy: Policy,
}

/// Has the certificate issued, and again when it is to be refreshed or its CA has left the pool. Never ends.
async fn renew(
    mut offered: watch::Receiver<Option<Offer>>,
    signer: SignerName,
    leaf: Box<Leaf>,
    server: Server,
    resolver: Resolver,
) {
    let began = Instant::now();
    let mut last_problem = None;
    loop {
        let offer = offered.wait_for(Option::is_some).await.ok().and_then(|offer| offer.clone());
        // not reached without: the signer's end is that of the process
        let Some(Offer { issuer, policy }) = offer else { return std::future::pending().await };
        match issue(&issuer, &policy, &leaf).await {
            Ok((issued, key)) => {
                record(&signer, server.purpose, &issued);
                resolver.set(key);
                last_problem = None;
                let left = issued.begin_refresh_at.duration_since(issuer.clock.now());
                let left = Duration::try_from(left).unwrap_or_default().max(RETRY);
                tokio::select! {
                    () = sleep(left) => {}
                    () = without_ca(issuer.pool.clone(), &issued.authority_sha256) => {}
                }
            }
            Err(problem) => {
                // pools, bundles and the clock are read at the start
                let is_logged = began.elapsed() >= QUIET_START;
                if is_logged && last_problem.as_ref() != Some(&problem) {
                    tracing::warn!(%signer, "the {} gets no certificate: {problem}", server.name);
                    last_problem = Some(problem);
                }
                sleep(RETRY).await;
            }
        }
    }
}

/// Waits until a pool is loaded that doesn't have this CA.
async fn without_ca(mut pool: watch::Receiver<PoolState>, sha256: &str) {
    let has_left = |state: &PoolState| {
        let pool = state.pool.as_ref();
        pool.is_some_and(|pool| {
            pool.authorities().all(|authority| authority.issuer().fingerprint() != sha256)
        })
    };
    if pool.wait_for(has_left).await.is_err() {
        // the signer's end is that of the process
        std::future::pending().await
    }
}

async fn issue(
    issuer: &Issuer,
    policy: &Policy,
    leaf: &Leaf,
) -> Result<(IssuedCertificate, CertifiedKey), String> {
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).map_err(|error| error.to_string())?;
    let public = PublicKey::from_pkix(key.spki_der()).map_err(|error| error.to_string())?;
    let leaf = Box::new(policy.with_extensions(leaf.clone()));
    let issued = issuer
        .issue(leaf, public, policy.terms(Terms::default().requested_max))
        .await
        .map_err(|error| error.to_string())?;
    let blocks = pem_blocks::blocks(issued.chain_pem.as_bytes()).map_err(|bad| bad.problem.to_owned())?;
    let chain = blocks.iter().map(|block| CertificateDer::from(block.der.to_vec())).collect();
    let key = of_pkcs8(chain, &key.to_pkcs8().map_err(|error| error.to_string())?)?;
    Ok((issued, key))
}

/// For the audit log: a certificate that no request asked for.
fn record(signer: &SignerName, purpose: &str, issued: &IssuedCertificate) {
    let facts = CertificateFacts::of_der(&issued.leaf_der).unwrap_or_default();
    tracing::info!(
        target: "audit", outcome = "Issued", %signer, purpose, dns_names = facts.dns_names.join(" "),
        uris = (!facts.uris.is_empty()).then(|| facts.uris.join(" ")),
        usages = facts.usages.join(", "), key_type = facts.key.key_type, spki_sha256 = facts.key.spki_sha256,
        serial = %issued.serial, not_before = %issued.not_before, not_after = %issued.not_after,
        ca = issued.authority_id, ca_sha256 = issued.authority_sha256,
    );
}

#[cfg(test)]
mod tests;

//! Pools as PEM files, as cert-manager and `kubectl create secret tls` make them: one authority.

use pem_blocks::Block;

use super::{CaPool, PoolError};
use crate::authority::{CaCertificate, CertificateAuthority, SigningKey};

/// What messages call the inputs of a CA in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PemNames {
    /// The certificate that signs, and those above it.
    pub cert: &'static str,
    /// Its private key.
    pub key: &'static str,
    /// The root.
    pub root: &'static str,
}

impl PemNames {
    /// The fields of the controller's configuration.
    pub const CONFIGURATION: Self = Self { cert: "certFile", key: "keyFile", root: "rootFile" };
}

impl CaPool {
    /// Reads a pool of one authority from PEM: `cert` holds the certificate that belongs to the key and those above it, in any
    /// order; `key` the private key (SEC 1, PKCS #1 or PKCS #8); `root` the root's certificate, where `cert` doesn't have it.
    ///
    /// # Errors
    /// If they aren't PEM, or make no certificate authority with a root.
    pub fn from_pem(cert: &[u8], key: &[u8], root: Option<&[u8]>) -> Result<Self, PoolError> {
        Self::from_named_pem(cert, key, root, PemNames::CONFIGURATION)
    }

    /// The same where messages call the inputs something else than the controller's configuration does.
    ///
    /// # Errors
    /// As those of [`from_pem`](Self::from_pem).
    pub fn from_named_pem(
        cert: &[u8],
        key: &[u8],
        root: Option<&[u8]>,
        names: PemNames,
    ) -> Result<Self, PoolError> {
        let chain = certificates(names.cert, cert)?;
        let key = private_key(names.key, key)?;
        let roots = match root {
            Some(root) => certificates(names.root, root)?,
            None => self_issued(&chain, names)?,
        };
        let id = id(&chain, &key);
        let authority = CertificateAuthority::new(id, key, chain, roots).map_err(PoolError::PemAuthority)?;
        Self::new(vec![authority])
    }
}

/// PEM has no place for an ID: the beginning of the fingerprint of the certificate that signs.
fn id(chain: &[CaCertificate], key: &SigningKey) -> String {
    let own = chain.iter().find(|certificate| certificate.spki_der() == key.spki_der());
    let fingerprint = own.map(CaCertificate::fingerprint).unwrap_or_default();
    fingerprint.replace(':', "").chars().take(8).collect::<String>().to_ascii_lowercase()
}

fn blocks<'a>(file: &'static str, text: &'a [u8]) -> Result<Vec<Block<'a>>, PoolError> {
    if text.len() > CaPool::MAX_INPUT_BYTES {
        return Err(PoolError::TooLong { input: file, length: text.len() });
    }
    pem_blocks::blocks(text).map_err(|bad| PoolError::NotPem { file, line: bad.line, problem: bad.problem })
}

fn certificates(file: &'static str, text: &[u8]) -> Result<Vec<CaCertificate>, PoolError> {
    let blocks = blocks(file, text)?;
    // OpenSSL reads these as certificates; passed over here, they would be roots that nobody misses
    if let Some(other) = blocks.iter().find(|block| block.label.ends_with(" CERTIFICATE")) {
        let problem = "the block that begins here is a certificate in OpenSSL's own form; `openssl x509 -in FILE` makes it a CERTIFICATE";
        return Err(PoolError::NotPem { file, line: other.line, problem });
    }
    let found: Vec<&Block<'_>> = blocks.iter().filter(|block| block.label == "CERTIFICATE").collect();
    match found.len() {
        0 => return Err(PoolError::NoCertificate { file, found: list(&blocks) }),
        found if found > CaPool::MAX_CERTIFICATES => {
            return Err(PoolError::TooManyCertificates { place: file.to_owned(), found });
        }
        _ => {}
    }
    found
        .into_iter()
        .enumerate()
        .map(|(index, block)| {
            CaCertificate::from_der(format!("{file}, certificate {}", index + 1), &block.der)
        })
        .collect::<Result<_, _>>()
        .map_err(PoolError::PemAuthority)
}

fn private_key(file: &'static str, text: &[u8]) -> Result<SigningKey, PoolError> {
    let blocks = blocks(file, text)?;
    let mut keys = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(PoolError::NotOneKey { file, found: list(&blocks) });
    };
    if key.encrypted {
        return Err(PoolError::EncryptedKey { file });
    }
    let key = match key.label {
        "PRIVATE KEY" => SigningKey::from_pkcs8(&key.der),
        "EC PRIVATE KEY" => SigningKey::from_sec1(&key.der),
        "RSA PRIVATE KEY" => SigningKey::from_pkcs1(&key.der),
        "ENCRYPTED PRIVATE KEY" => return Err(PoolError::EncryptedKey { file }),
        _ => return Err(PoolError::NotOneKey { file, found: list(&blocks) }),
    };
    key.map_err(|source| PoolError::Key { place: file.to_owned(), source })
}

/// The roots of a chain that brings its own.
fn self_issued(chain: &[CaCertificate], names: PemNames) -> Result<Vec<CaCertificate>, PoolError> {
    let roots: Vec<CaCertificate> =
        chain.iter().filter(|certificate| certificate.is_self_issued()).cloned().collect();
    match chain.last() {
        Some(last) if roots.is_empty() => {
            Err(PoolError::NoRoot { certificate: last.to_string(), issuer: last.issuer(), names })
        }
        _ => Ok(roots),
    }
}

fn list(blocks: &[Block<'_>]) -> String {
    if blocks.is_empty() {
        return "no PEM block at all".to_owned();
    }
    blocks.iter().map(|block| block.label).collect::<Vec<_>>().join(", ")
}

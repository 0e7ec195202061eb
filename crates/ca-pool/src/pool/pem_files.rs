//! Pools as PEM files, as cert-manager and `kubectl create secret tls` make them: one authority.

use pem_blocks::Block;

use super::{CaPool, PoolError, foreign::foreign};
use crate::authority::{Anchors, AuthorityError, CaCertificate, CertificateAuthority, SigningKey};
use bounded_text::{one_line, truncated};

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
    /// Reads a pool of one authority from PEM: `cert` holds the certificate that belongs to the key and those
    /// above it, in any order; `key` the private key (SEC 1, PKCS #1 or PKCS #8); `root` the certificates of
    /// roots, where `cert` doesn't have the one. All roots of `root` become trust anchors, of those in `cert`
    /// only the ones that the CA stands under. What isn't needed and what can't be used is left aside
    /// ([`left_aside`](Self::left_aside)).
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
        let mut chain = certificates(names.cert, cert)?;
        let key = private_key(names.key, key)?;
        let (roots, anchors) = match root {
            Some(root) => {
                let mut listed = certificates(names.root, root)?;
                chain.unusable.append(&mut listed.unusable);
                (listed.usable, Anchors::Listed)
            }
            None => (self_issued(&chain, names)?, Anchors::OnPaths),
        };
        let Certificates { usable, unusable } = chain;
        let authority = CertificateAuthority::with_anchors("", key, usable, roots, anchors)
            .map_err(|source| PoolError::pem_authority(source, &unusable))?;
        let id = id(&authority);
        let unusable = unusable.iter().map(ToString::to_string);
        Self::new(vec![authority.with_id(id).leaving_aside(unusable)])
    }
}

/// PEM has no place for an ID: the beginning of the fingerprint of the certificate that signs.
fn id(authority: &CertificateAuthority) -> String {
    let fingerprint = authority.issuer().fingerprint();
    fingerprint.replace(':', "").chars().take(8).collect::<String>().to_ascii_lowercase()
}

fn blocks<'a>(file: &'static str, text: &'a [u8]) -> Result<Vec<Block<'a>>, PoolError> {
    if text.len() > CaPool::MAX_INPUT_BYTES {
        return Err(PoolError::TooLong { input: file, length: text.len() });
    }
    let blocks = pem_blocks::blocks(text);
    // what is PEM is read as such, whatever stands before its first block
    match (blocks, foreign(text)) {
        (Ok(blocks), None) => Ok(blocks),
        (Ok(blocks), Some(_)) if !blocks.is_empty() => Ok(blocks),
        (_, Some(problem)) => Err(PoolError::Foreign { file, problem }),
        (Err(bad), None) => Err(PoolError::NotPem { file, line: bad.line, problem: bad.problem }),
    }
}

/// The certificates of a file, and what stands in the place of some.
struct Certificates {
    usable: Vec<CaCertificate>,
    unusable: Vec<AuthorityError>,
}

/// Each block that is well-formed counts by itself: one that holds no certificate that a CA can have costs
/// the others nothing.
fn certificates(file: &'static str, text: &[u8]) -> Result<Certificates, PoolError> {
    let blocks = blocks(file, text)?;
    for block in &blocks {
        check_label(file, block)?;
    }
    let found = blocks.iter().filter(|block| is_certificate(block.label)).enumerate();
    let (mut usable, mut unusable) = (Vec::new(), Vec::new());
    for (index, block) in found {
        match CaCertificate::from_der(format!("{file}, certificate {}", index + 1), &block.der) {
            Ok(certificate) => usable.push(certificate),
            Err(error) => unusable.push(error),
        }
    }
    match (usable.is_empty(), unusable.first()) {
        (true, Some(error)) => Err(PoolError::pem_authority(error.clone(), &unusable[1..])),
        (true, None) => Err(PoolError::NoCertificate { file, found: list(&blocks) }),
        (false, _) => Ok(Certificates { usable, unusable }),
    }
}

/// `X509 CERTIFICATE` is what OpenSSL wrote in the last century, and reads still.
fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
}

/// Refuses blocks that may hold certificates, as they would be roots that nobody misses. Others may stand
/// there: openssl and Vault write keys, parameters and requests into the same file.
fn check_label(file: &'static str, block: &Block<'_>) -> Result<(), PoolError> {
    let problem = match block.label {
        "TRUSTED CERTIFICATE" => {
            "the block that begins here is a certificate in OpenSSL's own form; `openssl crl2pkcs7 -nocrl -certfile FILE | openssl pkcs7 -print_certs -out FILE.pem` makes CERTIFICATEs of all that are there"
        }
        "PKCS7" | "PKCS #7 SIGNED DATA" | "CMS" => {
            "the block that begins here is PKCS#7 (.p7b); `openssl pkcs7 -in FILE -print_certs -out FILE.pem` makes CERTIFICATEs of it"
        }
        "PKCS12" => {
            "the block that begins here is PKCS#12; `base64 -d` its content into FILE.p12, and `openssl pkcs12 -in FILE.p12 -nodes -out FILE.pem` makes PEM of it"
        }
        label if is_certificate(label) || is_no_certificate(label) => return Ok(()),
        label => {
            let label = truncated(&one_line(label), 40);
            return Err(PoolError::UnknownBlock { file, line: block.line, label });
        }
    };
    Err(PoolError::NotPem { file, line: block.line, problem })
}

/// What others write beside certificates.
fn is_no_certificate(label: &str) -> bool {
    ["PRIVATE KEY", "PUBLIC KEY", "PARAMETERS", "CERTIFICATE REQUEST", "CRL"]
        .iter()
        .any(|kind| label == *kind || label.strip_suffix(kind).is_some_and(|rest| rest.ends_with(' ')))
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
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => SigningKey::from_der(&key.der),
        "ENCRYPTED PRIVATE KEY" => return Err(PoolError::EncryptedKey { file }),
        "OPENSSH PRIVATE KEY" => return Err(PoolError::SshKey { file }),
        _ => return Err(PoolError::NotOneKey { file, found: list(&blocks) }),
    };
    key.map_err(|source| PoolError::Key { place: file.to_owned(), source })
}

/// The roots of a chain that brings its own.
fn self_issued(chain: &Certificates, names: PemNames) -> Result<Vec<CaCertificate>, PoolError> {
    let Certificates { usable, unusable } = chain;
    let roots: Vec<CaCertificate> =
        usable.iter().filter(|certificate| certificate.is_self_issued()).cloned().collect();
    match (usable.last(), unusable.first()) {
        (Some(_), Some(first)) if roots.is_empty() => {
            Err(PoolError::pem_authority(first.clone(), &unusable[1..]))
        }
        (Some(last), None) if roots.is_empty() => {
            Err(PoolError::NoRoot { certificate: last.to_string(), issuer: last.issuer(), names })
        }
        _ => Ok(roots),
    }
}

/// The labels of the first blocks, each of which may be as long as a line.
fn list(blocks: &[Block<'_>]) -> String {
    const NAMED: usize = 8;
    if blocks.is_empty() {
        return "no PEM block at all".to_owned();
    }
    let labels = blocks.iter().map(|block| truncated(&one_line(block.label), 40));
    let named = labels.take(NAMED).collect::<Vec<_>>().join(", ");
    let more = blocks.len().saturating_sub(NAMED);
    if more == 0 { named } else { format!("{named} and {more} more") }
}

#[cfg(test)]
mod tests;

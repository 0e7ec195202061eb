//! Certificates and keys in PEM.

use std::sync::Arc;

use pem_blocks::Block;
use rustls::{
    crypto::aws_lc_rs::sign::any_supported_type,
    sign::{CertifiedKey, SigningKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::der::Decode as _;

use crate::x509::Certificate;

/// The certificates that vouch for a server, all of them: Go takes whatever stands there for an anchor.
pub(crate) fn authorities(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let blocks = blocks(pem)?;
    let certificates: Vec<&Block<'_>> = blocks.iter().filter(|block| block.label == "CERTIFICATE").collect();
    let readable: Vec<Certificate> =
        certificates.iter().filter_map(|block| Certificate::parse(&block.der)).collect();
    match (readable.is_empty(), certificates.is_empty()) {
        (false, _) => Ok(readable),
        (true, false) => Err("holds no certificate that can be read; it must be the PEM file of the CA that signed the API server's certificate".into()),
        (true, true) => Err(nothing(&blocks, "CERTIFICATE", "it must be the PEM file of the CA that signed the API server's certificate")),
    }
}

/// A client certificate with its chain and its key.
///
/// The certificate isn't judged: that is the server's business. rustls, when it makes a client, refuses those
/// of version 1 (`openssl x509 -req` without extensions makes them), which Go's servers take.
pub(crate) fn identity(certificate: &[u8], key: &[u8]) -> Result<CertifiedKey, String> {
    let blocks = blocks(certificate).map_err(|problem| format!("the client certificate {problem}"))?;
    let chain = blocks.iter().filter(|block| block.label == "CERTIFICATE");
    let chain: Vec<CertificateDer<'static>> =
        chain.map(|block| CertificateDer::from(block.der.to_vec())).collect();
    let Some(leaf) = chain.first() else {
        return Err(format!(
            "the client certificate {}",
            nothing(&blocks, "CERTIFICATE", "it must be a PEM file")
        ));
    };
    let leaf =
        Certificate::parse(leaf).ok_or("the client certificate can't be read; it must be X.509 in PEM")?;
    let key = signing_key(key).map_err(|problem| format!("the client key {problem}"))?;
    let of_key = key.public_key().and_then(|info| public_key(&info));
    if of_key.is_some_and(|of_key| of_key != leaf.public_key) {
        return Err(
            "the client key doesn't belong to the client certificate; take the pair that was made together"
                .into(),
        );
    }
    Ok(CertifiedKey::new(chain, key))
}

/// PKCS#1, PKCS#8 or SEC1, whatever its block is called: the first one, as in Go.
fn signing_key(pem: &[u8]) -> Result<Arc<dyn SigningKey>, String> {
    const ENCRYPTED: &str = "is encrypted, and kubectl takes no such key either; write it without a password: `openssl pkey -in KEY -out NEW`";
    let blocks = blocks(pem)?;
    let is_key = |block: &&Block<'_>| block.label == "PRIVATE KEY" || block.label.ends_with(" PRIVATE KEY");
    let block =
        blocks.iter().find(is_key).ok_or_else(|| nothing(&blocks, "PRIVATE KEY", "it must be a PEM file"))?;
    if block.encrypted || block.label == "ENCRYPTED PRIVATE KEY" {
        return Err(ENCRYPTED.into());
    }
    let key = PrivateKeyDer::try_from(block.der.as_slice()).map_err(|_| {
        format!(
            "({:?}) isn't in PKCS#1, PKCS#8 or SEC1; convert it: `openssl pkey -in KEY -out NEW`",
            block.label
        )
    })?;
    any_supported_type(&key).map_err(|_| {
        "is of a kind that this program doesn't sign with; it may be RSA of 2048 bits and more, ECDSA on P-256, P-384 or P-521, or Ed25519. \
         Have a certificate issued for such a key, or use a token"
            .into()
    })
}

fn blocks(pem: &[u8]) -> Result<Vec<Block<'_>>, String> {
    pem_blocks::blocks(pem)
        .map_err(|bad| format!("isn't PEM, line {}: {}; mend or remove that line", bad.line, bad.problem))
}

fn nothing(blocks: &[Block<'_>], wanted: &str, rule: &str) -> String {
    let labels: Vec<&str> = blocks.iter().take(8).map(|block| block.label).collect();
    let has = if labels.is_empty() { "no PEM block at all".to_owned() } else { labels.join(", ") };
    format!("has no {wanted} block, but {has}; {rule}")
}

/// The key in a SubjectPublicKeyInfo.
fn public_key(info: &[u8]) -> Option<Vec<u8>> {
    let info = x509_cert::spki::SubjectPublicKeyInfoOwned::from_der(info).ok()?;
    Some(info.subject_public_key.raw_bytes().to_vec())
}

//! The keys that a kubelet makes for a pod, and how it proves that it has them.

use std::sync::OnceLock;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair},
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, RsaKeySize};

use crate::Error;

/// A key type that a pod may ask for, as `spec.volumes[].projected.sources[].podCertificate.keyType` names
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum KeyType {
    Rsa3072,
    Rsa4096,
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
    Ed25519,
}

/// A key pair made on behalf of a pod.
#[derive(Debug)]
pub struct PodKey {
    key_type: KeyType,
    pair: KeyPair,
}

impl KeyType {
    /// Every key type there is.
    pub const ALL: [Self; 6] =
        [Self::Rsa3072, Self::Rsa4096, Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Ed25519];

    /// The API's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa3072 => "RSA3072",
            Self::Rsa4096 => "RSA4096",
            Self::EcdsaP256 => "ECDSAP256",
            Self::EcdsaP384 => "ECDSAP384",
            Self::EcdsaP521 => "ECDSAP521",
            Self::Ed25519 => "ED25519",
        }
    }
}

impl PodKey {
    /// A key of that type. ECDSA and Ed25519 keys are new each time; an RSA key is made once in each process,
    /// since making one takes longer than all else in a test.
    ///
    /// # Errors
    /// [`Error::Crypto`]
    pub fn of(key_type: KeyType) -> Result<Self, Error> {
        let pair = match key_type {
            KeyType::Rsa3072 => rsa(&RSA_3072, RsaKeySize::_3072),
            KeyType::Rsa4096 => rsa(&RSA_4096, RsaKeySize::_4096),
            KeyType::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyType::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyType::EcdsaP521 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512),
            KeyType::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
        };
        Ok(Self { key_type, pair: pair.map_err(failed("a key"))? })
    }

    /// As [`PodKey::of`], without holding up the other tasks of the runtime while an RSA key is made.
    ///
    /// # Errors
    /// [`Error::Crypto`]
    pub async fn make(key_type: KeyType) -> Result<Self, Error> {
        if !matches!(key_type, KeyType::Rsa3072 | KeyType::Rsa4096) {
            return Self::of(key_type);
        }
        tokio::task::spawn_blocking(move || Self::of(key_type)).await.map_err(failed("a key"))?
    }

    /// Its type.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The public key as a DER SubjectPublicKeyInfo, as the leaf must carry it.
    pub fn public_key_der(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }

    /// The private key as PKCS#8 PEM, for a test that serves TLS with it.
    pub fn private_key_pem(&self) -> String {
        self.pair.serialize_pem()
    }

    /// The empty CSR that kubelet sends as `stubPKCS10Request`.
    ///
    /// # Errors
    /// [`Error::Crypto`]
    pub fn empty_csr(&self) -> Result<Vec<u8>, Error> {
        self.csr(None, &[])
    }

    /// A CSR that asks for names, which no signer may take over: a common name, and alternative names of
    /// which each may be a DNS name or an IP address.
    ///
    /// # Errors
    /// [`Error::Crypto`]
    pub fn csr(&self, common_name: Option<&str>, alternative_names: &[String]) -> Result<Vec<u8>, Error> {
        let mut params = CertificateParams::new(alternative_names).map_err(failed("a CSR"))?;
        params.distinguished_name = DistinguishedName::new();
        if let Some(name) = common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        Ok(params.serialize_request(&self.pair).map_err(failed("a CSR"))?.der().to_vec())
    }

    /// The `proofOfPossession` that goes with `pkixPublicKey`: a signature over the pod's UID, for RSA by PSS
    /// and for ECDSA in ASN.1, both over its SHA-256 whatever the key's size (the API server's rule,
    /// `validateDeprecatedPKIXPublicKey`).
    ///
    /// # Errors
    /// [`Error::Crypto`]
    pub fn proof_of_possession(&self, pod_uid: &str) -> Result<Vec<u8>, Error> {
        let private = self.pair.serialized_der();
        let message = pod_uid.as_bytes();
        let ecdsa = |algorithm, digest| ecdsa_over_sha256(algorithm, digest, private, message);
        match self.key_type {
            KeyType::Rsa3072 | KeyType::Rsa4096 => rsa_pss(private, message),
            KeyType::EcdsaP256 => ecdsa(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &digest::SHA256),
            KeyType::EcdsaP384 => ecdsa(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, &digest::SHA384),
            KeyType::EcdsaP521 => ecdsa(&signature::ECDSA_P521_SHA512_ASN1_SIGNING, &digest::SHA512),
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(private).map_err(failed(PROOF))?;
                Ok(pair.sign(message).as_ref().to_vec())
            }
        }
    }
}

const PROOF: &str = "a proof of possession";

fn rsa_pss(pkcs8: &[u8], message: &[u8]) -> Result<Vec<u8>, Error> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(failed(PROOF))?;
    let mut proof = vec![0; pair.public_modulus_len()];
    pair.sign(&signature::RSA_PSS_SHA256, &SystemRandom::new(), message, &mut proof)
        .map_err(failed(PROOF))?;
    Ok(proof)
}

/// aws-lc-rs signs with P-384 over SHA-384 alone. ECDSA takes its digest as a number, so SHA-256's with zeros
/// in front is the same digest (FIPS 186-5 §6.4.1: it is truncated only if longer than the group's order).
fn ecdsa_over_sha256(
    algorithm: &'static EcdsaSigningAlgorithm,
    width: &'static digest::Algorithm,
    pkcs8: &[u8],
    message: &[u8],
) -> Result<Vec<u8>, Error> {
    let sha256 = digest::digest(&digest::SHA256, message);
    let mut padded = vec![0; width.output_len() - sha256.as_ref().len()];
    padded.extend_from_slice(sha256.as_ref());
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map_err(failed(PROOF))?;
    let digest = digest::Digest::import_less_safe(&padded, width).map_err(failed(PROOF))?;
    Ok(pair.sign_digest(&digest).map_err(failed(PROOF))?.as_ref().to_vec())
}

static RSA_3072: OnceLock<Result<Vec<u8>, rcgen::Error>> = OnceLock::new();
static RSA_4096: OnceLock<Result<Vec<u8>, rcgen::Error>> = OnceLock::new();

fn rsa(
    cache: &'static OnceLock<Result<Vec<u8>, rcgen::Error>>,
    size: RsaKeySize,
) -> Result<KeyPair, rcgen::Error> {
    let generate =
        || KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).map(|pair| pair.serialize_der());
    let der = cache.get_or_init(generate).as_ref().map_err(Clone::clone)?;
    KeyPair::from_pkcs8_der_and_sign_algo(&der.as_slice().into(), &rcgen::PKCS_RSA_SHA256)
}

fn failed<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Crypto { what, why: error.to_string() }
}

#[cfg(test)]
mod tests;

//! The public key that a request wants certified.

use aws_lc_rs::signature::{self as algorithms, ParsedPublicKey, VerificationAlgorithm};
use const_oid::db::{rfc5912, rfc8410};
use der::{Decode, Encode, asn1::UintRef};
use x509_cert::{request::CertReq, spki::SubjectPublicKeyInfoRef};

use crate::key_type::KeyType;

/// A public key of one of the types that Kubernetes knows, with its SubjectPublicKeyInfo as the requester
/// encoded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    key_type: KeyType,
}

/// A SubjectPublicKeyInfo of P-256 with the curve's generator (SEC 2 §2.4.2) as the key; its private key is
/// 1, so nothing that is issued for it is worth anything.
pub const EXAMPLE_P256_SPKI: [u8; 91] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42,
    0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0,
    0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e,
    0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6,
    0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

/// Why a request's key can't be certified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublicKeyError {
    /// The field is longer than the API server lets it be.
    #[error("{field} has {length} bytes; {MAX_KEY_FIELD_BYTES} are the most")]
    TooLong {
        /// The request's field.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
    /// The field isn't the DER structure that it should be.
    #[error("{field} is not valid DER of a {expected}: {source}")]
    Malformed {
        /// The request's field.
        field: &'static str,
        /// The ASN.1 type.
        expected: &'static str,
        /// What the decoder says.
        source: der::Error,
    },
    /// The key is none of the six types.
    #[error("the key is {found}; accepted are {all}", all = KeyType::list(&KeyType::ALL))]
    UnsupportedType {
        /// What it is.
        found: String,
    },
    /// The key is of an accepted type, but no valid key.
    #[error("{field} holds no valid {key_type} key: {rule}; generate a new key")]
    Invalid {
        /// The request's field.
        field: &'static str,
        /// The type that it would have.
        key_type: KeyType,
        /// What it breaks.
        rule: &'static str,
    },
}

/// The API server's bound for `stubPKCS10Request` and `pkixPublicKey`.
pub const MAX_KEY_FIELD_BYTES: usize = 10 * 1024;

impl PublicKey {
    /// The key's type.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The DER-encoded SubjectPublicKeyInfo.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Reads the key out of a `pkixPublicKey`.
    ///
    /// # Errors
    /// If it is too long, no SubjectPublicKeyInfo, or a key of a type that Kubernetes doesn't know.
    pub fn from_pkix(der: &[u8]) -> Result<Self, PublicKeyError> {
        let field = "spec.pkixPublicKey";
        check_length(field, der)?;
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|source| PublicKeyError::Malformed {
            field,
            expected: "SubjectPublicKeyInfo",
            source,
        })?;
        Self::from_spki(field, &spki)
    }

    /// Reads the key out of a `stubPKCS10Request`, and nothing else: the API server has verified the
    /// signature, but not that the request is empty, and whatever names it carries are the requester's
    /// wishes.
    ///
    /// # Errors
    /// If it is too long, no PKCS #10 request, or holds a key of a type that Kubernetes doesn't know.
    pub fn from_pkcs10(der: &[u8]) -> Result<Self, PublicKeyError> {
        let field = "spec.stubPKCS10Request";
        check_length(field, der)?;
        let malformed =
            |source| PublicKeyError::Malformed { field, expected: "CertificationRequest (PKCS #10)", source };
        let request = CertReq::from_der(der).map_err(malformed)?;
        let spki = request.info.public_key.to_der().map_err(malformed)?;
        let spki = SubjectPublicKeyInfoRef::from_der(&spki).map_err(malformed)?;
        Self::from_spki(field, &spki)
    }

    fn from_spki(field: &'static str, spki: &SubjectPublicKeyInfoRef<'_>) -> Result<Self, PublicKeyError> {
        let malformed =
            |source| PublicKeyError::Malformed { field, expected: "SubjectPublicKeyInfo", source };
        let (key_type, der) = (key_type_of(field, spki)?, spki.to_der().map_err(malformed)?);
        match broken_rule(key_type, spki, &der) {
            None => Ok(Self { spki: der, key_type }),
            Some(rule) => Err(PublicKeyError::Invalid { field, key_type, rule }),
        }
    }
}

fn check_length(field: &'static str, der: &[u8]) -> Result<(), PublicKeyError> {
    if der.len() > MAX_KEY_FIELD_BYTES {
        return Err(PublicKeyError::TooLong { field, length: der.len() });
    }
    Ok(())
}

fn key_type_of(field: &'static str, spki: &SubjectPublicKeyInfoRef<'_>) -> Result<KeyType, PublicKeyError> {
    match spki.algorithm.oid {
        rfc5912::RSA_ENCRYPTION => rsa_key_type(field, spki.subject_public_key.raw_bytes()),
        rfc5912::ID_EC_PUBLIC_KEY => ecdsa_key_type(spki),
        rfc8410::ID_ED_25519 => Ok(KeyType::Ed25519),
        other => Err(PublicKeyError::UnsupportedType { found: format!("of the algorithm {other}") }),
    }
}

fn ecdsa_key_type(spki: &SubjectPublicKeyInfoRef<'_>) -> Result<KeyType, PublicKeyError> {
    match spki.algorithm.parameters_oid() {
        Ok(rfc5912::SECP_256_R_1) => Ok(KeyType::EcdsaP256),
        Ok(rfc5912::SECP_384_R_1) => Ok(KeyType::EcdsaP384),
        Ok(rfc5912::SECP_521_R_1) => Ok(KeyType::EcdsaP521),
        Ok(curve) => Err(PublicKeyError::UnsupportedType { found: format!("ECDSA on the curve {curve}") }),
        Err(_) => Err(PublicKeyError::UnsupportedType { found: "ECDSA on an unnamed curve".to_owned() }),
    }
}

/// RFC 8017 appendix A.1.1.
#[derive(der::Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
}

fn rsa_key_type(field: &'static str, der: &[u8]) -> Result<KeyType, PublicKeyError> {
    let key = RsaPublicKey::from_der(der).map_err(|source| PublicKeyError::Malformed {
        field,
        expected: "RSAPublicKey",
        source,
    })?;
    let modulus = key.modulus.as_bytes();
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
    match bits {
        3072 => Ok(KeyType::Rsa3072),
        4096 => Ok(KeyType::Rsa4096),
        bits => Err(PublicKeyError::UnsupportedType { found: format!("RSA with {bits} bits") }),
    }
}

/// What a key breaks. The API server has verified a signature with it; nothing here relies on that, nor on
/// how strict the parser of its version is.
fn broken_rule(key_type: KeyType, spki: &SubjectPublicKeyInfoRef<'_>, der: &[u8]) -> Option<&'static str> {
    let Some(bytes) = spki.subject_public_key.as_bytes() else {
        return Some("its BIT STRING has unused bits");
    };
    let rule = match key_type {
        KeyType::Rsa3072 | KeyType::Rsa4096 => rsa_broken_rule(spki, bytes),
        // RFC 5480 §2.2 allows compressed points; Go, which kubelet and API server are written in, reads none
        KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521 => {
            (bytes.first() != Some(&4)).then_some("its point isn't uncompressed")
        }
        KeyType::Ed25519 => spki.algorithm.parameters.map(|_| "it has parameters (RFC 8410 §3)"),
    };
    let is_parsed = || ParsedPublicKey::new(verification(key_type), der).is_ok();
    rule.or_else(|| (!is_parsed()).then_some("aws-lc can't parse it: no point of the curve, or bad numbers"))
}

/// The bounds of Go's crypto/rsa, and what makes a modulus a product of two odd primes.
fn rsa_broken_rule(spki: &SubjectPublicKeyInfoRef<'_>, der: &[u8]) -> Option<&'static str> {
    if !spki.algorithm.parameters.is_some_and(|parameters| parameters.is_null()) {
        return Some("its parameters aren't NULL (RFC 3279 §2.3.1)");
    }
    let Ok(key) = RsaPublicKey::from_der(der) else { return Some("it is no RSAPublicKey") };
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
    let exponent = key.public_exponent.as_bytes();
    if !is_odd(key.modulus.as_bytes()) {
        return Some("its modulus is even");
    }
    let value =
        exponent.iter().fold(0_u64, |value, byte| value.saturating_mul(256).saturating_add(u64::from(*byte)));
    let is_legal = is_odd(exponent) && (3..=LARGEST_EXPONENT).contains(&value);
    (!is_legal).then_some("its public exponent isn't an odd number from 3 to 2147483647")
}

const LARGEST_EXPONENT: u64 = i32::MAX as u64;

fn verification(key_type: KeyType) -> &'static dyn VerificationAlgorithm {
    match key_type {
        KeyType::Rsa3072 | KeyType::Rsa4096 => &algorithms::RSA_PKCS1_2048_8192_SHA256,
        KeyType::EcdsaP256 => &algorithms::ECDSA_P256_SHA256_ASN1,
        KeyType::EcdsaP384 => &algorithms::ECDSA_P384_SHA384_ASN1,
        KeyType::EcdsaP521 => &algorithms::ECDSA_P521_SHA512_ASN1,
        KeyType::Ed25519 => &algorithms::ED25519,
    }
}

#[cfg(test)]
mod tests;

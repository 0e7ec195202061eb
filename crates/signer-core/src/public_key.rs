//! The public key that a request wants certified.

use const_oid::db::{rfc5912, rfc8410};
use der::{Decode, Encode, asn1::UintRef};
use x509_cert::{request::CertReq, spki::SubjectPublicKeyInfoRef};

use crate::key_type::KeyType;

/// A public key of one of the types that Kubernetes knows, with its SubjectPublicKeyInfo as the requester encoded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
    key_type: KeyType,
}

/// Why a request's key can't be certified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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

    /// Reads the key out of a `stubPKCS10Request`, and nothing else: the API server has verified the signature, but not that
    /// the request is empty, and whatever names it carries are the requester's wishes.
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
        let key_type = key_type_of(field, spki)?;
        Ok(Self { spki: spki.to_der().map_err(malformed)?, key_type })
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

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P521_SHA512, PKCS_ED25519};

    use super::*;

    fn csr(key: &KeyPair, names: Vec<String>) -> Vec<u8> {
        CertificateParams::new(names).unwrap().serialize_request(key).unwrap().der().to_vec()
    }

    #[test]
    fn both_fields_give_the_same_key() {
        for (algorithm, key_type) in [
            (&PKCS_ECDSA_P256_SHA256, KeyType::EcdsaP256),
            (&PKCS_ECDSA_P521_SHA512, KeyType::EcdsaP521),
            (&PKCS_ED25519, KeyType::Ed25519),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let from_csr = PublicKey::from_pkcs10(&csr(&key, vec!["evil.example".into()])).unwrap();
            assert_eq!(from_csr, PublicKey::from_pkix(from_csr.spki_der()).unwrap());
            assert_eq!(from_csr.key_type(), key_type);
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_key() {
        let too_long = PublicKey::from_pkix(&[0; MAX_KEY_FIELD_BYTES + 1]).unwrap_err();
        assert_eq!(too_long.to_string(), "spec.pkixPublicKey has 10241 bytes; 10240 are the most");
        let malformed = PublicKey::from_pkcs10(b"nonsense").unwrap_err().to_string();
        assert!(malformed.starts_with("spec.stubPKCS10Request is not valid DER"), "{malformed}");
    }

    #[test]
    fn names_the_accepted_types_for_an_rsa_key_of_2048_bits() {
        let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let error = PublicKey::from_pkcs10(&csr(&key, vec![])).unwrap_err().to_string();
        assert_eq!(
            error,
            "the key is RSA with 2048 bits; accepted are RSA3072, RSA4096, ECDSAP256, ECDSAP384, ECDSAP521, ED25519"
        );
    }
}

//! The public key of a CA certificate, and what it verifies.

use std::fmt;

use aws_lc_rs::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};
use const_oid::db::{rfc5912, rfc8410};
use der::{
    Decode,
    asn1::{ObjectIdentifier, UintRef},
};
use rustls_pki_types::{AlgorithmIdentifier, alg_id};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::{
    SigningKeyType,
    algorithm_name::{UNNAMED_CURVE, algorithm_name, curve_name, signature_name},
    key_encoding,
};

/// A public key that may verify certificates. RSA keys of any length are here: whether one is long enough is
/// a question of its own, with an answer of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct VerifyingKey {
    pub(super) key_type: SigningKeyType,
    /// The BIT STRING's content: a point, 32 bytes, or an `RSAPublicKey`.
    bytes: Vec<u8>,
}

/// Why a signature doesn't verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unverified {
    /// SHA-1 or older.
    Weak(&'static str),
    /// An algorithm that isn't known, or isn't one of this key's.
    UnknownAlgorithm(String),
    /// The signature is another key's, or the content was changed.
    Mismatch,
}

impl VerifyingKey {
    /// Reads a SubjectPublicKeyInfo; the error says what it is instead.
    pub(super) fn from_spki(der: &[u8]) -> Result<Self, String> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|error| format!("damaged ({error})"))?;
        let bytes = spki.subject_public_key.as_bytes().ok_or("damaged (bits left over)")?;
        Ok(Self { key_type: key_type(&spki, bytes)?, bytes: bytes.to_vec() })
    }

    /// Verifies a signature that was made with the given algorithm (the content of an `AlgorithmIdentifier`).
    pub(super) fn verify(
        &self,
        algorithm: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Unverified> {
        let family = Family::of(self.key_type);
        let verification = VERIFICATIONS.iter().find(|known| known.family == family && known.is(algorithm));
        match verification {
            Some(known) => UnparsedPublicKey::new(known.verification, &self.bytes)
                .verify(message, signature)
                .map_err(|_| Unverified::Mismatch),
            None => Err(unusable(algorithm)),
        }
    }

    /// Verifies the signature of a key on its own certificate, if it is by an algorithm that is known.
    /// Verifiers don't look at the signature of a trust anchor, and old enterprise roots have odd ones: SHA-1
    /// (AD CS before 2016), MD5, SHA-224, RSA-PSS with a salt of 20 octets.
    pub(super) fn verify_own(
        &self,
        algorithm: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Unverified> {
        match self.verify(algorithm, message, signature) {
            Err(Unverified::Weak(_) | Unverified::UnknownAlgorithm(_)) => Ok(()),
            verified => verified,
        }
    }
}

fn key_type(spki: &SubjectPublicKeyInfoRef<'_>, bytes: &[u8]) -> Result<SigningKeyType, String> {
    match spki.algorithm.oid {
        rfc5912::ID_EC_PUBLIC_KEY => match spki.algorithm.parameters_oid() {
            Ok(curve) => key_encoding::curve_key_type(curve)
                .map_err(|_| format!("ECDSA on the curve {}", curve_name(curve))),
            Err(_) => Err(UNNAMED_CURVE.to_owned()),
        },
        rfc5912::RSA_ENCRYPTION => {
            let bits = rsa_bits(bytes).map_err(|error| format!("a damaged RSA key ({error})"))?;
            match u16::try_from(bits) {
                Ok(short) if bits <= SigningKeyType::MOST_RSA_BITS => Ok(SigningKeyType::Rsa(short)),
                _ => Err(format!("RSA with {bits} bits")),
            }
        }
        rfc8410::ID_ED_25519 => Ok(SigningKeyType::Ed25519),
        rfc5912::ID_RSASSA_PSS => Err("RSA that is bound to PSS (id-RSASSA-PSS)".to_owned()),
        other => Err(algorithm_name(other)),
    }
}

fn rsa_bits(der: &[u8]) -> der::Result<usize> {
    /// RFC 8017 appendix A.1.1.
    #[derive(der::Sequence)]
    struct RsaPublicKey<'a> {
        modulus: UintRef<'a>,
        exponent: UintRef<'a>,
    }
    Ok(key_encoding::bit_length(RsaPublicKey::from_der(der)?.modulus))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    P256,
    P384,
    P521,
    Ed25519,
    Rsa,
}

impl Family {
    fn of(key_type: SigningKeyType) -> Self {
        match key_type {
            SigningKeyType::EcdsaP256 => Self::P256,
            SigningKeyType::EcdsaP384 => Self::P384,
            SigningKeyType::EcdsaP521 => Self::P521,
            SigningKeyType::Ed25519 => Self::Ed25519,
            SigningKeyType::Rsa(_) => Self::Rsa,
        }
    }
}

struct Verification {
    algorithm: AlgorithmIdentifier,
    family: Family,
    verification: &'static dyn VerificationAlgorithm,
}

impl Verification {
    /// RFC 4055 §5 demands parameters of NULL with RSA. Programs leave them out, and verifiers take that.
    fn is(&self, algorithm: &[u8]) -> bool {
        const NULL: &[u8] = &[5, 0];
        let own = self.algorithm.as_ref();
        own == algorithm || self.family == Family::Rsa && own.strip_suffix(NULL) == Some(algorithm)
    }
}

const fn verification(
    algorithm: AlgorithmIdentifier,
    family: Family,
    verification: &'static dyn VerificationAlgorithm,
) -> Verification {
    Verification { algorithm, family, verification }
}

/// All signatures on CA certificates that verifiers in the field take, with the key that can have made them.
static VERIFICATIONS: [Verification; 16] = [
    verification(alg_id::ECDSA_SHA256, Family::P256, &algorithms::ECDSA_P256_SHA256_ASN1),
    verification(alg_id::ECDSA_SHA384, Family::P256, &algorithms::ECDSA_P256_SHA384_ASN1),
    verification(alg_id::ECDSA_SHA512, Family::P256, &algorithms::ECDSA_P256_SHA512_ASN1),
    verification(alg_id::ECDSA_SHA256, Family::P384, &algorithms::ECDSA_P384_SHA256_ASN1),
    verification(alg_id::ECDSA_SHA384, Family::P384, &algorithms::ECDSA_P384_SHA384_ASN1),
    verification(alg_id::ECDSA_SHA512, Family::P384, &algorithms::ECDSA_P384_SHA512_ASN1),
    verification(alg_id::ECDSA_SHA256, Family::P521, &algorithms::ECDSA_P521_SHA256_ASN1),
    verification(alg_id::ECDSA_SHA384, Family::P521, &algorithms::ECDSA_P521_SHA384_ASN1),
    verification(alg_id::ECDSA_SHA512, Family::P521, &algorithms::ECDSA_P521_SHA512_ASN1),
    verification(alg_id::ED25519, Family::Ed25519, &algorithms::ED25519),
    verification(alg_id::RSA_PKCS1_SHA256, Family::Rsa, &algorithms::RSA_PKCS1_2048_8192_SHA256),
    verification(alg_id::RSA_PKCS1_SHA384, Family::Rsa, &algorithms::RSA_PKCS1_2048_8192_SHA384),
    verification(alg_id::RSA_PKCS1_SHA512, Family::Rsa, &algorithms::RSA_PKCS1_2048_8192_SHA512),
    verification(alg_id::RSA_PSS_SHA256, Family::Rsa, &algorithms::RSA_PSS_2048_8192_SHA256),
    verification(alg_id::RSA_PSS_SHA384, Family::Rsa, &algorithms::RSA_PSS_2048_8192_SHA384),
    verification(alg_id::RSA_PSS_SHA512, Family::Rsa, &algorithms::RSA_PSS_2048_8192_SHA512),
];

/// RFC 3279 §2.2.3.
const ECDSA_WITH_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

/// Names what can't be used.
fn unusable(algorithm: &[u8]) -> Unverified {
    match der::SliceReader::new(algorithm).and_then(|mut reader| ObjectIdentifier::decode(&mut reader)) {
        Ok(rfc5912::SHA_1_WITH_RSA_ENCRYPTION) => Unverified::Weak("SHA-1 (RSA)"),
        Ok(ECDSA_WITH_SHA_1) => Unverified::Weak("SHA-1 (ECDSA)"),
        Ok(rfc5912::MD_5_WITH_RSA_ENCRYPTION) => Unverified::Weak("MD5 (RSA)"),
        Ok(other) => Unverified::UnknownAlgorithm(signature_name(other)),
        Err(_) => Unverified::UnknownAlgorithm("damaged".to_owned()),
    }
}

impl fmt::Display for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weak(algorithm) => {
                write!(f, "it is signed with {algorithm}, which no verifier trusts any more")
            }
            Self::UnknownAlgorithm(algorithm) => {
                write!(
                    f,
                    "its signature algorithm ({algorithm}) is not one that the issuer's key makes and verifiers take"
                )
            }
            Self::Mismatch => {
                f.write_str("its signature was made by another key, or its content was changed")
            }
        }
    }
}

//! The types of key that a CA signs with.

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaSigningAlgorithm,
};
use rustls_pki_types::{AlgorithmIdentifier, alg_id};

/// The type of a CA's signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SigningKeyType {
    /// ECDSA on the curve P-256, with SHA-256.
    EcdsaP256,
    /// ECDSA on the curve P-384, with SHA-384.
    EcdsaP384,
    /// ECDSA on the curve P-521, with SHA-512.
    EcdsaP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSA (PKCS #1 v1.5 with SHA-256), with the modulus's length in bits.
    Rsa(u16),
}

/// A text that names no type of CA key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no type of CA key; the types are {all}", all = SigningKeyType::list())]
pub struct SigningKeyTypeError(String);

impl SigningKeyType {
    /// The types that new keys are made of. RSA keys of other lengths can be loaded.
    pub const GENERATED: [Self; 7] = [
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Ed25519,
        Self::Rsa(2048),
        Self::Rsa(3072),
        Self::Rsa(4096),
    ];

    /// The shortest RSA modulus that may sign, in bits (NIST SP 800-131A).
    pub const LEAST_RSA_BITS: usize = 2048;

    /// The longest RSA modulus that the cryptographic library takes, in bits.
    pub const MOST_RSA_BITS: usize = 8192;

    /// Whether a signature takes milliseconds rather than microseconds, so that it doesn't belong on a thread
    /// that runs other tasks.
    #[must_use]
    pub fn is_slow(self) -> bool {
        match self {
            Self::EcdsaP256 | Self::EcdsaP384 | Self::Ed25519 => false,
            Self::EcdsaP521 | Self::Rsa(_) => true,
        }
    }

    /// The names of all types that new keys are made of, for messages.
    #[must_use]
    pub fn list() -> String {
        Self::GENERATED.iter().map(Self::to_string).collect::<Vec<_>>().join(", ")
    }

    /// The algorithm of the signatures that such a key makes.
    pub(crate) fn signature_algorithm(self) -> AlgorithmIdentifier {
        match self {
            Self::EcdsaP256 => alg_id::ECDSA_SHA256,
            Self::EcdsaP384 => alg_id::ECDSA_SHA384,
            Self::EcdsaP521 => alg_id::ECDSA_SHA512,
            Self::Ed25519 => alg_id::ED25519,
            Self::Rsa(_) => alg_id::RSA_PKCS1_SHA256,
        }
    }

    /// How long a signature gets at most, in bytes.
    pub(crate) fn longest_signature(self) -> usize {
        match self {
            Self::EcdsaP256 => 72,
            Self::EcdsaP384 => 104,
            Self::EcdsaP521 => 139,
            Self::Ed25519 => 64,
            Self::Rsa(bits) => usize::from(bits).div_ceil(8),
        }
    }

    pub(crate) fn ecdsa(self) -> Option<&'static EcdsaSigningAlgorithm> {
        match self {
            Self::EcdsaP256 => Some(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::EcdsaP384 => Some(&ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::EcdsaP521 => Some(&ECDSA_P521_SHA512_ASN1_SIGNING),
            Self::Ed25519 | Self::Rsa(_) => None,
        }
    }
}

impl fmt::Display for SigningKeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSAP256"),
            Self::EcdsaP384 => f.write_str("ECDSAP384"),
            Self::EcdsaP521 => f.write_str("ECDSAP521"),
            Self::Ed25519 => f.write_str("ED25519"),
            Self::Rsa(bits) => write!(f, "RSA{bits}"),
        }
    }
}

impl FromStr for SigningKeyType {
    type Err = SigningKeyTypeError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::GENERATED
            .into_iter()
            .find(|key_type| key_type.to_string() == name)
            .ok_or_else(|| SigningKeyTypeError(name.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests;

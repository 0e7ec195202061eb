//! The key types that a pod can ask for.

use std::{fmt, str::FromStr};

/// A key type that kubelet generates, named as in a pod's `podCertificate.keyType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyType {
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// ECDSA on the curve P-256 (secp256r1).
    EcdsaP256,
    /// ECDSA on the curve P-384 (secp384r1).
    EcdsaP384,
    /// ECDSA on the curve P-521 (secp521r1).
    EcdsaP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
}

/// A text that names no key type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key type; the key types are {all}", all = KeyType::list(&KeyType::ALL))]
pub struct KeyTypeError(String);

impl KeyType {
    /// All that the API server accepts.
    pub const ALL: [Self; 6] =
        [Self::Rsa3072, Self::Rsa4096, Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Ed25519];

    /// The name as it stands in a pod's `keyType`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa3072 => "RSA3072",
            Self::Rsa4096 => "RSA4096",
            Self::EcdsaP256 => "ECDSAP256",
            Self::EcdsaP384 => "ECDSAP384",
            Self::EcdsaP521 => "ECDSAP521",
            Self::Ed25519 => "ED25519",
        }
    }

    /// Whether keys of this type can encipher keys (RFC 5280 §4.2.1.3): RSA alone.
    #[must_use]
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa3072 | Self::Rsa4096)
    }

    /// Names in a row, for messages.
    #[must_use]
    pub fn list(types: &[Self]) -> String {
        types.iter().map(|key_type| key_type.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = KeyTypeError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|key_type| key_type.as_str() == name)
            .ok_or_else(|| KeyTypeError(name.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests;

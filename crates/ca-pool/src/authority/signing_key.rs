//! The private key of a CA.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    error::{KeyRejected, Unspecified},
    rand::SystemRandom,
    rsa,
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use zeroize::Zeroizing;

use super::{
    SigningKeyType,
    key_encoding::{self, Form},
};

/// A CA's private key. It signs and gives its public half away; nothing prints it, and the library that holds
/// it wipes it when it is dropped.
///
/// ```
/// use ca_pool::{SigningKey, SigningKeyType};
///
/// let key = SigningKey::generate(SigningKeyType::EcdsaP256)?;
/// assert_eq!(format!("{key:?}"), "SigningKey { key_type: EcdsaP256, .. }");
/// assert!(!key.sign(b"message")?.is_empty());
/// # Ok::<(), ca_pool::SigningKeyError>(())
/// ```
pub struct SigningKey {
    pair: KeyPair,
    key_type: SigningKeyType,
    spki: Vec<u8>,
}

enum KeyPair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// Why a key can't be loaded, made or used. No message holds a part of a key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// There is more of it than any key needs.
    #[error("the private key has {length} bytes; {most} are the most", most = SigningKey::MAX_DER_BYTES)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// It isn't the DER structure that it should be.
    #[error(
        "the private key is not valid DER of a {expected}: {source}. It is damaged, or in another form; `openssl pkey` writes keys in the form that is read here (PKCS #8)"
    )]
    Malformed {
        /// The ASN.1 type.
        expected: &'static str,
        /// What the decoder says: kinds of error and positions, no content.
        source: der::Error,
    },
    /// It is a key that can't sign here.
    #[error(
        "the private key is {found}; a CA signs with ECDSA on P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 8192 bits"
    )]
    UnsupportedType {
        /// What it is.
        found: String,
    },
    /// The cryptographic library doesn't take it.
    #[error("the private key of type {key_type} is damaged: {source}")]
    Rejected {
        /// What it claims to be.
        key_type: SigningKeyType,
        /// The library's word for it.
        source: KeyRejected,
    },
    /// The key isn't in this process, so it can't be written into a pool.
    #[error("the key of CA {id:?} is held elsewhere, so it can't be written into a pool")]
    Elsewhere {
        /// Its CA.
        id: String,
    },
    /// The cryptographic library failed.
    #[error("the cryptographic library failed to {action} a key of type {key_type}")]
    Failed {
        /// What it was to do.
        action: &'static str,
        /// The key's type.
        key_type: SigningKeyType,
    },
}

impl SigningKey {
    /// The longest encoding that is looked at. An RSA key of 8192 bits has about 4,700 bytes.
    pub const MAX_DER_BYTES: usize = 10 * 1024;

    /// Makes a new key.
    ///
    /// # Errors
    /// If the cryptographic library fails, or makes no RSA keys of that length.
    pub fn generate(key_type: SigningKeyType) -> Result<Self, SigningKeyError> {
        let failed = |Unspecified| SigningKeyError::Failed { action: "generate", key_type };
        let pair = match (key_type, key_type.ecdsa()) {
            (_, Some(algorithm)) => KeyPair::Ecdsa(EcdsaKeyPair::generate(algorithm).map_err(failed)?),
            (SigningKeyType::Rsa(bits), _) => {
                let size = rsa_key_size(bits).ok_or(failed(Unspecified))?;
                KeyPair::Rsa(RsaKeyPair::generate(size).map_err(failed)?)
            }
            _ => KeyPair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
        };
        Self::new(pair, key_type)
    }

    /// Reads a key in any of the forms below, whichever it is: programs write one under the label of another.
    ///
    /// # Errors
    /// If it is none of them, or a key that can't sign here.
    pub fn from_der(der: &[u8]) -> Result<Self, SigningKeyError> {
        match key_encoding::form(check_length(der)?) {
            Some(Form::Sec1) => Self::from_sec1(der),
            Some(Form::Pkcs1) => Self::from_pkcs1(der),
            Some(Form::Pkcs8) | None => Self::from_pkcs8(der),
        }
    }

    /// Reads an unencrypted PKCS #8 `PrivateKeyInfo` (PEM label `PRIVATE KEY`).
    ///
    /// # Errors
    /// If it is no such structure, or a key that can't sign here.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SigningKeyError> {
        let key_type = key_encoding::pkcs8_key_type(check_length(der)?)?;
        let rejected = |source| SigningKeyError::Rejected { key_type, source };
        let pair = match (key_type, key_type.ecdsa()) {
            (_, Some(algorithm)) => {
                KeyPair::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, der).map_err(rejected)?)
            }
            (SigningKeyType::Rsa(_), _) => KeyPair::Rsa(RsaKeyPair::from_pkcs8(der).map_err(rejected)?),
            _ => KeyPair::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(rejected)?),
        };
        Self::new(pair, key_type)
    }

    /// Reads a SEC 1 `ECPrivateKey` (RFC 5915; PEM label `EC PRIVATE KEY`).
    ///
    /// # Errors
    /// If it is no such structure, or a key on a curve that can't sign here.
    pub fn from_sec1(der: &[u8]) -> Result<Self, SigningKeyError> {
        let key_type = key_encoding::sec1_key_type(check_length(der)?)?;
        let rejected = |source| SigningKeyError::Rejected { key_type, source };
        let algorithm = key_type.ecdsa().ok_or(SigningKeyError::Failed { action: "load", key_type })?;
        let pair = EcdsaKeyPair::from_private_key_der(algorithm, der).map_err(rejected)?;
        Self::new(KeyPair::Ecdsa(pair), key_type)
    }

    /// Reads a PKCS #1 `RSAPrivateKey` (RFC 8017; PEM label `RSA PRIVATE KEY`).
    ///
    /// # Errors
    /// If it is no such structure, or has less than 2048 or more than 8192 bits.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, SigningKeyError> {
        let key_type = key_encoding::pkcs1_key_type(check_length(der)?)?;
        let rejected = |source| SigningKeyError::Rejected { key_type, source };
        Self::new(KeyPair::Rsa(RsaKeyPair::from_der(der).map_err(rejected)?), key_type)
    }

    /// The key as PKCS #8 DER. The buffer is wiped when it is dropped.
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        let der = match &self.pair {
            KeyPair::Ecdsa(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            KeyPair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()),
            KeyPair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec()),
        };
        der.map(Zeroizing::new).map_err(|Unspecified| self.failed("encode"))
    }

    /// Signs a message. This takes microseconds, or milliseconds if [`SigningKeyType::is_slow`].
    ///
    /// # Errors
    /// If the cryptographic library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            KeyPair::Ecdsa(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            KeyPair::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()),
            KeyPair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
        };
        signature.map_err(|Unspecified| self.failed("sign with"))
    }

    /// The key's type.
    #[must_use]
    pub fn key_type(&self) -> SigningKeyType {
        self.key_type
    }

    /// The DER-encoded SubjectPublicKeyInfo of the public half.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    fn new(pair: KeyPair, key_type: SigningKeyType) -> Result<Self, SigningKeyError> {
        let spki: Result<PublicKeyX509Der<'_>, Unspecified> = match &pair {
            KeyPair::Ecdsa(pair) => pair.public_key().as_der(),
            KeyPair::Ed25519(pair) => pair.public_key().as_der(),
            KeyPair::Rsa(pair) => pair.public_key().as_der(),
        };
        let failed = |Unspecified| SigningKeyError::Failed { action: "encode the public half of", key_type };
        Ok(Self { spki: spki.map_err(failed)?.as_ref().to_vec(), pair, key_type })
    }

    pub(crate) fn failed(&self, action: &'static str) -> SigningKeyError {
        SigningKeyError::Failed { action, key_type: self.key_type }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A field that is added here must be looked at before it prints.
        let Self { pair: _, key_type, spki: _ } = self;
        f.debug_struct("SigningKey").field("key_type", key_type).finish_non_exhaustive()
    }
}

fn check_length(der: &[u8]) -> Result<&[u8], SigningKeyError> {
    if der.len() > SigningKey::MAX_DER_BYTES {
        return Err(SigningKeyError::TooLong { length: der.len() });
    }
    Ok(der)
}

fn rsa_key_size(bits: u16) -> Option<rsa::KeySize> {
    match bits {
        2048 => Some(rsa::KeySize::Rsa2048),
        3072 => Some(rsa::KeySize::Rsa3072),
        4096 => Some(rsa::KeySize::Rsa4096),
        8192 => Some(rsa::KeySize::Rsa8192),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

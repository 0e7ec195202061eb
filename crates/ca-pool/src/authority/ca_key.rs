//! The key of a CA, wherever it is.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::{SigningKey, SigningKeyError, SigningKeyType};

/// The key of a CA: in this process ([`SigningKey`]), or elsewhere (a KMS, an HSM, another process).
///
/// What it signs is verified with the CA's certificate before anybody sees it, so a key that signs wrongly
/// costs a request its certificate and nothing else.
pub trait CaKey: fmt::Debug + Send + Sync {
    /// Its type, which settles the signature algorithm: ECDSA with the hash of the curve's size, Ed25519, or
    /// PKCS #1 v1.5 with SHA-256.
    fn key_type(&self) -> SigningKeyType;

    /// The DER-encoded SubjectPublicKeyInfo of the public half.
    fn spki_der(&self) -> &[u8];

    /// Signs a message: the message itself, not its hash. ECDSA signatures are DER (RFC 3279 §2.2.3).
    ///
    /// The future may take as long as the call of another service does; whoever waits for it has a time
    /// limit.
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a>;

    /// The key itself, if this process has it. Only such a key can be written into a pool.
    fn local(&self) -> Option<&SigningKey> {
        None
    }
}

/// A signature that is being made.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, CaKeyError>> + Send + 'a>>;

/// A CA's key doesn't sign. It may later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the CA's key doesn't sign: {0}")]
pub struct CaKeyError(String);

impl CaKeyError {
    /// For this reason, which logs and events show.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<SigningKeyError> for CaKeyError {
    fn from(error: SigningKeyError) -> Self {
        Self(error.to_string())
    }
}

/// It signs while it is polled: in microseconds, or in milliseconds if [`SigningKeyType::is_slow`].
impl CaKey for SigningKey {
    fn key_type(&self) -> SigningKeyType {
        self.key_type()
    }

    fn spki_der(&self) -> &[u8] {
        self.spki_der()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        Box::pin(async move { Ok(self.sign(message)?) })
    }

    fn local(&self) -> Option<&SigningKey> {
        Some(self)
    }
}

impl<K: CaKey + ?Sized> CaKey for Arc<K> {
    fn key_type(&self) -> SigningKeyType {
        (**self).key_type()
    }

    fn spki_der(&self) -> &[u8] {
        (**self).spki_der()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signing<'a> {
        (**self).sign(message)
    }

    fn local(&self) -> Option<&SigningKey> {
        (**self).local()
    }
}

//! Certificate authorities: a signing key, the certificate that belongs to it, and the way up to its root.
//!
//! Whatever can be judged without a clock is judged when an authority is made: that key and certificate belong together, that
//! each certificate on the way is a CA that may sign the one below it, and that no key or signature is weak. An authority that is
//! expired, or not valid yet, loads: what it may sign at a given time is [`issue`](crate::issue())'s question.

pub(crate) mod asn1;
mod certificate;
mod distinguished_name;
mod error;
mod extensions;
mod key_encoding;
mod key_type;
mod name_constraints;
mod new_root;
pub(crate) mod objections;
mod path;
pub(crate) mod pem;
mod serial_number;
mod signing_key;
mod verifying_key;

use std::fmt;

use aws_lc_rs::digest;
use jiff::Timestamp;

pub(crate) use self::certificate::fingerprint;
pub(crate) use self::name_constraints::{ConstrainedName, NameConstraints};
use self::path::CertificationPath;
pub use self::{
    certificate::CaCertificate,
    error::AuthorityError,
    key_type::{SigningKeyType, SigningKeyTypeError},
    new_root::{NewRoot, root_common_name},
    serial_number::SerialNumber,
    signing_key::{SigningKey, SigningKeyError},
};

/// A certificate authority that can sign.
pub struct CertificateAuthority {
    id: String,
    key: SigningKey,
    intermediates: Vec<CaCertificate>,
    root: CaCertificate,
    chain_pem: String,
}

impl CertificateAuthority {
    /// Makes an authority of a key, of the certificates that may stand between it and a root, and of the roots that are trusted
    /// to end the way; the order of the certificates doesn't matter. The issuer is the certificate that belongs to the key: a root, or
    /// one of the intermediates. Of several ways the shortest is taken; certificates that aren't on it are left aside.
    ///
    /// `id` names it in messages.
    ///
    /// # Errors
    /// If they don't make one that verifiers would accept; [`AuthorityError`] lists the rules.
    pub fn new(
        id: impl Into<String>,
        key: SigningKey,
        intermediates: Vec<CaCertificate>,
        roots: Vec<CaCertificate>,
    ) -> Result<Self, AuthorityError> {
        let CertificationPath { intermediates, root } = CertificationPath::find(&key, intermediates, roots)?;
        let chain_pem = intermediates.iter().map(CaCertificate::to_pem).collect();
        Ok(Self { id: id.into(), key, intermediates, root, chain_pem })
    }

    /// The same under another name.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// Its name within its pool.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The certificate that belongs to the key: the root, or an intermediate.
    #[must_use]
    pub fn issuer(&self) -> &CaCertificate {
        self.intermediates.first().unwrap_or(&self.root)
    }

    /// The trust anchor.
    #[must_use]
    pub fn root(&self) -> &CaCertificate {
        &self.root
    }

    /// What goes with each leaf: from the issuer upward, without the root.
    #[must_use]
    pub fn intermediates(&self) -> &[CaCertificate] {
        &self.intermediates
    }

    /// Whether its root is another's: who trusts that root may trust no other, so only a CA under it can take its place unnoticed.
    #[must_use]
    pub fn is_intermediate(&self) -> bool {
        !self.intermediates.is_empty()
    }

    /// The issuer, what is above it, and the root.
    pub fn path(&self) -> impl Iterator<Item = &CaCertificate> {
        self.intermediates.iter().chain([&self.root])
    }

    /// The first second at which all certificates up to the root are valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.path().map(CaCertificate::not_before).fold(Timestamp::MIN, Timestamp::max)
    }

    /// The last second at which all certificates up to the root are valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.path().map(CaCertificate::not_after).fold(Timestamp::MAX, Timestamp::min)
    }

    /// The intermediates as PEM, as they follow the leaf.
    pub(crate) fn chain_pem(&self) -> &str {
        &self.chain_pem
    }
}

impl fmt::Display for CertificateAuthority {
    /// The public side: id, subject and fingerprint of the certificate that signs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.issuer();
        write!(f, "CA {:?} ({}, SHA-256 {})", self.id, issuer.subject(), issuer.fingerprint())
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A field that is added here must be looked at before it prints.
        let Self { id, key, intermediates, root, chain_pem: _ } = self;
        f.debug_struct("CertificateAuthority")
            .field("id", id)
            .field("key", key)
            .field("intermediates", intermediates)
            .field("root", root)
            .finish_non_exhaustive()
    }
}

/// The identifier of a key: the leftmost 160 bits of the SHA-256 of its SubjectPublicKey (RFC 7093 §2, method 1).
pub(crate) fn key_identifier(spki: &[u8]) -> Vec<u8> {
    use der::Decode as _;
    let key = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(spki);
    let key = key.as_ref().map_or(spki, |spki| spki.subject_public_key.raw_bytes());
    digest::digest(&digest::SHA256, key).as_ref()[..20].to_vec()
}

#[cfg(test)]
mod certificate_tests;
#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod signing_key_tests;
#[cfg(test)]
mod tests;

//! Issuance: what a signer wants, a public key and a CA in, a chain and its times out.
//!
//! It is pure: the clock and the randomness come in as arguments, and nothing is read or sent. So it can be
//! called from anywhere; where [`SigningKeyType::is_slow`](crate::SigningKeyType::is_slow), from a thread
//! that may block for some milliseconds.

mod error;
mod extensions;
mod permission;
mod terms;
mod validity;

use std::fmt;

use der::{Encode, Tag, asn1::AnyRef};
use futures::executor::block_on;
use jiff::Timestamp;

pub(crate) use self::permission::check as check_permission;
pub use self::{
    error::{IssueError, LifetimeLimit},
    terms::{RefreshSpread, Terms},
};
use crate::{
    authority::{
        CertificateAuthority, SerialNumber,
        asn1::{self, TbsCertificate, VERSION_3},
        pem,
    },
    leaf::Leaf,
    public_key::PublicKey,
};

/// The most names that a leaf may carry, the common name included.
pub const MAX_NAMES: usize = 100;

/// The most extensions and attributes of the subject that a signer may define.
pub const MAX_EXTENSIONS: usize = 16;

/// The longest chain that is issued, in bytes of PEM. The API server takes 100 KiB.
pub const MAX_CHAIN_BYTES: usize = 64 * 1024;

/// A certificate as it goes into the status of a request.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedCertificate {
    /// The leaf, then the intermediates up to but without the root, as PEM.
    pub chain_pem: String,
    /// The leaf alone, as DER.
    pub leaf_der: Vec<u8>,
    /// Its serial number.
    pub serial: SerialNumber,
    /// The first second of its validity.
    pub not_before: Timestamp,
    /// The last second of its validity.
    pub not_after: Timestamp,
    /// When kubelet shall ask for the next one.
    pub begin_refresh_at: Timestamp,
    /// The ID of the CA that signed it.
    pub authority_id: String,
    /// The SHA-256 of that CA's certificate, as
    /// [`CaCertificate::fingerprint`](crate::CaCertificate::fingerprint) writes it.
    pub authority_sha256: String,
}

/// A certificate that lacks its signature.
pub struct Prepared<'a> {
    authority: &'a CertificateAuthority,
    tbs: Vec<u8>,
    serial: SerialNumber,
    times: validity::Times,
}

/// Prepares a certificate for `key` that says what `leaf` says, within `terms` and within what `authority`
/// may sign at `now`.
///
/// The issuer is the subject of the authority's certificate, byte for byte. The subject is empty but for a
/// common name; the names stand in the subject alternative name extension, which is critical when the subject
/// is empty. All other extensions are the same for all leaves: critical basicConstraints CA:FALSE, critical
/// keyUsage, extendedKeyUsage, and the identifiers of both keys.
///
/// # Errors
/// If there is no legal certificate of that kind. [`IssueError::is_authority_unavailable`] tells what may
/// pass (another CA, another day) from what won't.
pub fn prepare<'a>(
    leaf: &Leaf,
    key: &PublicKey,
    terms: &Terms,
    authority: &'a CertificateAuthority,
    serial: SerialNumber,
    now: Timestamp,
) -> Result<Prepared<'a>, IssueError> {
    check_names(leaf)?;
    check_extensions(leaf)?;
    permission::check(leaf, authority)?;
    let times = validity::times(leaf, terms, authority, now)?;
    let tbs = to_be_signed(leaf, key, authority, &serial, &times)?;
    check_length(&tbs, authority)?;
    Ok(Prepared { authority, tbs, serial, times })
}

/// Prepares a certificate, has it signed, and finishes it; where a thread may block, if the CA's key is slow
/// or elsewhere.
///
/// # Errors
/// Those of [`prepare`] and [`Prepared::sign`].
pub fn issue(
    leaf: &Leaf,
    key: &PublicKey,
    terms: &Terms,
    authority: &CertificateAuthority,
    serial: SerialNumber,
    now: Timestamp,
) -> Result<IssuedCertificate, IssueError> {
    block_on(prepare(leaf, key, terms, authority, serial, now)?.sign())
}

impl Prepared<'_> {
    /// The encoded `TBSCertificate`: what the CA's key signs.
    #[must_use]
    pub fn to_be_signed(&self) -> &[u8] {
        &self.tbs
    }

    /// Has it signed by the authority's key, and finishes it.
    ///
    /// # Errors
    /// If the key doesn't sign, or as [`finish`](Self::finish).
    pub async fn sign(self) -> Result<IssuedCertificate, IssueError> {
        let signature = self.authority.key().sign(&self.tbs).await.map_err(IssueError::Signing)?;
        self.finish(&signature)
    }

    /// Adds the signature, which is verified first.
    ///
    /// # Errors
    /// If it isn't one of the authority's key.
    pub fn finish(self, signature: &[u8]) -> Result<IssuedCertificate, IssueError> {
        let Self { authority, tbs, serial, times } = self;
        if !authority.issuer().has_signed(&tbs, signature) {
            return Err(IssueError::WrongSignature { authority: authority.to_string() });
        }
        let leaf_der = asn1::signed(&tbs, &authority.key().key_type().signature_algorithm(), signature)?;
        let validity::Times { not_before, not_after, begin_refresh_at } = times;
        Ok(IssuedCertificate {
            chain_pem: pem::certificate(&leaf_der) + authority.chain_pem(),
            leaf_der,
            serial,
            not_before,
            not_after,
            begin_refresh_at,
            authority_id: authority.id().to_owned(),
            authority_sha256: authority.issuer().fingerprint(),
        })
    }
}

impl fmt::Debug for Prepared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority, tbs: _, serial, times: _ } = self;
        f.debug_struct("Prepared")
            .field("authority", &authority.id())
            .field("serial", &serial.to_string())
            .finish_non_exhaustive()
    }
}

fn check_names(leaf: &Leaf) -> Result<(), IssueError> {
    match leaf.names() {
        0 if leaf.may_be_nameless && !leaf.extensions.is_empty() => Ok(()),
        0 => Err(IssueError::NoNames),
        names if names > MAX_NAMES => Err(IssueError::TooManyNames { names }),
        _ => Ok(()),
    }
}

/// RFC 5280 §4.2: no extension may be there twice.
fn check_extensions(leaf: &Leaf) -> Result<(), IssueError> {
    let extensions = &leaf.extensions;
    if extensions.len() + leaf.subject_attributes.len() > MAX_EXTENSIONS {
        return Err(IssueError::TooManyExtensions {
            found: extensions.len() + leaf.subject_attributes.len(),
        });
    }
    let mut all = extensions.iter().enumerate();
    match all.find(|(index, one)| extensions[..*index].iter().any(|before| before.oid == one.oid)) {
        Some((_, twice)) => Err(IssueError::ExtensionTwice { oid: twice.oid.to_string() }),
        None => Ok(()),
    }
}

fn to_be_signed(
    leaf: &Leaf,
    key: &PublicKey,
    authority: &CertificateAuthority,
    serial: &SerialNumber,
    times: &validity::Times,
) -> der::Result<Vec<u8>> {
    let algorithm = authority.key().key_type().signature_algorithm();
    let subject = asn1::subject(leaf)?;
    TbsCertificate {
        version: VERSION_3,
        serial_number: serial.to_asn1()?,
        signature: asn1::algorithm_identifier(&algorithm)?,
        issuer: AnyRef::try_from(authority.issuer().subject_der())?,
        validity: x509_cert::time::Validity::new(asn1::time(times.not_before)?, asn1::time(times.not_after)?),
        subject: AnyRef::new(Tag::Sequence, &subject)?,
        subject_public_key_info: AnyRef::try_from(key.spki_der())?,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions::of(leaf, key, authority)?),
    }
    .to_der()
}

/// All but the signature is known before signing, and the signature's length nearly so.
fn check_length(tbs: &[u8], authority: &CertificateAuthority) -> Result<(), IssueError> {
    /// Tags, lengths and the signature's algorithm.
    const FRAME: usize = 32;
    let der = tbs.len() + authority.key().key_type().longest_signature() + FRAME;
    let bytes = pem::certificate_len(der) + authority.chain_pem().len();
    if bytes > MAX_CHAIN_BYTES {
        return Err(IssueError::ChainTooLong { bytes });
    }
    Ok(())
}

impl fmt::Debug for IssuedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            chain_pem: _,
            leaf_der: _,
            serial,
            not_before,
            not_after,
            begin_refresh_at,
            authority_id,
            authority_sha256: _,
        } = self;
        f.debug_struct("IssuedCertificate")
            .field("serial", &serial.to_string())
            .field("not_before", not_before)
            .field("not_after", not_after)
            .field("begin_refresh_at", begin_refresh_at)
            .field("authority_id", authority_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

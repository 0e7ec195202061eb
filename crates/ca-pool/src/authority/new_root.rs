//! New self-signed roots.

use std::time::Duration;

use der::{
    Encode, ErrorKind, Tag,
    asn1::{AnyRef, Ia5String, OctetString},
};
use jiff::Timestamp;
use x509_cert::{
    ext::pkix::{
        BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier, name::GeneralName,
    },
    time::Validity,
};

use super::{
    AuthorityError, CaCertificate, CertificateAuthority, SerialNumber, SigningKey,
    asn1::{self, SignError, TbsCertificate, VERSION_3, extension},
    key_identifier,
};
use crate::{
    duration::format_duration,
    names::{CommonName, CommonNameError, Uri},
};

/// What a new self-signed root is to be.
#[derive(Clone, Debug)]
pub struct NewRoot {
    /// Its name within its pool.
    pub id: String,
    /// The subject's only attribute. It should be unique and say what the CA signs: [`root_common_name`].
    pub common_name: CommonName,
    /// Its subject alternative name, if it has one: SPIFFE wants `spiffe://<trust domain>` in a root
    /// (X509-SVID §3.2).
    pub uri: Option<Uri>,
    /// How long it is valid from now on; [`NewRoot::LEAST_VALIDITY`] to [`NewRoot::MOST_VALIDITY`].
    pub validity: Duration,
}

impl NewRoot {
    /// The default validity: ten years of 365 days.
    pub const DEFAULT_VALIDITY: Duration = Duration::from_secs(87_600 * 3600);
    /// A CA that lives shorter can't sign the shortest legal leaf.
    pub const LEAST_VALIDITY: Duration = Duration::from_secs(3600);
    /// A hundred years.
    pub const MOST_VALIDITY: Duration = Duration::from_secs(876_000 * 3600);
    /// How far it is backdated, so that clocks that lag take it, and backdated leaves have room.
    pub const BACKDATED: Duration = Duration::from_secs(5 * 60);
}

impl CertificateAuthority {
    /// Makes a new self-signed root of a key: critical basicConstraints CA:TRUE without a path length,
    /// critical keyUsage keyCertSign and cRLSign, a subject key identifier, and the URI if one is given.
    ///
    /// # Errors
    /// If the validity is out of bounds, or the cryptographic library fails.
    pub fn new_root(
        request: NewRoot,
        key: SigningKey,
        serial: SerialNumber,
        now: Timestamp,
    ) -> Result<Self, AuthorityError> {
        if !(NewRoot::LEAST_VALIDITY..=NewRoot::MOST_VALIDITY).contains(&request.validity) {
            return Err(AuthorityError::NewRoot(format!(
                "a validity of {} is not within {} and {}",
                format_duration(request.validity),
                format_duration(NewRoot::LEAST_VALIDITY),
                format_duration(NewRoot::MOST_VALIDITY),
            )));
        }
        let der = self_signed(&request, &key, &serial, now).map_err(|error| match error {
            SignError::Signing(error) => AuthorityError::Key(error),
            SignError::Encoding(error) => AuthorityError::NewRoot(error.to_string()),
        })?;
        let root = CaCertificate::from_der("the new root", &der)?;
        Self::new(request.id, key, Vec::new(), vec![root])
    }
}

fn self_signed(
    request: &NewRoot,
    key: &SigningKey,
    serial: &SerialNumber,
    now: Timestamp,
) -> Result<Vec<u8>, SignError> {
    let algorithm = key.key_type().signature_algorithm();
    let subject = asn1::common_name(&request.common_name)?;
    let out_of_range = |_: jiff::Error| der::Error::from(ErrorKind::DateTime);
    let not_before = now.checked_sub(NewRoot::BACKDATED).map_err(out_of_range)?;
    let not_after = now.checked_add(request.validity).map_err(out_of_range)?;
    let mut extensions = vec![
        extension(true, &BasicConstraints { ca: true, path_len_constraint: None })?,
        extension(true, &KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign))?,
        extension(false, &SubjectKeyIdentifier(OctetString::new(key_identifier(key.spki_der()))?))?,
    ];
    if let Some(uri) = &request.uri {
        let name = GeneralName::UniformResourceIdentifier(Ia5String::new(uri.as_str())?);
        extensions.push(extension(false, &SubjectAltName(vec![name]))?);
    }
    let tbs = TbsCertificate {
        version: VERSION_3,
        serial_number: serial.to_asn1()?,
        signature: asn1::algorithm_identifier(&algorithm)?,
        issuer: AnyRef::new(Tag::Sequence, &subject)?,
        validity: Validity::new(asn1::time(not_before)?, asn1::time(not_after)?),
        subject: AnyRef::new(Tag::Sequence, &subject)?,
        subject_public_key_info: AnyRef::try_from(key.spki_der())?,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions),
    };
    asn1::sign(&tbs.to_der()?, key)
}

/// A subject for a new root that says what it signs and is like no other:
/// `<what> CA <id> <8 hexadecimal digits>`, with `what` cut so that all fits into the 64 characters of a
/// common name.
///
/// ```
/// use ca_pool::root_common_name;
///
/// let name = root_common_name("row-major.net/spiffe", "1", [0xde, 0xad, 0xbe, 0xef])?;
/// assert_eq!(name.as_str(), "row-major.net/spiffe CA 1 deadbeef");
/// # Ok::<(), ca_pool::CommonNameError>(())
/// ```
///
/// # Errors
/// If `what` or `id` has a control character, or `id` alone is too long.
pub fn root_common_name(what: &str, id: &str, unique: [u8; 4]) -> Result<CommonName, CommonNameError> {
    const LONGEST: usize = 64;
    let unique = u32::from_be_bytes(unique);
    let separator = if id.is_empty() { "" } else { " " };
    let tail = format!(" CA{separator}{id} {unique:08x}");
    let room = LONGEST.saturating_sub(tail.chars().count());
    let what: String = what.chars().take(room).collect();
    format!("{what}{tail}").trim_start().parse()
}

#[cfg(test)]
mod tests;

//! The extensions of a CA certificate that bear on what it may sign (RFC 5280 §4.2.1).

use const_oid::{AssociatedOid, ObjectIdentifier};
use der::{Decode, ErrorKind};
use x509_cert::ext::{
    Extension,
    pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier},
};

use super::NameConstraints;

/// What a CA certificate says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct CaExtensions {
    pub(super) basic_constraints: Option<BasicConstraints>,
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended_key_usages: Option<Vec<ObjectIdentifier>>,
    pub(super) subject_key_identifier: Option<Vec<u8>>,
    pub(super) name_constraints: Option<NameConstraints>,
}

impl CaExtensions {
    pub(super) fn read(extensions: &[Extension]) -> der::Result<Self> {
        let key_identifier: Option<SubjectKeyIdentifier> = find(extensions)?;
        let usages: Option<ExtendedKeyUsage> = find(extensions)?;
        Ok(Self {
            basic_constraints: find(extensions)?,
            key_usage: find(extensions)?,
            extended_key_usages: usages.map(|usages| usages.0),
            subject_key_identifier: key_identifier.map(|identifier| identifier.0.as_bytes().to_vec()),
            name_constraints: match find_value(extensions, NameConstraints::OID)? {
                Some(value) => Some(NameConstraints::from_der(value)?),
                None => None,
            },
        })
    }
}

fn find<'a, T>(extensions: &'a [Extension]) -> der::Result<Option<T>>
where
    T: AssociatedOid + Decode<'a, Error = der::Error>,
{
    find_value(extensions, T::OID)?.map(T::from_der).transpose()
}

/// RFC 5280 §4.2: a certificate has at most one instance of an extension.
fn find_value(extensions: &[Extension], oid: ObjectIdentifier) -> der::Result<Option<&[u8]>> {
    let mut found = extensions.iter().filter(|extension| extension.extn_id == oid);
    match (found.next(), found.next()) {
        (Some(extension), None) => Ok(Some(extension.extn_value.as_bytes())),
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(ErrorKind::OidUnknown { oid }.into()),
    }
}

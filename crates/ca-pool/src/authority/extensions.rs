//! The extensions of a CA certificate that bear on what it may sign (RFC 5280 §4.2.1).

use const_oid::{AssociatedOid, ObjectIdentifier, db::rfc5280::ID_CE_BASIC_CONSTRAINTS};
use der::{Decode, Tag, asn1::UintRef};
use x509_cert::ext::{
    Extension,
    pkix::{ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier},
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

/// `BasicConstraints` (RFC 5280 §4.2.1.9).
#[derive(Clone, Debug)]
pub(super) struct BasicConstraints {
    pub(super) ca: bool,
    pub(super) path_len_constraint: Option<usize>,
}

impl BasicConstraints {
    fn from_der(der: &[u8]) -> der::Result<Self> {
        #[derive(der::Sequence)]
        struct Encoded<'a> {
            #[asn1(default = "no")]
            ca: bool,
            #[asn1(optional = "true")]
            path_len_constraint: Option<UintRef<'a>>,
        }
        fn no() -> bool {
            false
        }
        let Encoded { ca, path_len_constraint } = Encoded::from_der(der)?;
        Ok(Self { ca, path_len_constraint: path_len_constraint.map(bound).transpose()? })
    }
}

/// No chain is longer than some dozen certificates, so larger bounds are alike; but Go refuses what doesn't
/// fit into 63 bits.
fn bound(number: UintRef<'_>) -> der::Result<usize> {
    let number: u64 = number
        .as_bytes()
        .iter()
        .try_fold(0_u64, |sum, byte| sum.checked_mul(256)?.checked_add(u64::from(*byte)))
        .filter(|number| i64::try_from(*number).is_ok())
        .ok_or_else(|| Tag::Integer.value_error())?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

/// An extension that is read here and is there more than once (RFC 5280 §4.2 forbids it). Of others,
/// `objections` tells.
pub(super) fn duplicate(extensions: &[Extension]) -> Option<ObjectIdentifier> {
    const READ: [ObjectIdentifier; 5] = [
        ID_CE_BASIC_CONSTRAINTS,
        KeyUsage::OID,
        ExtendedKeyUsage::OID,
        SubjectKeyIdentifier::OID,
        NameConstraints::OID,
    ];
    let oids = extensions.iter().map(|extension| extension.extn_id);
    let mut oids: Vec<ObjectIdentifier> = oids.filter(|oid| READ.contains(oid)).collect();
    oids.sort_unstable();
    oids.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

impl CaExtensions {
    pub(super) fn read(extensions: &[Extension]) -> der::Result<Self> {
        let key_identifier: Option<SubjectKeyIdentifier> = find(extensions)?;
        let usages: Option<ExtendedKeyUsage> = find(extensions)?;
        Ok(Self {
            basic_constraints: find_value(extensions, ID_CE_BASIC_CONSTRAINTS)
                .map(BasicConstraints::from_der)
                .transpose()?,
            key_usage: find(extensions)?,
            extended_key_usages: usages.map(|usages| usages.0),
            subject_key_identifier: key_identifier.map(|identifier| identifier.0.as_bytes().to_vec()),
            name_constraints: find_value(extensions, NameConstraints::OID)
                .map(NameConstraints::from_der)
                .transpose()?,
        })
    }
}

fn find<'a, T>(extensions: &'a [Extension]) -> der::Result<Option<T>>
where
    T: AssociatedOid + Decode<'a, Error = der::Error>,
{
    find_value(extensions, T::OID).map(T::from_der).transpose()
}

/// There is one at most: [`duplicate`] is asked before.
fn find_value(extensions: &[Extension], oid: ObjectIdentifier) -> Option<&[u8]> {
    let found = extensions.iter().find(|extension| extension.extn_id == oid)?;
    Some(found.extn_value.as_bytes())
}

//! What a signer defines itself: extensions, and attributes of the subject.

use const_oid::{ObjectIdentifier, db::rfc5280};
use der::{Decode as _, asn1::AnyRef};

/// An extension that a signer defines (RFC 5280 §4.2). Never one of those that the core writes, or that only
/// a CA has.
///
/// ```
/// use ca_pool::LeafExtension;
///
/// let identity = LeafExtension::new("1.3.6.1.4.1.57683.1", false, vec![0x0c, 2, b'h', b'i'])?;
/// assert!(LeafExtension::new("2.5.29.17", true, vec![0x30, 0]).is_err(), "the subject alternative names");
/// # Ok::<(), ca_pool::LeafExtensionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafExtension {
    pub(crate) oid: ObjectIdentifier,
    pub(crate) critical: bool,
    pub(crate) value: Vec<u8>,
}

/// An attribute of a leaf's subject beside the common name, as UTF8String.
///
/// ```
/// use ca_pool::SubjectAttribute;
///
/// let organization = SubjectAttribute::new("2.5.4.10", "system:serviceaccounts")?;
/// assert!(SubjectAttribute::new("2.5.4.3", "web").is_err(), "the common name has a field of its own");
/// # Ok::<(), ca_pool::LeafExtensionError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectAttribute {
    pub(crate) oid: ObjectIdentifier,
    pub(crate) value: String,
}

/// An extension or attribute isn't valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {oid:?}: {rule}")]
pub struct LeafExtensionError {
    what: &'static str,
    oid: String,
    rule: &'static str,
}

/// Those of the core, and those that certificates of CAs alone may have.
const RESERVED: [ObjectIdentifier; 10] = [
    rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER,
    rfc5280::ID_CE_KEY_USAGE,
    rfc5280::ID_CE_SUBJECT_ALT_NAME,
    rfc5280::ID_CE_BASIC_CONSTRAINTS,
    rfc5280::ID_CE_NAME_CONSTRAINTS,
    rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER,
    rfc5280::ID_CE_POLICY_MAPPINGS,
    rfc5280::ID_CE_POLICY_CONSTRAINTS,
    rfc5280::ID_CE_EXT_KEY_USAGE,
    rfc5280::ID_CE_INHIBIT_ANY_POLICY,
];

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

impl LeafExtension {
    /// The most bytes of a value.
    pub const MAX_BYTES: usize = 4096;

    /// An extension with the DER of its value. Who doesn't know a critical one refuses the certificate.
    ///
    /// # Errors
    /// If `oid` isn't valid or is reserved, or if `value` isn't one DER element of 4096 bytes at most.
    pub fn new(oid: &str, critical: bool, value: Vec<u8>) -> Result<Self, LeafExtensionError> {
        let invalid =
            |rule| LeafExtensionError { what: "extension", oid: oid.chars().take(100).collect(), rule };
        let id = ObjectIdentifier::new(oid).map_err(|_| invalid(NOT_AN_OID))?;
        if RESERVED.contains(&id) {
            return Err(invalid("the core writes this extension itself, or it is one of CAs alone"));
        }
        if value.len() > Self::MAX_BYTES {
            return Err(invalid("its value has more than 4096 bytes"));
        }
        AnyRef::from_der(&value).map_err(|_| invalid("its value isn't one element of DER"))?;
        Ok(Self { oid: id, critical, value })
    }

    /// What kind of extension it is: `1.3.6.1.4.1.57683.1`.
    #[must_use]
    pub fn oid(&self) -> String {
        self.oid.to_string()
    }
}

impl SubjectAttribute {
    /// The most bytes of a value. X.520's bounds (64 for a common name or an organization) are lifted here:
    /// names of service accounts are longer.
    pub const MAX_BYTES: usize = 512;

    /// An attribute of this type, such as 2.5.4.10 (organization).
    ///
    /// # Errors
    /// If `oid` isn't valid or is the common name's, or if `value` is empty, longer than 512 bytes, or has
    /// control characters.
    pub fn new(oid: &str, value: impl Into<String>) -> Result<Self, LeafExtensionError> {
        let invalid =
            |rule| LeafExtensionError { what: "attribute", oid: oid.chars().take(100).collect(), rule };
        let (id, value) = (ObjectIdentifier::new(oid).map_err(|_| invalid(NOT_AN_OID))?, value.into());
        match () {
            () if id == COMMON_NAME => Err(invalid("the common name has a field of its own")),
            () if value.is_empty() => Err(invalid("its value is empty")),
            () if value.len() > Self::MAX_BYTES => Err(invalid("its value has more than 512 bytes")),
            () if value.chars().any(char::is_control) => Err(invalid("its value has control characters")),
            () => Ok(Self { oid: id, value }),
        }
    }
}

const NOT_AN_OID: &str =
    "it isn't an object identifier; write numbers with dots, such as 1.3.6.1.4.1.57683.1";

//! The certificate authorities of one signer: their keys, certificates and chains, the formats in which they
//! are kept, their rotation, and the certificates that they issue.
//!
//! The crate is pure: time and randomness come in as arguments, and nothing is sent. Files are read by
//! [`PoolSource`] alone.
//!
//! A [`CaPool`] is read from JSON, from PEM files ([`PoolSource`]) or from a Secret ([`SecretValues`]).
//! [`CaPool::choose`] says which [`CertificateAuthority`] signs, and [`issue`] makes a certificate of a
//! [`Leaf`], a [`PublicKey`] and the [`Terms`] of a request.

mod authority;
mod duration;
mod issuance;
mod key_type;
mod leaf;
pub mod names;
mod pool;
mod process;
mod public_key;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use self::{
    authority::{
        Anchors, AuthorityError, CaCertificate, CaKey, CaKeyError, CertificateAuthority, NewRoot,
        SerialNumber, Signing, SigningKey, SigningKeyError, SigningKeyType, SigningKeyTypeError,
        certificate_pem, fingerprint, root_common_name,
    },
    duration::{DurationError, format_duration, parse_duration},
    issuance::{
        IssueError, IssuedCertificate, LifetimeLimit, MAX_CHAIN_BYTES, MAX_EXTENSIONS, MAX_NAMES, Prepared,
        RefreshSpread, Terms, issue, prepare,
    },
    key_type::{KeyType, KeyTypeError},
    leaf::{
        ANY_LABEL, ExtendedKeyUsage, KeyUsage, Leaf, LeafExtension, LeafExtensionError, Refresh,
        SubjectAttribute,
    },
    names::{CommonName, CommonNameError, DnsName, DnsNameError, SignerName, SignerNameError, Uri, UriError},
    pool::{
        ACTIVATION_GRACE, AsOf, Assessment, AutomaticRotation, AutomaticRotationError, BUNDLE_PROPAGATION,
        CaPool, ConstraintViolation, Due, Finding, Fitness, MAX_LEAF_LIFETIME, NewCaMaterial, NextStep,
        NoSigningCa, Objection, PemNames, Phase, PoolBytes, PoolEntry, PoolError, PoolSource,
        PoolSourceError, PoolWarning, Rejection, Remedy, ReplacementCa, RootPublication, RotationError,
        RotationPlan, Schedule, SecretContent, SecretPool, SecretValues, SigningCa, SigningWindow, near,
    },
    process::forbid_core_dumps,
    public_key::{EXAMPLE_P256_SPKI, MAX_KEY_FIELD_BYTES, PublicKey, PublicKeyError},
};

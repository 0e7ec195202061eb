//! Why no certificate can be issued.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use super::{MAX_CHAIN_BYTES, MAX_NAMES, Terms};
use crate::{authority::CaKeyError, duration::format_duration};

/// Why no certificate can be issued. Each message names what was asked for, the rule and what would be
/// accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// Neither a common name nor a subject alternative name.
    #[error(
        "the certificate would carry no name at all; a leaf needs at least one, or an extension by which peers know the pod"
    )]
    NoNames,
    /// More names than [`MAX_NAMES`].
    #[error("the certificate would carry {names} names; {MAX_NAMES} are the most")]
    TooManyNames {
        /// How many there are.
        names: usize,
    },
    /// More extensions and attributes of the subject than [`MAX_EXTENSIONS`](super::MAX_EXTENSIONS).
    #[error("the certificate would carry {found} extensions and attributes of its signer; 16 are the most")]
    TooManyExtensions {
        /// How many there are.
        found: usize,
    },
    /// An extension is there twice (RFC 5280 §4.2).
    #[error("the certificate would carry extension {oid} twice")]
    ExtensionTwice {
        /// Which.
        oid: String,
    },
    /// More PEM than [`MAX_CHAIN_BYTES`].
    #[error("the certificate and its chain would have {bytes} bytes of PEM; {MAX_CHAIN_BYTES} are the most")]
    ChainTooLong {
        /// How many there would be.
        bytes: usize,
    },
    /// The shortest legal certificate is longer than what leaf, signer or request allow.
    #[error("{limit} allows a lifetime of {lifetime}; {least} are the least that the API server takes",
        lifetime = format_duration(*lifetime), least = format_duration(Terms::LEAST_LIFETIME))]
    LifetimeTooShort {
        /// What is allowed.
        lifetime: Duration,
        /// Who allows no more.
        limit: LifetimeLimit,
    },
    /// The CA, or a certificate above it, ends before the shortest legal certificate would.
    #[error(
        "{authority} can't sign any more: it or a certificate above it ends at {not_after}, and a certificate must last {least} at least. \
         Replace the CA", least = format_duration(Terms::LEAST_LIFETIME)
    )]
    AuthorityExpiring {
        /// The CA.
        authority: String,
        /// When the first of them ends.
        not_after: Timestamp,
    },
    /// The CA, or a certificate above it, isn't valid yet.
    #[error(
        "{authority} can't sign yet: it or a certificate above it is valid from {not_before} on. Wait, or check this machine's clock"
    )]
    AuthorityNotYetValid {
        /// The CA.
        authority: String,
        /// When the last of them begins.
        not_before: Timestamp,
    },
    /// A name constraint of the CA, or of a certificate above it, forbids a name.
    #[error(
        "{certificate} doesn't let certificates below it carry {name}: {objection} (name constraints, RFC 5280 §4.2.1.10)"
    )]
    NameForbidden {
        /// The name with its kind.
        name: String,
        /// The certificate with the constraint.
        certificate: String,
        /// What the constraint says.
        objection: String,
    },
    /// The extended key usages of the CA, or of a certificate above it, leave one out.
    #[error(
        "{certificate} doesn't let certificates below it be used for {usage}: its extendedKeyUsage leaves it out"
    )]
    UsageForbidden {
        /// The usage.
        usage: String,
        /// The certificate with the constraint.
        certificate: String,
    },
    /// It can't be written as ASN.1.
    #[error("the certificate can't be encoded: {0}")]
    Encoding(#[from] der::Error),
    /// The CA's key fails.
    #[error(transparent)]
    Signing(CaKeyError),
    /// What the CA's key has signed doesn't verify with the CA's certificate.
    #[error(
        "the signature that the key of {authority} gave doesn't verify with the CA's certificate, so it was thrown away; have whatever holds the key looked at"
    )]
    WrongSignature {
        /// The CA.
        authority: String,
    },
}

/// Whose limit it is that a lifetime meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifetimeLimit {
    /// What the signer wants for this leaf.
    Leaf,
    /// The signer's `maxLifetime`.
    Signer,
    /// The request's `maxExpirationSeconds`.
    Request,
    /// The end of the CA, or of a certificate above it.
    Authority,
}

impl IssueError {
    /// Whether it is the CA that can't sign this, now or at all: another CA, or a later time, could. Such a
    /// request waits; it isn't denied.
    #[must_use]
    pub fn is_authority_unavailable(&self) -> bool {
        match self {
            Self::AuthorityExpiring { .. }
            | Self::AuthorityNotYetValid { .. }
            | Self::NameForbidden { .. }
            | Self::UsageForbidden { .. }
            | Self::Signing(_)
            | Self::WrongSignature { .. } => true,
            Self::NoNames
            | Self::TooManyNames { .. }
            | Self::TooManyExtensions { .. }
            | Self::ExtensionTwice { .. }
            | Self::ChainTooLong { .. }
            | Self::LifetimeTooShort { .. }
            | Self::Encoding(_) => false,
        }
    }

    /// A short name for metrics and logs.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::NoNames => "no_names",
            Self::TooManyNames { .. } => "too_many_names",
            Self::TooManyExtensions { .. } => "too_many_extensions",
            Self::ExtensionTwice { .. } => "extension_twice",
            Self::ChainTooLong { .. } => "chain_too_long",
            Self::LifetimeTooShort { .. } => "lifetime_too_short",
            Self::AuthorityExpiring { .. } => "authority_expiring",
            Self::AuthorityNotYetValid { .. } => "authority_not_yet_valid",
            Self::NameForbidden { .. } => "name_forbidden",
            Self::UsageForbidden { .. } => "usage_forbidden",
            Self::Encoding(_) => "encoding",
            Self::Signing(_) => "signing",
            Self::WrongSignature { .. } => "wrong_signature",
        }
    }
}

impl fmt::Display for LifetimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leaf => "the leaf's own duration",
            Self::Signer => "the signer's maxLifetime",
            Self::Request => "the request's maxExpirationSeconds",
            Self::Authority => "the CA",
        })
    }
}

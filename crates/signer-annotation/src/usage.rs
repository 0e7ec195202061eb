//! What a key may be used for, in Kubernetes' words.

use std::str::FromStr;

use signer_core::{ExtendedKeyUsage, KeyType, ca_pool::KeyUsage};

use crate::quoted::Quoted;

/// What a key may be used for, by the names of `certificates.k8s.io/v1` `KeyUsage`.
///
/// ```
/// use signer_annotation::Usage;
/// use signer_core::ExtendedKeyUsage;
///
/// assert_eq!("s/mime".parse(), Ok(Usage::Extended(ExtendedKeyUsage::EmailProtection)));
/// assert!("cert sign".parse::<Usage>().is_err(), "no leaf ever gets that");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Usage {
    /// `digital signature`, also called `signing`: every leaf has it.
    DigitalSignature,
    /// Another bit of the key usage extension.
    Key(KeyUsage),
    /// A purpose of the extended key usage extension.
    Extended(ExtendedKeyUsage),
}

/// Why a text is not a usage that a leaf may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// It is one, for others.
    #[error("usage {0:?} is never given: it makes authorities, or holds for every purpose; the usages are {names}", names = names())]
    Never(&'static str),
    /// It is none.
    #[error("{0} is not a usage; the usages are {names}", names = names())]
    Unknown(String),
}

const NAMES: [(&str, Usage); 19] = [
    ("server auth", Usage::Extended(ExtendedKeyUsage::ServerAuth)),
    ("client auth", Usage::Extended(ExtendedKeyUsage::ClientAuth)),
    ("signing", Usage::DigitalSignature),
    ("digital signature", Usage::DigitalSignature),
    ("content commitment", Usage::Key(KeyUsage::ContentCommitment)),
    ("key encipherment", Usage::Key(KeyUsage::KeyEncipherment)),
    ("key agreement", Usage::Key(KeyUsage::KeyAgreement)),
    ("data encipherment", Usage::Key(KeyUsage::DataEncipherment)),
    ("encipher only", Usage::Key(KeyUsage::EncipherOnly)),
    ("decipher only", Usage::Key(KeyUsage::DecipherOnly)),
    ("code signing", Usage::Extended(ExtendedKeyUsage::CodeSigning)),
    ("email protection", Usage::Extended(ExtendedKeyUsage::EmailProtection)),
    ("s/mime", Usage::Extended(ExtendedKeyUsage::EmailProtection)),
    ("ipsec end system", Usage::Extended(ExtendedKeyUsage::IpsecEndSystem)),
    ("ipsec tunnel", Usage::Extended(ExtendedKeyUsage::IpsecTunnel)),
    ("ipsec user", Usage::Extended(ExtendedKeyUsage::IpsecUser)),
    ("timestamping", Usage::Extended(ExtendedKeyUsage::TimeStamping)),
    ("microsoft sgc", Usage::Extended(ExtendedKeyUsage::MicrosoftSgc)),
    ("netscape sgc", Usage::Extended(ExtendedKeyUsage::NetscapeSgc)),
];

const NEVER: [&str; 4] = ["cert sign", "crl sign", "ocsp signing", "any"];

fn names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

impl Usage {
    pub(crate) const KEY_AGREEMENT: Self = Self::Key(KeyUsage::KeyAgreement);
    pub(crate) const ENCIPHER_ONLY: Self = Self::Key(KeyUsage::EncipherOnly);
    pub(crate) const DECIPHER_ONLY: Self = Self::Key(KeyUsage::DecipherOnly);

    /// Its name; the first, where it has two.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, usage)| *usage == self).map_or("", |(name, _)| name)
    }

    /// All that a leaf may have; those with two names stand there twice.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(_, usage)| *usage)
    }

    /// Whether every pod may have it: what TLS needs. Enciphering keys is among it, as every leaf of an RSA
    /// key can, and no other may.
    pub(crate) fn is_free(self) -> bool {
        use ExtendedKeyUsage::{ClientAuth, ServerAuth};
        matches!(
            self,
            Self::DigitalSignature
                | Self::Key(KeyUsage::KeyEncipherment)
                | Self::Extended(ServerAuth | ClientAuth)
        )
    }

    /// What keys of this type lack for it, if anything.
    pub(crate) fn lacks(self, key_type: KeyType) -> Option<&'static str> {
        use KeyUsage::{DataEncipherment, DecipherOnly, EncipherOnly, KeyAgreement, KeyEncipherment};
        let Self::Key(usage) = self else { return None };
        match usage {
            KeyEncipherment | DataEncipherment if !key_type.is_rsa() => Some(
                "only RSA keys encipher (RFC 8813 §3, RFC 9295 §3); leave it out, or set the volume's keyType to RSA3072 or RSA4096",
            ),
            KeyAgreement | EncipherOnly | DecipherOnly
                if key_type.is_rsa() || key_type == KeyType::Ed25519 =>
            {
                Some(
                    "only ECDSA keys agree on keys (RFC 3279 §2.3.1, RFC 9295 §3); leave it out, or set the volume's keyType to ECDSAP256",
                )
            }
            _ => None,
        }
    }
}

impl FromStr for Usage {
    type Err = UsageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, usage)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(*usage);
        }
        let never = NEVER.iter().find(|name| **name == text);
        Err(never
            .map_or_else(|| UsageError::Unknown(Quoted(text).to_string()), |name| UsageError::Never(name)))
    }
}

/// Usages that a grant gives: one by its name, or `*` for all that a leaf may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsagePattern(Option<Usage>);

impl UsagePattern {
    /// Whether it covers a usage.
    #[must_use]
    pub fn matches(self, usage: Usage) -> bool {
        self.0.is_none_or(|granted| granted == usage)
    }
}

impl FromStr for UsagePattern {
    type Err = crate::PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" { Ok(Self(None)) } else { Ok(Self(Some(text.parse()?))) }
    }
}

#[cfg(test)]
mod tests;

//! What stands in a certificate.

use serde::Serialize;
use signer_core::certificate_facts::CertificateFacts;

use super::shown;

/// A pod's certificate, as far as people ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeafCertificate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) common_name: Option<String>,
    pub(crate) dns_names: Vec<String>,
    pub(crate) uris: Vec<String>,
    pub(crate) ip_addresses: Vec<String>,
    pub(crate) usages: Vec<String>,
    pub(crate) key_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
}

impl LeafCertificate {
    /// Reads the first certificate of a chain.
    pub(crate) fn of_chain(pem: &str) -> Option<Self> {
        Some(Self::of(leaf_of(pem)?))
    }

    /// What is known before a certificate is issued.
    pub(crate) fn previewed(der: &[u8]) -> Option<Self> {
        let facts = CertificateFacts::of_der(der)?;
        Some(Self { serial: None, issuer: None, ..Self::of(facts) })
    }

    /// What is read of a certificate.
    pub(crate) fn of(facts: CertificateFacts) -> Self {
        let all = |names: Vec<String>| names.iter().map(|name| shown(name)).collect();
        Self {
            serial: Some(facts.serial),
            common_name: facts.common_name.as_deref().map(shown),
            dns_names: all(facts.dns_names),
            uris: all(facts.uris),
            ip_addresses: facts.ip_addresses,
            usages: facts.usages,
            key_type: facts.key.key_type.unwrap_or("of another kind").to_owned(),
            issuer: Some(shown(&facts.issuer)),
        }
    }

    /// All names, in one list.
    pub(crate) fn names(&self) -> Vec<String> {
        let common_name = self.common_name.iter().map(|name| format!("CN={name}"));
        let others = [&self.dns_names, &self.uris, &self.ip_addresses].into_iter().flatten().cloned();
        common_name.chain(others).collect()
    }

    /// What is there, each with its name.
    pub(crate) fn rows(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("CN", self.common_name.clone().unwrap_or_default()),
            ("DNS", self.dns_names.join(" ")),
            ("URI", self.uris.join(" ")),
            ("IP", self.ip_addresses.join(" ")),
            ("usages", self.usages.join(", ")),
            ("key", self.key_type.clone()),
            ("issuer", self.issuer.clone().unwrap_or_default()),
            ("serial", self.serial.clone().unwrap_or_default()),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// The identifier of the key that signed the first certificate of a chain.
pub(crate) fn issuer_key(pem: &str) -> Option<Vec<u8>> {
    leaf_of(pem)?.authority_key_identifier
}

fn leaf_of(pem: &str) -> Option<CertificateFacts> {
    let blocks = pem_blocks::blocks(pem.as_bytes()).ok()?;
    CertificateFacts::of_der(&blocks.first()?.der)
}

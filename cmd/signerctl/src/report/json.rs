//! A pool as programs read it. Keys are never shown.

use ca_pool::{CaCertificate, Phase};
use jiff::Timestamp;
use serde::Serialize;

use crate::error::Error;
use crate::report::outlook::Outlook;

/// All of it.
pub(crate) fn json(outlook: &Outlook<'_>, caveat: Option<String>) -> Result<String, Error> {
    let report = PoolReport {
        generation: outlook.pool.generation(),
        warnings: caveat
            .into_iter()
            .chain(outlook.assessment.warnings.iter().map(|(_, warning)| warning.to_string()))
            .chain(outlook.assessment.findings.iter().map(ToString::to_string))
            .chain(outlook.pool.left_aside())
            .collect(),
        authorities: outlook.all().map(|index| AuthorityReport::of(outlook, index)).collect(),
        trust_anchors: outlook.pool.roots().into_iter().map(CertificateReport::of).collect(),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PoolReport<'a> {
    generation: u64,
    warnings: Vec<String>,
    authorities: Vec<AuthorityReport<'a>>,
    trust_anchors: Vec<CertificateReport>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityReport<'a> {
    id: &'a str,
    role: &'static str,
    phase: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signs_from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signs_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest_leaf_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_go_from: Option<Timestamp>,
    key_type: String,
    /// Of all certificates up to the root.
    not_before: Timestamp,
    not_after: Timestamp,
    /// From the certificate that signs up to the root.
    path: Vec<CertificateReport>,
}

impl<'a> AuthorityReport<'a> {
    fn of(outlook: &Outlook<'a>, index: usize) -> Self {
        let authority = outlook.pool.authority(index);

        Self {
            id: authority.id(),
            role: match outlook.phases[index] {
                Phase::Active if outlook.fitness.is_of_use(index) => "signs",
                _ => "published",
            },
            phase: match outlook.phases[index] {
                Phase::Prepared(_) => "trusted",
                Phase::Active => "active",
                Phase::Retiring(_) => "retiring",
                Phase::Removable => "gone",
            },
            signs_from: outlook.signs_from(index),
            signs_until: outlook.signs_until(index),
            longest_leaf_seconds: outlook.windows()[index].max_leaf_lifetime.map(|longest| longest.as_secs()),
            can_go_from: outlook.removable_at(index),
            key_type: authority.key().key_type().to_string(),
            not_before: authority.not_before(),
            not_after: authority.not_after(),
            path: authority.path().map(CertificateReport::of).collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CertificateReport {
    subject: String,
    not_before: Timestamp,
    not_after: Timestamp,
    sha256: String,
    /// What it lets the certificates below it name and be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<String>,
}

impl CertificateReport {
    fn of(certificate: &CaCertificate) -> Self {
        Self {
            subject: certificate.subject(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            sha256: certificate.fingerprint(),
            constraints: certificate.constraints(),
        }
    }
}

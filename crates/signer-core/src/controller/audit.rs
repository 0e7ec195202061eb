//! What is recorded of outcomes: in the audit log, since requests themselves are deleted after minutes, and
//! in the metrics.

use std::time::Duration;

use jiff::Timestamp;
use kube::api::ObjectMeta;

use super::decision_log::{DecisionLog, Recorded};
use crate::{
    certificate_facts::{CertificateFacts, KeyFacts},
    metrics::SignerMetrics,
    request_source::{Requester, SignerRequest},
};
use ca_pool::IssuedCertificate;
use ca_pool::names::SignerName;

/// Records what becomes of one request.
pub(crate) struct Records<'a, K> {
    pub(crate) metrics: &'a SignerMetrics,
    pub(crate) signer: &'a SignerName,
    pub(crate) decisions: &'a DecisionLog,
    pub(crate) request: &'a K,
    pub(crate) now: Timestamp,
}

impl<K: SignerRequest> Records<'_, K> {
    /// Its certificate was written, so long after it had been seen, and after it had been created.
    pub(crate) fn issued(&self, certificate: &IssuedCertificate, after: Duration, age: Option<Duration>) {
        self.metrics.issued(after, age);
        self.certificate("Issued", certificate);
    }

    /// Its certificate was signed, and the API server's answer to the write lost: pods may or may not come to
    /// have it.
    pub(crate) fn unconfirmed(&self, certificate: &IssuedCertificate) {
        self.metrics.recorded("Unconfirmed", "");
        self.certificate("Unconfirmed", certificate);
    }

    /// Somebody was told something else.
    pub(crate) fn recorded(&self, outcome: &str, reason: &str, message: &str) {
        self.metrics.recorded(outcome, reason);
        let (signer, meta, Requester { pod, pod_uid, service_account, node }) = self.names();
        let key = self.request.public_key();
        let KeyFacts { key_type, spki_sha256 } = key.map(|key| KeyFacts::of(&key)).unwrap_or_default();
        self.show(outcome, reason, message.to_owned());
        tracing::info!(
            target: "audit", outcome, %signer, namespace = meta.namespace, request = meta.name, pod, pod_uid, service_account, node,
            key_type, spki_sha256, reason, message,
        );
    }

    /// Keeps it for people who look at the status page.
    fn show(&self, outcome: &str, reason: &str, message: String) {
        self.decisions.add(Recorded {
            at: self.now,
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
            namespace: self.request.meta().namespace.clone().unwrap_or_default(),
            pod: self.request.requester().pod.to_owned(),
            message,
        });
    }

    fn names(&self) -> (&SignerName, &ObjectMeta, Requester<'_>) {
        (self.signer, self.request.meta(), self.request.requester())
    }

    fn certificate(&self, outcome: &str, certificate: &IssuedCertificate) {
        let (signer, meta, Requester { pod, pod_uid, service_account, node }) = self.names();
        // it was encoded by us
        let facts = CertificateFacts::of_der(&certificate.leaf_der).unwrap_or_default();
        self.show(outcome, outcome, facts.names().collect::<Vec<_>>().join(", "));
        let CertificateFacts { common_name, dns_names, uris, ip_addresses, usages, key, .. } = facts;
        // none of the names has a space in it
        let [dns_names, uris, ip_addresses] = [dns_names, uris, ip_addresses].map(|names| list(" ", &names));
        let usages = list(", ", &usages);
        tracing::info!(
            target: "audit", outcome, %signer, namespace = meta.namespace, request = meta.name, pod, pod_uid, service_account, node, common_name, dns_names, uris, ip_addresses, usages,
            key_type = key.key_type, spki_sha256 = key.spki_sha256, serial = %certificate.serial, not_before = %certificate.not_before,
            not_after = %certificate.not_after, ca = certificate.authority_id, ca_sha256 = certificate.authority_sha256,
        );
    }
}

/// A list without entries is absent.
fn list(separator: &str, entries: &[String]) -> Option<String> {
    if entries.is_empty() { None } else { Some(entries.join(separator)) }
}

#[cfg(test)]
mod tests;

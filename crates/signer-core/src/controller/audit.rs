//! What is recorded of outcomes: in the audit log, since requests themselves are deleted after minutes, and
//! in the metrics.

mod facts;

use std::time::Duration;

use jiff::Timestamp;
use kube::api::ObjectMeta;

use self::facts::{CertificateFacts, KeyFacts};
use super::decision_log::{DecisionLog, Recorded};
use crate::{
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
        let CertificateFacts { common_name, dns_names, uris, ip_addresses, usages, key } =
            CertificateFacts::of(certificate);
        let names = [common_name.as_ref(), dns_names.as_ref(), uris.as_ref(), ip_addresses.as_ref()];
        self.show(
            outcome,
            outcome,
            names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", "),
        );
        tracing::info!(
            target: "audit", outcome, %signer, namespace = meta.namespace, request = meta.name, pod, pod_uid, service_account, node, common_name, dns_names, uris, ip_addresses, usages,
            key_type = key.key_type, spki_sha256 = key.spki_sha256, serial = %certificate.serial, not_before = %certificate.not_before,
            not_after = %certificate.not_after, ca = certificate.authority_id, ca_sha256 = certificate.authority_sha256,
        );
    }
}

#[cfg(test)]
mod tests;

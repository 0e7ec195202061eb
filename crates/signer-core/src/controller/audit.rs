//! The audit log: a record for each outcome. Requests themselves are deleted after minutes.

use crate::{api::PodCertificateRequest, issue::IssuedCertificate, signer_name::SignerName};

/// A certificate was signed. `outcome` is `Issued`; or `Unconfirmed`, if the API server's answer to the write was lost.
pub(crate) fn issued(
    signer: &SignerName,
    request: &PodCertificateRequest,
    certificate: &IssuedCertificate,
    outcome: &str,
) {
    let spec = &request.spec;
    tracing::info!(
        target: "audit", outcome, %signer, namespace = request.metadata.namespace, request = request.metadata.name,
        pod = spec.pod_name, pod_uid = spec.pod_uid, service_account = spec.service_account_name, node = spec.node_name,
        serial = %certificate.serial, not_before = %certificate.not_before, not_after = %certificate.not_after,
    );
}

/// Somebody was told something else.
pub(crate) fn told(
    signer: &SignerName,
    request: &PodCertificateRequest,
    outcome: &str,
    reason: &str,
    message: &str,
) {
    let spec = &request.spec;
    tracing::info!(
        target: "audit", outcome, %signer, namespace = request.metadata.namespace, request = request.metadata.name,
        pod = spec.pod_name, pod_uid = spec.pod_uid, service_account = spec.service_account_name, node = spec.node_name, reason, message,
    );
}

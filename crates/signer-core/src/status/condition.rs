//! The status of a finished request, as the API server takes it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::reasons;
use crate::{api::PodCertificateRequestStatus, decision::Denial, replicas::ReplicaName};
use bounded_text::truncated;
use ca_pool::IssuedCertificate;

/// Condition types. There is a third, `Failed`, which nothing here ever writes: kubelet takes it as final.
const ISSUED: &str = "Issued";
const DENIED: &str = "Denied";
const FAILED: &str = "Failed";

/// The API server takes 32 KiB. Nobody reads that much, and each byte of it may be the requester's.
const LONGEST_MESSAGE: usize = 4096;

/// Whether a status is final: the API server takes no other once one of these conditions is there.
pub(crate) fn is_final(status: Option<&PodCertificateRequestStatus>) -> bool {
    final_conditions(status).next().is_some()
}

/// The replica that wrote a final status, if it says so.
pub(crate) fn finished_by(status: Option<&PodCertificateRequestStatus>) -> Option<ReplicaName> {
    final_conditions(status).find_map(|condition| ReplicaName::of_message(&condition.message))
}

fn final_conditions(status: Option<&PodCertificateRequestStatus>) -> impl Iterator<Item = &Condition> {
    let conditions = status.map(|status| status.conditions.as_slice()).unwrap_or_default();
    conditions.iter().filter(|condition| [ISSUED, DENIED, FAILED].contains(&condition.type_.as_str()))
}

/// The status of an issued request: condition, chain and times, which the API server wants in one write.
pub(crate) fn issued(
    certificate: &IssuedCertificate,
    replica: &ReplicaName,
    now: Timestamp,
) -> PodCertificateRequestStatus {
    let message = format!("serial number {}, valid until {}", certificate.serial, certificate.not_after);
    PodCertificateRequestStatus {
        conditions: vec![condition(ISSUED, reasons::ISSUED.as_str(), &message, replica, now)],
        certificate_chain: certificate.chain_pem.clone(),
        not_before: Some(Time(certificate.not_before)),
        begin_refresh_at: Some(Time(certificate.begin_refresh_at)),
        not_after: Some(Time(certificate.not_after)),
    }
}

/// The status of a denied request: the condition, and nothing else.
pub(crate) fn denied(denial: &Denial, replica: &ReplicaName, now: Timestamp) -> PodCertificateRequestStatus {
    PodCertificateRequestStatus {
        conditions: vec![condition(DENIED, denial.reason.as_str(), &denial.message, replica, now)],
        ..Default::default()
    }
}

/// The message ends with the name of the replica, by which the others know that it lives.
fn condition(type_: &str, reason: &str, message: &str, replica: &ReplicaName, now: Timestamp) -> Condition {
    Condition {
        type_: type_.to_owned(),
        status: "True".to_owned(),
        reason: reason.to_owned(),
        message: replica.sign(&truncated(message, LONGEST_MESSAGE - replica.signature_len())),
        last_transition_time: Time(whole_seconds(now)),
        observed_generation: None,
    }
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests;

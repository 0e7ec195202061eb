//! Why an evaluation failed, in plain words: what is wrong, and what mends it.

use std::error::Error;

use jiff::Timestamp;
use kube::core::Status;

use super::{evaluator::LookError, reconcile::ReconcileError};
use crate::api::error::describe;
use bounded_text::truncated;
use ca_pool::names::SignerName;

/// The API server's answers repeat what they refuse.
const LONGEST_TEXT: usize = 1024;

/// Whether the API server has answered that it took nothing. Without such an answer, the write may have
/// arrived.
pub(crate) fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if (400..500).contains(&status.code))
}

/// What is known of a failure.
pub(crate) struct ErrorContext<'a> {
    pub(crate) signer: &'a SignerName,
    /// When the API server, by its clock, created the request.
    pub(crate) created: Option<Timestamp>,
    /// The same clock now.
    pub(crate) now: Timestamp,
}

/// What the operator has to know, on `/readyz` and in the log.
pub(crate) fn for_operator(error: &ReconcileError, context: &ErrorContext<'_>) -> String {
    let failed: &(dyn Error + 'static) = match error {
        ReconcileError::Look(error) => error,
        ReconcileError::Read(_) | ReconcileError::Write(_) | ReconcileError::Panic => error,
    };
    let text = match failed.source() {
        Some(cause) => format!("{failed}: {}", describe(cause)),
        None => failed.to_string(),
    };
    let text = truncated(&text, LONGEST_TEXT);
    match remedy(error, context) {
        Some(remedy) => format!("{text}; {remedy}"),
        None => text,
    }
}

/// What the pod's author has to know. Nothing that changes from one evaluation to the next, and no error of a
/// signer: it may tell of what is the operator's alone.
pub(crate) fn for_author(error: &ReconcileError) -> String {
    let what = match (error, api_error(error)) {
        (_, Some(kube::Error::Api(status))) => {
            format!("the API server answers the controller {} {}", status.code, status.reason)
        }
        (_, Some(_)) => "the API server doesn't answer the controller".to_owned(),
        (ReconcileError::Look(LookError::SignerTooSlow(_)), None) => {
            "the signer doesn't come to a decision".to_owned()
        }
        (ReconcileError::Look(LookError::Signer(_)), None) => "the signer reports an error".to_owned(),
        _ => "an error of the controller".to_owned(),
    };
    format!(
        "the request fails: {what}. It is requeued until it succeeds. The signer's operator must act: see the controller's /readyz and log"
    )
}

fn api_error(error: &ReconcileError) -> Option<&kube::Error> {
    match error {
        ReconcileError::Read(error)
        | ReconcileError::Write(error)
        | ReconcileError::Look(LookError::Pod(error) | LookError::Services(error)) => Some(error),
        ReconcileError::Look(_) | ReconcileError::Panic => None,
    }
}

fn remedy(error: &ReconcileError, context: &ErrorContext<'_>) -> Option<String> {
    let signer = context.signer;
    let kube::Error::Api(status) = api_error(error)? else {
        return Some("check the network, and that the API server runs".to_owned());
    };
    let is_write = matches!(error, ReconcileError::Write(_));
    let needs_sign = format!(
        "the controller needs get on podcertificaterequests, update on podcertificaterequests/status and the verb sign on signers {signer}"
    );
    match status.code {
        401 => Some(
            "the controller's credentials aren't accepted: its service account is gone, or its token has expired or was revoked. Create the service \
             account again, or restart the controller's pods"
                .to_owned(),
        ),
        403 if is_write => Some(needs_sign),
        403 => Some("grant the controller get on pods, and get, list and watch on services, as the shipped ClusterRole does".to_owned()),
        422 if has_cause(status, "spec.signerName") => Some(needs_sign),
        422 if has_cause(status, "status.notBefore") => Some(clocks(context)),
        _ => None,
    }
}

fn clocks(ErrorContext { created, now, .. }: &ErrorContext<'_>) -> String {
    let created = created.map_or_else(|| "unknown".to_owned(), |created| format!("{created:.0}"));
    format!(
        "certificates are dated by the clock of the API server that answered last, which says {now:.0}; the request was created at {created}, by the clock of \
         the one that took it. They may differ by 5 minutes at most: synchronise the clocks of the control plane's machines"
    )
}

/// The API server's check of the verb `sign` answers as if the field `spec.signerName` were invalid.
fn has_cause(status: &Status, field: &str) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.field == field)
}

#[cfg(test)]
mod tests;

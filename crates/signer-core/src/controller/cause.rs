//! Why an evaluation failed, in plain words: what is wrong, and what mends it.

use std::error::Error;

use jiff::Timestamp;
use kube::core::Status;

use super::{outcome::LookError, reconcile::ReconcileError};
use crate::api::error::describe;
use bounded_text::truncated;
use ca_pool::names::SignerName;

/// The API server's answers repeat what they refuse.
const LONGEST_TEXT: usize = 1024;

/// Whether the API server has answered that it took nothing. Without such an answer, the write may have arrived.
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

/// What the pod's author has to know. Nothing that changes from one evaluation to the next, and no error of a signer: it may tell of what is the operator's alone.
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
mod tests {
    use super::*;

    fn answer(code: u16, field: &str) -> kube::Error {
        let status = serde_json::json!({
            "status": "Failure", "message": "no", "reason": "Bad", "code": code, "details": {"causes": [{"field": field, "reason": "FieldValueForbidden"}]},
        });
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    fn told(error: &ReconcileError) -> String {
        let signer = "example.com/a".parse().unwrap();
        let now = "2026-01-01T00:10:00Z".parse().unwrap();
        let created = "2026-01-01T00:00:00Z".parse().ok();
        for_operator(error, &ErrorContext { signer: &signer, created, now })
    }

    #[test]
    fn known_causes_come_with_their_remedy() {
        let sign = "update on podcertificaterequests/status and the verb sign on signers example.com/a";
        for (error, remedy) in [
            (ReconcileError::Write(answer(401, "")), "restart the controller's pods"),
            (ReconcileError::Write(answer(403, "")), sign),
            (ReconcileError::Write(answer(422, "spec.signerName")), sign),
            (
                ReconcileError::Write(answer(422, "status.notBefore")),
                "says 2026-01-01T00:10:00Z; the request was created at 2026-01-01T00:00:00Z",
            ),
            (LookError::Pod(answer(403, "")).into(), "grant the controller get on pods"),
            (LookError::Pod(answer(401, "")).into(), "its token has expired"),
            (
                LookError::Services(kube::Error::Service("connection refused".into())).into(),
                "check the network",
            ),
        ] {
            let told = told(&error);
            assert!(told.contains(remedy), "{told}");
        }
    }

    #[test]
    fn what_was_tried_and_what_came_of_it_is_said_once() {
        assert_eq!(
            told(&LookError::Pod(answer(500, "")).into()),
            "reading the pod: the API server answers 500 Bad: no"
        );
        assert_eq!(
            told(&ReconcileError::Write(answer(500, ""))),
            "writing the outcome: the API server answers 500 Bad: no"
        );
        assert_eq!(
            told(&LookError::Pod(kube::Error::Service("connection refused".into())).into()),
            "reading the pod: connection refused; check the network, and that the API server runs"
        );
        assert_eq!(
            told(&LookError::Signer("the database is away".into()).into()),
            "the signer can't decide: the database is away"
        );
    }

    #[test]
    fn the_author_is_told_nothing_that_is_the_operators_alone() {
        let secret = LookError::Signer("postgres://user:password@db refused".into()).into();
        assert!(!for_author(&secret).contains("password"), "{}", for_author(&secret));
        let error = ReconcileError::Write(answer(403, ""));
        assert!(for_author(&error).contains("answers the controller 403"), "{}", for_author(&error));
    }

    #[test]
    fn only_an_answer_proves_that_nothing_was_taken() {
        assert!(is_refusal(&answer(422, "")));
        assert!(!is_refusal(&answer(500, "")));
        assert!(!is_refusal(&kube::Error::Service(std::io::Error::other("lost").into())));
    }
}

//! Writes that the API server refuses: whose matter that is.

use kube::core::Status;

use crate::signer_name::SignerName;

/// Whether the API server has answered that it took nothing. Without such an answer, the write may have arrived.
pub(crate) fn is_refusal(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if (400..500).contains(&status.code))
}

/// What the operator has to know where a permission is missing: never a verdict on the request. What else is refused is this request's matter alone.
pub(crate) fn missing_permission(error: &kube::Error, signer: &SignerName) -> Option<String> {
    let kube::Error::Api(status) = error else { return None };
    (status.code == 403 || lacks_sign(status)).then(|| {
        format!(
            "the API server refuses the outcome of requests ({}); the controller needs update on podcertificaterequests/status and the verb sign \
             on signers {signer}: {}",
            status.code, status.message
        )
    })
}

/// The API server's check of the verb `sign` answers as if the field were invalid.
fn lacks_sign(status: &Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 422
        && causes.any(|cause| cause.field == "spec.signerName" && cause.reason == "FieldValueForbidden")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, field: &str, reason: &str) -> kube::Error {
        let status = serde_json::json!({
            "status": "Failure", "message": "no", "code": code, "details": {"causes": [{"field": field, "reason": reason}]},
        });
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    #[test]
    fn a_missing_permission_is_told_and_a_refused_request_is_not_one() {
        let signer = "example.com/a".parse().unwrap();
        for (error, is_permission) in [
            (refused(403, "", ""), true),
            (refused(422, "spec.signerName", "FieldValueForbidden"), true),
            (refused(422, "status.notBefore", "FieldValueInvalid"), false),
            (refused(422, "status.notBefore", "FieldValueForbidden"), false),
            (refused(500, "", ""), false),
        ] {
            assert_eq!(missing_permission(&error, &signer).is_some(), is_permission, "{error:?}");
        }
    }

    #[test]
    fn only_an_answer_proves_that_nothing_was_taken() {
        assert!(is_refusal(&refused(422, "", "")));
        assert!(!is_refusal(&refused(500, "", "")));
        assert!(!is_refusal(&kube::Error::Service(std::io::Error::other("lost").into())));
    }
}

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
        (LookError::Services(kube::Error::Service("connection refused".into())).into(), "check the network"),
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

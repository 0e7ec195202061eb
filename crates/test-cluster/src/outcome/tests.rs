use super::*;
use serde_json::json;

fn with_status(status: Value) -> Result<Option<Outcome>, Error> {
    Outcome::of(&json!({"metadata": {"name": "req-1"}, "status": status}))
}

#[test]
fn a_request_without_condition_is_pending() {
    assert_eq!(with_status(json!({})).unwrap(), None);
    assert_eq!(Outcome::of(&json!({"metadata": {"name": "req-1"}})).unwrap(), None);
}

#[test]
fn a_denial_has_reason_and_message_alone() {
    let condition = json!({"type": "Denied", "status": "True", "reason": "No", "message": "because"});
    let outcome = with_status(json!({"conditions": [condition]})).unwrap().unwrap();
    assert_eq!(outcome.denied().unwrap(), ("No".into(), "because".into()));
    with_status(json!({"conditions": [condition], "notAfter": "2026-01-01T00:00:00Z"})).unwrap_err();
    with_status(json!({"conditions": [condition, condition]})).unwrap_err();
}

#[test]
fn an_issued_request_has_chain_and_times() {
    let mut status = json!({
        "conditions": [{"type": "Issued", "status": "True", "reason": "Issued"}],
        "certificateChain": "pem",
        "notBefore": "2026-01-01T00:00:00Z",
        "notAfter": "2026-01-02T00:00:00Z",
        "beginRefreshAt": "2026-01-01T12:00:00Z",
    });
    let issued = with_status(status.clone()).unwrap().unwrap().issued().unwrap();
    assert_eq!(issued.begin_refresh_at.to_string(), "2026-01-01T12:00:00Z");
    status["notAfter"] = Value::Null;
    with_status(status).unwrap_err();
}

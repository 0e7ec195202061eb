use std::fs;

use kube::client::Body;
use serde_json::json;

use super::*;

fn config_map() -> DenySource {
    DenySource::ConfigMap { namespace: "ops".into(), name: "deny".into(), key: "deny.yaml".into() }
}

/// A client of an API server that gives this answer to everything.
fn answering(code: u16, body: Vec<u8>) -> Client {
    let answer = tower::service_fn(move |_: http::Request<Body>| {
        let answer = http::Response::builder().status(code).body(Body::from(body.clone()));
        async move { answer }
    });
    Client::new(answer, "default")
}

async fn read(code: u16, body: impl Into<Vec<u8>>) -> Result<String, String> {
    let client = answering(code, body.into());
    config_map().read(&client).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_document_is_the_text_under_the_key() {
    let document = |body: serde_json::Value| read(200, body.to_string());
    assert_eq!(document(json!({"data": {"deny.yaml": "rules: []", "x": "y"}})).await.unwrap(), "rules: []");
    for empty in
        [json!({}), json!({"data": null}), json!({"data": {}}), json!({"data": {}, "binaryData": {}})]
    {
        assert_eq!(document(empty).await.unwrap(), "");
    }
    // the end of the year 9999 is beyond what many types for times hold
    let poisoned = json!({"metadata": {"managedFields": [{"time": "9999-12-31T00:00:00Z"}]}, "data": {"deny.yaml": "a"}});
    assert_eq!(document(poisoned).await.unwrap(), "a");
    let other = document(json!({"data": {"deny.yml": "secret"}, "binaryData": {"b": ""}})).await.unwrap_err();
    assert_eq!(
        other,
        "deny.yaml of ConfigMap ops/deny: the ConfigMap has no such key; it has b, deny.yml. Rename the key, or remove all keys if nobody is to be blocked"
    );
}

#[tokio::test]
async fn what_cant_be_read_is_told_without_the_body() {
    let refused = json!({"kind": "Status", "status": "Failure", "message": "no \"rights\"", "reason": "Forbidden", "code": 403});
    let too_long = json!({"data": {"deny.yaml": "x".repeat(MAX_DENY_DOCUMENT_BYTES + 1)}});
    for (code, body, expected) in [
        (
            403,
            refused.to_string(),
            "answers 403 Forbidden: no \"rights\"; grant the verb get on this ConfigMap",
        ),
        (404, String::new(), "kubectl -n ops create configmap deny"),
        (502, "<html>canary".into(), "answers 502"),
        (200, "canary".into(), "the answer isn't a ConfigMap"),
        (200, json!({"data": {"deny.yaml": 7, "a": "canary"}}).to_string(), "the answer isn't a ConfigMap"),
        (200, too_long.to_string(), "longer than 262144 bytes"),
        (200, "x".repeat(4 * 1024 * 1024 + 1), "answer is larger than 4096 KiB"),
    ] {
        let error = read(code, body).await.unwrap_err();
        assert!(error.contains(expected) && !error.contains("canary"), "{code}: {error}");
    }
}

#[test]
fn only_a_regular_file_of_bounded_length_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("deny.yaml");
    let error = |path: &Path| read_file(path).unwrap_err().to_string();
    assert!(error(&file).ends_with("doesn't exist; create it, empty if nobody is to be blocked"));
    fs::write(&file, "rules: []").unwrap();
    assert_eq!(read_file(&file).unwrap(), "rules: []");
    fs::write(&file, b"\xff").unwrap();
    assert!(error(&file).contains("isn't UTF-8"));
    fs::write(&file, vec![b'#'; MAX_DENY_DOCUMENT_BYTES + 1]).unwrap();
    assert!(error(&file).contains("is longer than 262144 bytes"));
    for other in [dir.path(), Path::new("/dev/zero")] {
        assert!(error(other).contains("isn't a regular file"), "{}", other.display());
    }
}

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use hyper::Response;
use serde_json::{Value, json};

use super::*;

fn document(json: &Value) -> Result<SecretDocument, SecretError> {
    SecretDocument::parse(Zeroizing::new(json.to_string().into_bytes()))
}

fn json_of(document: &SecretDocument) -> Value {
    serde_json::from_slice(&document.body()).unwrap()
}

/// What kube's own types refuse, with all that a Secret may have beside a pool.
fn poisoned() -> Value {
    json!({
        "kind": "Secret", "apiVersion": "v1", "type": "Opaque", "immutable": false,
        "metadata": {
            "name": "ca", "namespace": "signers", "uid": "u", "resourceVersion": "7",
            "annotations": {"kept": "yes"}, "finalizers": ["example.com/f"],
            "managedFields": [{"manager": "x", "time": "9999-12-31T00:00:00Z"}],
        },
        "data": {"pool": "b2xk", "other": "a2VwdA=="},
    })
}

#[test]
fn only_what_is_asked_for_is_read() {
    let document = document(&poisoned()).unwrap();
    assert_eq!(document.version(), "7");
    assert_eq!(document.value("pool").unwrap().as_deref().map(Vec::as_slice), Some(&b"old"[..]));
    assert_eq!(document.value("none").unwrap().as_deref(), None);
    assert_eq!(document.keys().unwrap(), ["other", "pool"]);
}

#[test]
fn a_value_is_replaced_and_all_else_stays_but_managed_fields() {
    let changed = document(&poisoned()).unwrap().with_value("pool", b"new").unwrap();
    let mut expected = poisoned();
    expected["data"]["pool"] = json!("bmV3");
    expected["metadata"].as_object_mut().unwrap().remove("managedFields");
    assert_eq!(json_of(&changed), expected);
    assert_eq!(changed.version(), "7");
}

#[test]
fn a_value_is_added_to_an_empty_secret() {
    for data in [json!({}), Value::Null] {
        let mut secret = poisoned();
        secret["data"] = data;
        let changed = document(&secret).unwrap().with_value("a\"b", b"new").unwrap();
        assert_eq!(json_of(&changed)["data"], json!({"a\"b": "bmV3"}));
    }
    let made = SecretDocument::new("signers", "ca").with_value("pool", b"new").unwrap();
    let expected = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"namespace": "signers", "name": "ca"}, "data": {"pool": "bmV3"},
    });
    assert_eq!(json_of(&made), expected);
}

#[test]
fn no_error_and_no_debug_output_holds_content() {
    let canary = "QS1DQU5BUlk";
    for secret in [
        json!(canary),
        json!({"metadata": canary}),
        json!({"metadata": {"resourceVersion": {canary: 1}}}),
        json!({"metadata": {"resourceVersion": "1"}, "data": canary}),
        json!({"metadata": {"resourceVersion": "1"}, "data": {"pool": {"a": canary}}}),
        json!({"metadata": {"resourceVersion": "1"}, "data": {"pool": format!("{canary}!")}}),
    ] {
        let error = document(&secret).and_then(|document| document.value("pool")).unwrap_err();
        assert!(matches!(error, SecretError::Unreadable(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
    }
    let debug = format!("{:?}", document(&poisoned()).unwrap());
    assert_eq!(debug, "SecretDocument { version: \"7\", .. }");
}

/// Secrets of an API server that always answers so; and what it is sent.
fn answering(code: u16, body: impl Into<Vec<u8>>) -> (Secrets, Arc<Mutex<Vec<String>>>) {
    let (body, calls) = (body.into(), Arc::<Mutex<Vec<String>>>::default());
    let seen = Arc::clone(&calls);
    let service = tower::service_fn(move |request: Request<Body>| {
        seen.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let answer = Response::builder().status(code).body(Body::from(body.clone()));
        async { Ok::<_, Infallible>(answer.unwrap()) }
    });
    (Secrets::new(Client::new(service, "default"), "signers"), calls)
}

#[tokio::test]
async fn secrets_are_read_and_written_at_their_path() {
    let (secrets, calls) = answering(200, poisoned().to_string());
    let secret = secrets.get("ca").await.unwrap().unwrap();
    secrets.replace("ca", &secret).await.unwrap();
    secrets.create(&secret).await.unwrap();
    let path = "/api/v1/namespaces/signers/secrets";
    let expected = [format!("GET {path}/ca"), format!("PUT {path}/ca"), format!("POST {path}")];
    assert_eq!(*calls.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_missing_secret_is_none() {
    let missing = json!({"status": "Failure", "reason": "NotFound", "message": "not found"}).to_string();
    assert!(answering(404, missing).0.get("ca").await.unwrap().is_none());
}

#[tokio::test]
async fn refusals_have_code_reason_and_a_bounded_message() {
    let status = json!({"status": "Failure", "reason": "Forbidden", "message": "a".repeat(5000)}).to_string();
    let error = answering(403, status).0.get("ca").await.unwrap_err();
    let SecretError::Call(kube::Error::Api(status)) = error else { panic!("{error}") };
    assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
    assert!(status.message.len() <= 1024, "{}", status.message);
    // what isn't a Status isn't shown
    let error = answering(502, "<html>a canary</html>").0.get("ca").await.unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_kept() {
    let error = answering(200, vec![b' '; LARGEST_OBJECT + 1]).0.get("ca").await.unwrap_err();
    assert!(matches!(error, SecretError::Unreadable(_)), "{error}");
    assert!(error.to_string().contains("larger than 4 MiB"), "{error}");
}

#[tokio::test]
async fn a_name_that_would_change_the_path_is_never_sent() {
    let (secrets, calls) = answering(200, poisoned().to_string());
    let secret = secrets.get("ca").await.unwrap().unwrap();
    calls.lock().unwrap().clear();
    for name in ["", "a/b", "..", ".", "ca?watch=1", "ca#", "%2e%2e"] {
        let error = secrets.get(name).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("name {name:?} isn't valid")), "{error}");
        assert!(
            matches!(secrets.replace(name, &secret).await, Err(SecretError::InvalidName { .. })),
            "{name}"
        );
    }
    let elsewhere = Secrets::new(secrets.client.clone(), "");
    let error = elsewhere.create(&secret).await.unwrap_err();
    assert!(error.to_string().starts_with("namespace \"\" isn't valid"), "{error}");
    assert_eq!(*calls.lock().unwrap(), Vec::<String>::new());
}

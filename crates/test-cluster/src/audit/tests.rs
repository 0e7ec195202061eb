use super::*;

const LOG: &str = concat!(
    r#"{"kind":"Event","verb":"update","user":{"username":"admin"},"userAgent":"signer-manager/0.1","objectRef":{"resource":"podcertificaterequests","subresource":"status","namespace":"a","name":"req-1"},"responseStatus":{"code":200}}"#,
    "\n",
    r#"{"kind":"Event","verb":"create","user":{"username":"admin"},"impersonatedUser":{"username":"system:node:n"},"objectRef":{"resource":"podcertificaterequests","namespace":"a"},"responseStatus":{"code":201}}"#,
    "\n",
    r#"{"kind":"Event","verb":"get","user":{"username":"admin"},"requestURI":"/readyz"}"#,
    "\n",
    r#"{"kind":"Event","verb":"get","us"#,
);

#[test]
fn calls_are_counted_by_verb_and_resource() {
    let calls = parse(LOG).unwrap();
    assert_eq!(calls.len(), 3);
    let counts = count(&calls, |call| !call.resource.is_empty());
    assert_eq!(counts["update podcertificaterequests/status"], 1);
    assert_eq!(counts["create podcertificaterequests"], 1);
    assert_eq!(counts.len(), 2);
}

#[test]
fn an_impersonated_call_is_the_impersonated_users() {
    let calls = parse(LOG).unwrap();
    assert_eq!(calls[1].user, "system:node:n");
    assert_eq!((calls[0].user_agent.as_str(), calls[0].code), ("signer-manager/0.1", 200));
}

#[test]
fn a_broken_line_is_named() {
    let error = parse("{}\n").unwrap_err().to_string();
    assert!(error.contains("line 1"), "{error}");
}

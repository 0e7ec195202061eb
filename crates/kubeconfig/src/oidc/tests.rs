use super::*;

fn token(payload: &str) -> String {
    format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
}

#[test]
fn an_id_token_counts_until_it_expires() {
    let now = Timestamp::from_second(1_000_000).unwrap();
    check(&token(r#"{"exp": 1000060}"#), now, "u").unwrap();
    check(&token(r#"{"exp": 1000060.5}"#), now, "u").unwrap();
    for (payload, says) in [
        (r#"{"exp": 1000005}"#, "expired at 1970-01-12T13:46Z"),
        (r#"{"exp": 1}"#, "expired at 1970-01-01T00:00Z"),
        (r#"{}"#, "isn't a JWT"),
        ("x", "isn't a JWT"),
    ] {
        let error = check(&token(payload), now, "user \"u\"").unwrap_err().to_string();
        assert!(
            error.starts_with("user \"u\": ") && error.contains(says) && error.contains("kubelogin"),
            "{error}"
        );
    }
    check("opaque", now, "u").unwrap_err();
}

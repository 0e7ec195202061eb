use proptest::prelude::*;

use super::*;

#[test]
fn refuses_with_the_rule() {
    let long = "a".repeat(64);
    for (text, rule) in [
        ("", "empty"),
        ("spiffe://cluster.local", "lowercase"),
        ("Cluster.local", "lowercase"),
        ("cluster.local/", "lowercase"),
        ("cluster.local:8443", "lowercase"),
        ("user@cluster.local", "lowercase"),
        ("münchen.de", "lowercase"),
        ("a b", "lowercase"),
        ("a%20b", "lowercase"),
        (".cluster.local", "start"),
        ("a..b", "'..'"),
        ("-a", "start and end"),
        ("a_", "start and end"),
        (long.as_str(), "63 bytes"),
    ] {
        let error = parse_trust_domain(text).unwrap_err().to_string();
        assert!(error.contains(rule) && error.contains("prod.example.com"), "{text}: {error}");
    }
    assert!(parse_trust_domain(&"a".repeat(63)).is_ok());
    assert!(parse_trust_domain("my_domain-1.x").is_ok());
}

proptest! {
    #[test]
    fn whatever_is_taken_is_a_label_value(text in "[a-zA-Z0-9._-]{0,70}|\\PC{0,10}") {
        if let Ok(trust_domain) = parse_trust_domain(&text) {
            prop_assert_eq!(trust_domain.as_str(), text.as_str());
            prop_assert!(text.len() <= 63 && !text.starts_with(['.', '-', '_']) && !text.ends_with(['.', '-', '_']));
        }
    }
}

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
        let error = text.parse::<TrustDomain>().unwrap_err().to_string();
        assert!(error.contains(rule) && error.contains("prod.example.com"), "{text}: {error}");
    }
    assert!("a".repeat(63).parse::<TrustDomain>().is_ok());
    assert!("my_domain-1.x".parse::<TrustDomain>().is_ok());
}

proptest! {
    #[test]
    fn whatever_is_taken_is_a_trust_domain_to_others_and_a_label_value(text in "[a-zA-Z0-9._-]{0,70}|\\PC{0,10}") {
        if let Ok(trust_domain) = text.parse::<TrustDomain>() {
            let theirs = spiffe::TrustDomain::new(&text).unwrap();
            prop_assert_eq!(theirs.to_string(), text.clone());
            prop_assert_eq!(trust_domain.to_string(), text.clone());
            prop_assert!(text.len() <= 63 && !text.starts_with(['.', '-', '_']) && !text.ends_with(['.', '-', '_']));
        }
    }
}

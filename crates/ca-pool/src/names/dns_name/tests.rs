use proptest::prelude::*;

use super::*;

#[test]
fn refuses_with_the_rule() {
    let long_label = format!("{}.example.com", "a".repeat(64));
    let long_name = vec!["a".repeat(60); 5].join(".");
    for (name, rule) in [
        ("", "empty"),
        ("example.com.", "each label"),
        (".example.com", "each label"),
        ("a..b", "each label"),
        ("-a.b", "each label"),
        ("a-.b", "each label"),
        ("a_b.c", "each label"),
        ("a b.c", "each label"),
        ("münchen.de", "each label"),
        ("Example.com", "lowercase"),
        ("*", "'*'"),
        ("a.*.com", "'*'"),
        ("*a.com", "'*'"),
        ("*.*.com", "'*'"),
        ("192.0.2.1", "IP address"),
        (long_label.as_str(), "each label"),
        (long_name.as_str(), "253"),
    ] {
        let error = name.parse::<DnsName>().unwrap_err().to_string();
        assert!(error.contains(rule), "{name}: {error}");
    }
}

proptest! {
    #[test]
    fn what_is_taken_obeys_the_api_server(text in "[a-zA-Z0-9.*_-]{0,80}|\\PC{0,20}") {
        if let Ok(name) = text.parse::<DnsName>() {
            prop_assert_eq!(name.as_str(), text.as_str());
            prop_assert!(!text.is_empty() && !text.contains("..") && !text.starts_with('.') && !text.ends_with('.'));
            prop_assert!(name.labels().all(|label| label == "*" || is_dns_label(label)));
        }
    }
}

use proptest::prelude::*;

use super::*;

#[test]
fn refuses_with_the_rule() {
    let long = vec!["a".repeat(62); 2].join(".") + ".b";
    for (suffix, rule) in [
        ("", "no domain"),
        (".svc", "added anyway"),
        ("svc.", "no domain"),
        ("*.example.com", "no domain"),
        ("Example.com", "no domain"),
        ("example.com/x", "no domain"),
        ("192.0.2.1", "no domain"),
        ("com", "top-level"),
        ("local", "top-level"),
        (long.as_str(), "125"),
    ] {
        let error = suffix.parse::<DnsSuffix>().unwrap_err().to_string();
        assert!(error.contains(rule) && error.contains("svc.cluster.local"), "{suffix}: {error}");
    }
}

proptest! {
    #[test]
    fn every_service_has_a_legal_name_under_it(text in "[a-z0-9.-]{0,130}|svc") {
        if text.parse::<DnsSuffix>().is_ok() {
            let longest = format!("{0}.{0}.{text}", "a".repeat(63));
            prop_assert!(longest.parse::<DnsName>().is_ok(), "{}", longest);
        }
    }
}

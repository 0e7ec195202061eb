use super::*;

#[test]
fn refuses_with_the_rule() {
    let long = "a".repeat(256);
    for (domain, rule) in [
        ("", "empty"),
        (long.as_str(), "255"),
        ("Example.com", "lowercase"),
        ("example.com:443", "lowercase"),
        ("user@example.com", "lowercase"),
        ("spiffe://example.com", "lowercase"),
        ("example..com", "'..'"),
        (".example.com", "start"),
    ] {
        let error = domain.parse::<TrustDomain>().unwrap_err().to_string();
        assert!(error.contains(rule), "{domain}: {error}");
    }
    for domain in ["cluster.local", "my_domain", "a-", "127.0.0.1"] {
        assert!(domain.parse::<TrustDomain>().is_ok(), "{domain}");
    }
}

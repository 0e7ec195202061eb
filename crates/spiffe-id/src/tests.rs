use proptest::prelude::*;

use super::*;

#[test]
fn each_refusal_says_which_rule_is_broken() {
    let long_domain = format!("spiffe://{}/a", "a".repeat(256));
    let long_id = format!("spiffe://a/{}", "a".repeat(2048));
    for (text, rule) in [
        ("", "looks like"),
        ("https://cluster.local/a", "looks like"),
        ("SPIFFE://cluster.local/a", "looks like"),
        ("spiffe:///a", "is empty"),
        ("spiffe://Cluster.local/a", "lowercase"),
        ("spiffe://user@cluster.local/a", "lowercase"),
        ("spiffe://cluster.local:8443/a", "lowercase"),
        ("spiffe://cluster..local/a", "'..'"),
        ("spiffe://cluster.local/", "empty segment"),
        ("spiffe://cluster.local/a/", "empty segment"),
        ("spiffe://cluster.local/a//b", "empty segment"),
        ("spiffe://cluster.local/a/../b", "'..'"),
        ("spiffe://cluster.local/a%2Fb", "letters"),
        ("spiffe://cluster.local/a?b", "letters"),
        ("spiffe://cluster.local/a#b", "letters"),
        ("spiffe://cluster.local/a\nb", "letters"),
        (&long_domain, "255 bytes"),
        (&long_id, "2048 bytes"),
    ] {
        let error = parse_spiffe_id(text).unwrap_err().to_string();
        assert!(error.contains(rule) && !error.contains('\n'), "{text}: {error}");
    }
    for (domain, rule) in [
        ("", "empty"),
        (&"a".repeat(256), "255"),
        ("Example.com", "lowercase"),
        ("example.com:443", "lowercase"),
        ("user@example.com", "lowercase"),
        ("spiffe://example.com", "lowercase"),
        ("example.com/a", "lowercase"),
        ("example..com", "'..'"),
        (".example.com", "start"),
    ] {
        let error = parse_trust_domain(domain).unwrap_err().to_string();
        assert!(error.contains(rule), "{domain}: {error}");
    }
    for domain in ["cluster.local", "my_domain", "a-", "127.0.0.1"] {
        assert_eq!(parse_trust_domain(domain).unwrap().as_str(), domain);
    }
}

#[test]
fn only_the_form_of_service_accounts_tells_one() {
    for (id, account) in [
        ("spiffe://a/ns/shop/sa/web", Some(("shop", "web"))),
        ("spiffe://a/ns/shop/sa/web/x", None),
        ("spiffe://a/ns/shop/x/sa/web", None),
        ("spiffe://a/x/ns/shop/sa/web", None),
        ("spiffe://a/workload", None),
        ("spiffe://a", None),
    ] {
        assert_eq!(service_account(&parse_spiffe_id(id).unwrap()), account, "{id}");
    }
}

#[test]
fn no_name_can_become_another_part() {
    let domain = parse_trust_domain("cluster.local").unwrap();
    for name in ["", ".", "..", "a/b", "a%2Fb", "%2e%2e", "a?b", "a#b", "a b", "a\n", "ä"] {
        assert!(service_account_id(&domain, "shop", name).is_err(), "{name}");
        assert!(service_account_id(&domain, name, "server").is_err(), "{name}");
    }
    let too_long = service_account_id(&domain, "shop", &"a".repeat(2048)).unwrap_err().to_string();
    assert!(too_long.contains("2048"), "{too_long}");
}

proptest! {
    /// But for what isn't canonical, and empty labels.
    #[test]
    fn judges_as_the_spiffe_crate_does(
        text in "spiffe://[a-zA-Z0-9._%:@-]{0,8}(/[a-zA-Z0-9._%-]{0,3}){0,4}|\\PC{0,20}",
    ) {
        let ours = parse_spiffe_id(&text);
        let theirs = SpiffeId::new(&text).ok().filter(|id| {
            id.to_string() == text && !id.trust_domain_name().split('.').any(str::is_empty)
        });
        prop_assert_eq!(ours.clone().ok(), theirs, "{:?}", ours);
    }

    #[test]
    fn the_id_of_a_service_account_tells_its_parts(
        namespace in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?",
        account in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,3}",
    ) {
        let domain = parse_trust_domain("cluster.local").unwrap();
        let id = service_account_id(&domain, &namespace, &account).unwrap();
        prop_assert_eq!(id.to_string(), format!("spiffe://cluster.local/ns/{namespace}/sa/{account}"));
        prop_assert_eq!(service_account(&id), Some((namespace.as_str(), account.as_str())));
        prop_assert_eq!(parse_spiffe_id(&id.to_string()).unwrap(), id);
    }
}

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
        let error = text.parse::<SpiffeId>().unwrap_err().to_string();
        assert!(error.contains(rule) && !error.contains('\n'), "{text}: {error}");
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
        assert_eq!(id.parse::<SpiffeId>().unwrap().service_account(), account, "{id}");
    }
}

proptest! {
    /// But for capitals in the scheme or trust domain, which it lowers and this crate, which never normalises, refuses.
    #[test]
    fn judges_as_the_spiffe_crate_does(text in "spiffe://[a-zA-Z0-9._%:@-]{0,8}(/[a-zA-Z0-9._%-]{0,3}){0,4}|\\PC{0,20}") {
        let ours = text.parse::<SpiffeId>();
        let theirs = spiffe::SpiffeId::new(&text).ok().filter(|id| id.to_string() == text);
        prop_assert_eq!(ours.is_ok(), theirs.is_some(), "{:?} {:?}", ours, theirs);
        if let (Ok(ours), Some(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.to_string(), text);
            prop_assert_eq!(ours.path(), theirs.path());
            prop_assert_eq!(ours.trust_domain().as_str(), theirs.trust_domain_name());
        }
    }
}

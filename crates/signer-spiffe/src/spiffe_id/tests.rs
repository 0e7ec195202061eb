use proptest::prelude::*;

use super::*;

fn trust_domain() -> TrustDomain {
    "cluster.local".parse().unwrap()
}

#[test]
fn no_segment_can_become_another_part() {
    for (text, rule) in [
        ("", "empty"),
        (".", "relative"),
        ("..", "relative"),
        ("a/b", "letters"),
        ("a%2Fb", "letters"),
        ("%2e%2e", "letters"),
        ("a?b", "letters"),
        ("a#b", "letters"),
        ("a b", "letters"),
        ("a\n", "letters"),
        ("ä", "letters"),
    ] {
        let error = SpiffeId::of_service_account(&trust_domain(), "shop", text).unwrap_err().to_string();
        assert!(error.contains(rule), "{text}: {error}");
        assert!(SpiffeId::of_service_account(&trust_domain(), text, "server").is_err(), "{text}");
    }
}

#[test]
fn holds_2048_bytes_and_no_more() {
    let prefix = "spiffe://cluster.local/".len();
    let id = |length: usize| SpiffeId::new(trust_domain(), ["a".repeat(length - prefix).parse().unwrap()]);
    assert_eq!(id(2048).unwrap().to_uri().unwrap().as_str().len(), 2048);
    assert_eq!(id(2049), Err(SpiffeIdError::TooLong(2049)));
}

proptest! {
    #[test]
    fn every_id_is_one_to_others_and_a_uri_unchanged(
        trust_domain in "[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?",
        path in proptest::collection::vec("[a-zA-Z0-9._-]{1,20}", 1..5),
    ) {
        let trust_domain = trust_domain.parse::<TrustDomain>();
        let segments = path.iter().map(|segment| segment.parse()).collect::<Result<Vec<PathSegment>, _>>();
        prop_assume!(trust_domain.is_ok() && segments.is_ok());
        let id = SpiffeId::new(trust_domain.unwrap(), segments.unwrap()).unwrap();
        let theirs = spiffe::SpiffeId::new(id.to_string()).unwrap();
        prop_assert_eq!(theirs.to_string(), id.to_string());
        prop_assert_eq!(theirs.path(), format!("/{}", path.join("/")));
        let uri = id.to_uri().unwrap();
        prop_assert_eq!(uri.as_str(), id.to_string());
        prop_assert_eq!(uri.host(), id.trust_domain.as_str());
    }

    #[test]
    fn the_id_of_a_service_account_tells_its_parts(
        namespace in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?",
        account in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,3}",
    ) {
        let id = SpiffeId::of_service_account(&trust_domain(), &namespace, &account).unwrap();
        let text = id.to_string();
        let parts: Vec<&str> = text.strip_prefix("spiffe://cluster.local/").unwrap().split('/').collect();
        prop_assert_eq!(parts, ["ns", namespace.as_str(), "sa", account.as_str()]);
    }

    #[test]
    fn what_others_refuse_as_a_segment_is_refused(text in "\\PC{0,12}|[a-z/.%]{0,6}") {
        let theirs = spiffe::SpiffeId::from_segments(spiffe::TrustDomain::new("cluster.local").unwrap(), &[&text]);
        prop_assert_eq!(text.parse::<PathSegment>().is_ok(), theirs.is_ok());
    }
}

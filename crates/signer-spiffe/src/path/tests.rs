use proptest::prelude::*;

use super::*;

#[test]
fn the_default_is_the_path_that_it_is_written_as() {
    assert_eq!(PathTemplate::parse(DEFAULT, None), Ok(PathTemplate::default()));
    assert_eq!(PathTemplate::default().to_string(), DEFAULT);
}

#[test]
fn what_two_service_accounts_could_share_is_refused() {
    for (text, expected) in [
        ("", "must begin with '/'"),
        ("ns/${pod.namespace}/sa/${pod.serviceAccountName}", "must begin with '/'"),
        ("/sa/${pod.serviceAccountName}", "${pod.namespace} must be in it"),
        ("/ns/${pod.namespace}", "${pod.serviceAccountName} must be in it"),
        ("/${pod.namespace}-${pod.serviceAccountName}", "mixes a placeholder with other text"),
        ("/ns-${pod.namespace}/${pod.serviceAccountName}", "mixes a placeholder with other text"),
        ("/${pod.namespace}/${pod.serviceAccountName}/${pod.name}", "${pod.name} is not a placeholder"),
        ("/${pod.namespace}/${pod.serviceAccountName}/${node.name}", "${node.name} is not a placeholder"),
        ("/${cluster.name}/${pod.namespace}/${pod.serviceAccountName}", "set clusterName"),
        ("/${pod.namespace}/${pod.serviceAccountName}/", "empty segment"),
        ("//${pod.namespace}/${pod.serviceAccountName}", "empty segment"),
        ("/../${pod.namespace}/${pod.serviceAccountName}", "segment '.' or '..'"),
        ("/a b/${pod.namespace}/${pod.serviceAccountName}", "letters, digits"),
        ("/a$/${pod.namespace}/${pod.serviceAccountName}", "mixes a placeholder"),
    ] {
        let error = PathTemplate::parse(text, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let illegal = "/${cluster.name}/${pod.namespace}/${pod.serviceAccountName}";
    assert!(PathTemplate::parse(illegal, Some("eu-1")).is_ok());
    for name in ["a/b", "a b", "..", ""] {
        assert!(PathTemplate::parse(illegal, Some(name)).is_err(), "{name}");
    }
}

proptest! {
    /// Two service accounts have two IDs, whatever the path.
    #[test]
    fn ids_are_injective(
        literals in proptest::collection::vec("[a-z]{1,3}", 0..4),
        at in 0..5_usize,
        a in ("[a-z]{1,3}", "[a-z]{1,3}(\\.[a-z]{1,3})?"),
        b in ("[a-z]{1,3}", "[a-z]{1,3}(\\.[a-z]{1,3})?"),
    ) {
        let mut segments = literals;
        segments.insert(at.min(segments.len()), NAMESPACE.to_owned());
        segments.insert((at / 2).min(segments.len()), SERVICE_ACCOUNT.to_owned());
        let path = PathTemplate::parse(&format!("/{}", segments.join("/")), None).unwrap();
        let domain = spiffe_id::parse_trust_domain("example.com").unwrap();
        let id = |(namespace, account): &(String, String)| path.id(&domain, namespace, account).unwrap().to_string();
        prop_assert_eq!(id(&a) == id(&b), a == b);
    }
}

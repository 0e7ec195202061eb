use super::*;
use crate::{cluster::LabelSelector, testing::RequestBuilder};

#[test]
fn names_the_accepted_key_types() {
    let policy = Policy { key_types: vec![KeyType::EcdsaP256, KeyType::Ed25519], ..Policy::default() };
    let pod = RequestBuilder::new("example.com/a").parts().1;
    assert_eq!(policy.refuses(&pod, None, KeyType::Ed25519), None);
    let Some(Decision::Deny(denial)) = policy.refuses(&pod, None, KeyType::Rsa4096) else {
        panic!("must refuse")
    };
    assert_eq!(denial.reason, reasons::UNSUPPORTED_KEY_TYPE);
    assert!(denial.message.contains("RSA4096") && denial.message.ends_with("one of ECDSAP256, ED25519"));
}

#[test]
fn allows_who_is_in_an_entry_and_nobody_else() {
    let pod = RequestBuilder::new("example.com/a").parts().1;
    for (namespaces, allowed) in [("shop", true), ("*", true), ("web", false)] {
        let policy =
            Policy { allow: Some(vec![WorkloadSelector::new([namespaces], ["*"])]), ..Policy::default() };
        assert_eq!(policy.refuses(&pod, None, KeyType::EcdsaP256).is_none(), allowed, "{namespaces}");
    }
}

/// Whoever labels a namespace lets its pods use the signer.
#[test]
fn labels_of_the_namespace_count_if_they_are_asked_for() {
    let labelled = LabelSelector::new([("certificates".to_owned(), "yes".to_owned())], []);
    let allowed = WorkloadSelector::new(["*"], ["*"]).with_namespace_selector(labelled);
    let policy = Policy { allow: Some(vec![allowed]), ..Policy::default() };
    assert!(policy.reads_namespaces() && !Policy::default().reads_namespaces());
    let pod = Pod { namespace: "shop".into(), ..Pod::default() };
    let namespace = |value: &str| Namespace {
        labels: [("certificates".to_owned(), value.to_owned())].into(),
        ..Namespace::default()
    };
    let refuses = |namespace: Option<&Namespace>| policy.refuses(&pod, namespace, KeyType::Ed25519).is_some();
    assert!(!refuses(Some(&namespace("yes"))));
    assert!(refuses(Some(&namespace("no"))) && refuses(Some(&Namespace::default())));
    assert!(refuses(None), "nobody, where nothing is known of the namespace");
}

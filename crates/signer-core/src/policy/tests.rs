use super::*;
use crate::testing::RequestBuilder;

#[test]
fn names_the_accepted_key_types() {
    let policy = Policy { key_types: vec![KeyType::EcdsaP256, KeyType::Ed25519], ..Policy::default() };
    let pod = RequestBuilder::new("example.com/a").parts().1;
    assert_eq!(policy.refuses(&pod, KeyType::Ed25519), None);
    let Some(Decision::Deny(denial)) = policy.refuses(&pod, KeyType::Rsa4096) else { panic!("must refuse") };
    assert_eq!(denial.reason, reasons::UNSUPPORTED_KEY_TYPE);
    assert!(denial.message.contains("RSA4096") && denial.message.ends_with("one of ECDSAP256, ED25519"));
}

#[test]
fn allows_who_is_in_an_entry_and_nobody_else() {
    let pod = RequestBuilder::new("example.com/a").parts().1;
    for (namespaces, allowed) in [("shop", true), ("*", true), ("web", false)] {
        let policy =
            Policy { allow: Some(vec![WorkloadSelector::new([namespaces], ["*"])]), ..Policy::default() };
        assert_eq!(policy.refuses(&pod, KeyType::EcdsaP256).is_none(), allowed, "{namespaces}");
    }
}

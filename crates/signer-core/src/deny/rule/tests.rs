use proptest::{collection, option, prelude::*, sample::select};

use super::*;
use crate::{decision::Decision, deny::DenyRulesInForce, testing::RequestBuilder};

fn names(list: &[&str]) -> Option<Vec<String>> {
    Some(list.iter().map(ToString::to_string).collect())
}

/// A rule of these lists: namespaces, service accounts, nodes, signers. An empty one stands for a missing
/// one.
fn rule(lists: [&[&str]; 4]) -> Result<DenyRule, DenyRuleError> {
    let [namespaces, service_accounts, nodes, signers] =
        lists.map(|list| if list.is_empty() { None } else { names(list) });
    DenyRule::new(
        DenySelector { namespaces, namespace_selector: None, service_accounts, nodes, signers },
        Some("INC-7"),
    )
}

/// Pod web-0 of service account server in namespace shop, on node node-1.
fn pod() -> Pod {
    RequestBuilder::new("example.com/a").parts().1
}

#[test]
fn all_that_a_rule_names_must_fit() {
    let signer = "example.com/a".parse().unwrap();
    for (lists, matches) in [
        ([&["shop"][..], &[], &[], &[]], true),
        ([&["other", "shop"], &[], &[], &[]], true),
        ([&["other"], &[], &[], &[]], false),
        ([&["sho"], &[], &[], &[]], false),
        ([&["*"], &[], &[], &[]], true),
        ([&["other", "*"], &[], &[], &[]], true),
        ([&[], &["server"], &[], &[]], true),
        ([&["shop"], &["server"], &[], &[]], true),
        ([&["shop"], &["client"], &[], &[]], false),
        ([&["other"], &["server"], &[], &[]], false),
        ([&[], &[], &["node-1"], &[]], true),
        ([&[], &[], &["node-2"], &[]], false),
        ([&["shop"], &["server"], &["node-2"], &[]], false),
        ([&[], &[], &[], &["example.com/a"]], true),
        ([&["shop"], &[], &[], &["example.com/b"]], false),
        ([&[], &[], &[], &["*"]], true),
    ] {
        assert_eq!(rule(lists).unwrap().matches(&signer, &pod(), None), matches, "{lists:?}");
    }
}

/// A rule by labels must not be passed over where they aren't known.
#[test]
fn labels_of_the_namespace_are_among_what_must_fit() {
    let signer: SignerName = "example.com/a".parse().unwrap();
    let selector = DenySelector {
        namespace_selector: Some(LabelSelector::new([("tenant".to_owned(), "evil".to_owned())], [])),
        service_accounts: names(&["server"]),
        ..DenySelector::default()
    };
    let rule = DenyRule::new(selector, Some("INC-7")).unwrap();
    let namespace = |tenant: &str| Namespace {
        labels: [("tenant".to_owned(), tenant.to_owned())].into(),
        ..Namespace::default()
    };
    assert!(rule.matches(&signer, &pod(), Some(&namespace("evil"))));
    assert!(!rule.matches(&signer, &pod(), Some(&namespace("good"))));
    assert!(!rule.matches(&signer, &pod(), Some(&Namespace::default())));
    assert!(rule.matches(&signer, &pod(), None));
    assert_eq!(rule.to_string(), "service account server; namespaces with labels tenant=evil (INC-7)");
    assert_eq!(rule.matched(&pod()), "namespace shop, service account server");
    let rules: DenyRules = [rule].into_iter().collect();
    assert!(rules.reads_namespaces(&signer) && !DenyRules::default().reads_namespaces(&signer));
}

#[test]
fn a_rule_that_would_block_everybody_or_nobody_by_mistake_is_refused() {
    assert_eq!(rule([&[], &[], &[], &[]]), Err(DenyRuleError::NamesNothing));
    let empty = DenySelector { nodes: Some(vec![]), ..DenySelector::default() };
    assert_eq!(DenyRule::new(empty, None), Err(DenyRuleError::EmptyList("nodes")));
    let shop = DenySelector { namespaces: names(&["shop"]), ..DenySelector::default() };
    let reason = "ä".repeat(MAX_DENY_REASON_CHARS + 1);
    assert_eq!(DenyRule::new(shop.clone(), Some(&reason)), Err(DenyRuleError::LongReason(201)));
    assert!(DenyRule::new(shop, Some(&reason[2..])).is_ok());
}

#[test]
fn a_rule_is_shown_on_one_line_of_bounded_length() {
    let many: Vec<_> = (0..30).map(|i| format!("ns-{i:02}")).collect();
    let selector = DenySelector {
        namespaces: Some(many),
        nodes: names(&["n1"]),
        signers: names(&["*"]),
        ..DenySelector::default()
    };
    let rule = DenyRule::new(selector.clone(), Some(" a\nb\u{1b}[31m \t c ")).unwrap();
    assert_eq!(
        rule.to_string(),
        "namespaces ns-00, ns-01, ns-02, ns-03, ns-04, ns-05, ns-06, ns-07, ns-08, ns-09 and 20 more; node n1; every signer (a b [31m c)"
    );
    for none in [None, Some(""), Some(" \n")] {
        let rule = DenyRule::new(selector.clone(), none).unwrap();
        assert!(rule.to_string().ends_with("(no reason given)"), "{rule}");
    }
}

#[test]
fn a_tenant_hears_of_its_own_pod_alone() {
    let rule = rule([&["shop", "secret-project"], &[], &["node-1", "node-2"], &[]]).unwrap();
    assert_eq!(rule.matched(&pod()), "namespace shop, node node-1");
    assert_eq!(super::tests::rule([&["*"], &[], &[], &[]]).unwrap().matched(&pod()), "every pod");
}

const NAMES: [&str; 4] = ["a", "b", "c", "*"];

fn list() -> impl Strategy<Value = Option<Vec<String>>> {
    option::of(collection::vec(select(&NAMES[..]).prop_map(str::to_owned), 1..3))
}

prop_compose! {
    fn selector()(namespaces in list(), service_accounts in list(), nodes in list(), signers in list()) -> DenySelector {
        let signer = |name: String| if name == "*" { name } else { format!("example.com/{name}") };
        let signers = signers.map(|names| names.into_iter().map(signer).collect());
        DenySelector { namespaces, namespace_selector: None, service_accounts, nodes, signers }
    }
}

/// The contract, spelt out again: no list, a star, or the name.
fn is_named(list: &Option<Vec<String>>, name: &str) -> bool {
    match list {
        None => true,
        Some(list) => list.contains(&"*".to_owned()) || list.contains(&name.to_owned()),
    }
}

proptest! {
    #[test]
    fn who_is_named_is_never_let_through_and_never_denied(
        selectors in collection::vec(selector(), 0..4),
        [namespace, service_account, node, signer] in [0..3_usize, 0..3, 0..3, 0..3].prop_map(|i| i.map(|i| NAMES[i])),
        running in any::<bool>(),
    ) {
        let signer: SignerName = format!("example.com/{signer}").parse().unwrap();
        let request = RequestBuilder::new(signer.as_str()).pod(|pod| {
            (pod.namespace, pod.service_account_name, pod.node_name) =
                (namespace.into(), service_account.into(), node.into());
        });
        let pod = if running { request.running() } else { request }.parts().1;
        let named = selectors.iter().any(|selector| {
            let DenySelector { namespaces, service_accounts, nodes, signers, .. } = selector;
            let nothing = [namespaces, service_accounts, nodes, signers].iter().all(|list| list.is_none());
            !nothing && is_named(namespaces, namespace) && is_named(service_accounts, service_account)
                && is_named(nodes, node) && is_named(signers, signer.as_str())
        });
        let rules: DenyRules = selectors.into_iter().filter_map(|selector| DenyRule::new(selector, None).ok()).collect();
        let decision = DenyRulesInForce::fixed(rules).check(&signer, &pod, None, "uid");
        prop_assert_eq!(decision.is_some(), named);
        prop_assert!(decision.is_none_or(|decision| matches!(decision, Decision::Wait(_))));
    }
}

use super::*;
use crate::{
    deny::{DenyRule, DenySelector},
    testing::RequestBuilder,
};

fn shop() -> DenyRules {
    let selector = DenySelector { namespaces: Some(vec!["shop".into()]), ..DenySelector::default() };
    [DenyRule::new(selector, Some("INC-7")).unwrap()].into_iter().collect()
}

#[test]
fn nothing_is_issued_before_rules_have_been_read_and_what_is_lifted_is_no_longer_counted() {
    let (sender, receiver) = watch::channel(None);
    let deny = DenyRulesInForce::new(receiver);
    let (signer, pod) = ("example.com/a".parse().unwrap(), RequestBuilder::new("example.com/a").parts().1);
    let reason = |deny: &DenyRulesInForce| match deny.check(&signer, &pod, None, "1") {
        Some(Decision::Wait(wait)) => Some((wait.reason, wait.message)),
        None => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&deny).unwrap().0, reasons::DENY_RULES_UNAVAILABLE);
    sender.send_replace(Some(Arc::new(shop())));
    let (blocked, message) = reason(&deny).unwrap();
    assert_eq!(blocked, reasons::BLOCKED_BY_DENY_RULE);
    assert!(message.starts_with("a deny rule of the operator for namespace shop blocks this pod: INC-7; "));
    assert_eq!((reason(&deny).is_some(), deny.blocked(&signer)), (true, 1), "counted once");
    sender.send_replace(Some(Arc::default()));
    assert_eq!((reason(&deny), deny.blocked(&signer)), (None, 0));
}

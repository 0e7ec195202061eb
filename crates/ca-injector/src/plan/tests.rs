use ca_pool::testing::TestCa;

use super::*;

fn anchor(name: &str) -> CaCertificate {
    let ca = TestCa::root(name);
    ca.authority(&[], &ca).root().clone()
}

fn encoded(anchors: &[&CaCertificate]) -> String {
    STANDARD.encode(anchors.iter().map(|anchor| anchor.to_pem()).collect::<String>())
}

fn webhooks(bundles: &[&str]) -> Value {
    let webhook = |bundle: &&str| json!({"name": "a", "clientConfig": {"caBundle": bundle}});
    json!({"metadata": {"resourceVersion": "7"}, "webhooks": bundles.iter().map(webhook).collect::<Vec<_>>()})
}

#[test]
fn only_what_asks_and_is_nobody_elses_is_kept() {
    let signer = |annotations: Value| signer_of(&json!({"metadata": {"annotations": annotations}}));
    assert_eq!(signer(json!({})), Err(PlanError::NotAsked));
    assert_eq!(signer_of(&json!({})), Err(PlanError::NotAsked));
    assert_eq!(signer(json!({ANNOTATION: "example.com/a"})).unwrap().as_str(), "example.com/a");
    assert!(matches!(signer(json!({ANNOTATION: "nonsense"})), Err(PlanError::SignerName(_))));
    let both = json!({ANNOTATION: "example.com/a", "cert-manager.io/inject-ca-from": "a/b"});
    assert_eq!(signer(both), Err(PlanError::Another("cert-manager.io/inject-ca-from")));
}

#[test]
fn what_differs_is_patched_and_the_order_is_no_difference() {
    let (a, b) = (anchor("a"), anchor("b"));
    let both = [a.clone(), b.clone()];
    let of =
        |object: &Value, anchors: &[CaCertificate]| patch(TargetKind::ValidatingWebhooks, object, anchors);
    let in_order = webhooks(&[&encoded(&[&a, &b]), &encoded(&[&b, &a])]);
    assert_eq!(of(&in_order, &both), Ok(None));
    for stale in ["", "no base64!", &encoded(&[&a]), &STANDARD.encode("no PEM")] {
        let found = of(&webhooks(&[&encoded(&[&a, &b]), stale]), &both).unwrap().unwrap();
        let expected = json!([
            {"op": "replace", "path": "/metadata/resourceVersion", "value": "7"},
            {"op": "add", "path": "/webhooks/1/clientConfig/caBundle", "value": encoded(&[&a, &b])},
        ]);
        assert_eq!(found, expected, "{stale}");
    }
    let without = json!({"metadata": {"resourceVersion": "7"}, "webhooks": [{"clientConfig": {}}]});
    assert!(of(&without, &both).unwrap().is_some());
}

#[test]
fn each_kind_has_its_place() {
    let anchors = [anchor("a")];
    for (kind, object, place) in [
        (TargetKind::ApiService, json!({"spec": {"service": {"name": "a"}}}), Some("/spec/caBundle")),
        (TargetKind::ApiService, json!({"spec": {}}), None),
        (
            TargetKind::CrdConversion,
            json!({"spec": {"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "u"}}}}}),
            Some("/spec/conversion/webhook/clientConfig/caBundle"),
        ),
        (TargetKind::CrdConversion, json!({"spec": {"conversion": {"strategy": "None"}}}), None),
        (TargetKind::MutatingWebhooks, json!({"webhooks": []}), None),
        (TargetKind::MutatingWebhooks, json!({"webhooks": "odd"}), None),
    ] {
        let found = patch(kind, &object, &anchors);
        match place {
            Some(place) => assert_eq!(found.unwrap().unwrap()[1]["path"], place),
            None => assert!(matches!(found, Err(PlanError::NoPlace(_))), "{object}"),
        }
    }
}

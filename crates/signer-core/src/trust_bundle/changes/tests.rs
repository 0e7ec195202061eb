use super::{
    super::desired::tests::{desired, now, pool, resource, signer},
    *,
};

#[test]
fn each_kind_of_edit_is_named_with_its_values() {
    let (pool, other, signer) = (pool(), pool(), signer());
    let before = desired(&pool, &signer).created(&resource(), now());
    let labels = before.labels().clone();
    let changed = |edit: &dyn Fn(&mut ClusterTrustBundle)| {
        let mut after = before.clone();
        edit(&mut after);
        Changes::between(&before, &after, &signer, &labels).to_string()
    };
    let (own, planted) = (pool.roots()[0], other.roots()[0]);
    assert_eq!(
        changed(&|bundle| bundle.spec.trust_bundle += &planted.to_pem()),
        format!("anchors added: {}", planted.fingerprint())
    );
    assert_eq!(
        changed(&|bundle| bundle.spec.trust_bundle = planted.to_pem()),
        format!("anchors added: {}; anchors removed: {}", planted.fingerprint(), own.fingerprint())
    );
    assert_eq!(changed(&|bundle| bundle.spec.trust_bundle += "\n"), "the text of the anchors");
    let key = signer.label_key("trust-domain");
    assert_eq!(
        changed(&|bundle| _ = bundle.labels_mut().insert(key.clone(), "a.example".into())),
        format!("labels changed: {key} from \"cluster.local\" to \"a.example\"")
    );
    let annotation = signer.label_key("generation");
    assert_eq!(
        changed(&|bundle| _ = bundle.annotations_mut().insert(annotation.clone(), "9".into())),
        format!("annotations changed: {annotation}")
    );
    assert_eq!(
        changed(&|bundle| _ = bundle.labels_mut().insert("team".into(), "a".into())),
        "nothing of the signer's"
    );
}

#[test]
fn many_anchors_make_no_long_line() {
    let names: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(listed(&names), "0, 1, 2, 3 and 196 more");
    assert_eq!(listed(&names[..2]), "0, 1");
}

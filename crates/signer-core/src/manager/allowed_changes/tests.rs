use std::{collections::BTreeMap, time::Duration};

use kube::{ResourceExt as _, api::ApiResource, core::GroupVersionKind};

use super::*;
use crate::{
    ExtendedKeyUsage, Leaf,
    api::ClusterTrustBundle,
    trust_bundle::{BundleAction, DesiredBundle},
};
use ca_pool::names::SignerName;
use ca_pool::{
    ACTIVATION_GRACE, AutomaticRotation, BUNDLE_PROPAGATION, CertificateAuthority, NewRoot, RotationPlan,
    SerialNumber, SigningKey, SigningKeyType, testing::TestCa,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn signer() -> SignerName {
    "example.com/a".parse().unwrap()
}

fn automatic_rotation() -> AutomaticRotation {
    let key_type = SigningKeyType::Ed25519;
    AutomaticRotation {
        signer: signer(),
        root_uri: None,
        key_type,
        validity: 365 * DAY,
        max_leaf_lifetime: 2 * DAY,
        propagation: BUNDLE_PROPAGATION,
    }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn ca(id: &str) -> CertificateAuthority {
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    let root = NewRoot { id: id.into(), common_name: "CA".parse().unwrap(), uri: None, validity: 365 * DAY };
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([1; 16]), now()).unwrap()
}

fn copy(pool: &CaPool) -> CaPool {
    CaPool::from_json(&pool.to_json().unwrap()).unwrap()
}

fn bundle_of(pool: &CaPool) -> ClusterTrustBundle {
    let resource =
        ApiResource::from_gvk(&GroupVersionKind::gvk("certificates.k8s.io", "v1", "ClusterTrustBundle"));
    DesiredBundle::new(&signer(), &BTreeMap::new(), pool).created(&resource, now())
}

fn repaired(bundle: &ClusterTrustBundle, pool: &CaPool, at: Timestamp) -> ClusterTrustBundle {
    match DesiredBundle::new(&signer(), &BTreeMap::new(), pool).repair(bundle, at) {
        BundleAction::Write(bundle) => *bundle,
        other => panic!("{other:?}"),
    }
}

/// What is done at that time about this pool, where this bundle is published.
fn done(pool: &CaPool, bundle: &ClusterTrustBundle, at: Timestamp) -> Due {
    let published = Published::of(bundle, &signer());
    assert_ne!(
        automatic_rotation().due(Some(pool), at, |_| RootPublication::Since(Timestamp::UNIX_EPOCH)),
        Due::Nothing
    );
    let due = automatic_rotation().due(Some(pool), at, standing_in(Some(&published)));
    allowed_changes(due, Some(pool), Some(&published), at).unwrap()
}

fn with_successor(pool: CaPool) -> CaPool {
    succeeded_by(pool, ca("2"))
}

fn succeeded_by(pool: CaPool, successor: CertificateAuthority) -> CaPool {
    let rotation_plan = RotationPlan {
        signs_from: now() + BUNDLE_PROPAGATION,
        max_leaf_lifetime: Some(2 * DAY),
        predecessor_max_leaf_lifetime: None,
    };
    pool.with_successor(successor, rotation_plan, now()).unwrap()
}

#[test]
fn a_version_that_was_put_back_is_left_as_it_is_whatever_is_due() {
    let first = CaPool::first(ca("1"), DAY).unwrap();
    let both = with_successor(copy(&first));
    let bundle = bundle_of(&both);
    assert_eq!(done(&first, &bundle, now()), Due::Nothing, "longer leaves");
    assert_eq!(done(&first, &bundle, now() + DAY * 300), Due::Nothing, "a successor");
    let safe = copy(&both).without_compromised("1", None, now()).unwrap();
    let later = now() + BUNDLE_PROPAGATION * 2 + ACTIVATION_GRACE + DAY;
    let removal = Due::Removal(vec!["1".into()]);
    assert_eq!(done(&both, &bundle_of(&safe), later), Due::Nothing, "a removal");
    assert_eq!(done(&both, &bundle, later), removal);
}

#[test]
fn nothing_is_removed_while_the_successor_is_not_published() {
    let first = CaPool::first(ca("1"), DAY).unwrap();
    let both = with_successor(copy(&first));
    let later = now() + BUNDLE_PROPAGATION * 2 + ACTIVATION_GRACE + DAY;
    assert_eq!(done(&both, &bundle_of(&first), later), Due::Nothing);
    let mut drifted = bundle_of(&both);
    drifted.spec.trust_bundle = first.signing().root().to_pem();
    assert_eq!(done(&both, &drifted, later), Due::Nothing);
}

#[test]
fn the_last_ca_that_can_sign_what_is_issued_stays() {
    let clients = TestCa::root_with("clients", |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let successor = clients.authority(&[], &clients).with_id("2");
    let both = succeeded_by(CaPool::first(ca("1"), DAY).unwrap(), successor);
    let published = Published::of(&bundle_of(&both), &signer());
    let later = now() + BUNDLE_PROPAGATION * 2 + ACTIVATION_GRACE + DAY;
    let removed = |usage| {
        let examples = [Leaf::new([usage]).dns_name("web.shop.svc".parse().unwrap())];
        removal(vec!["1".into()], &both, &both.fitness(&examples), Some(&published), later)
    };
    assert_eq!(removed(ExtendedKeyUsage::ServerAuth), Due::Nothing);
    assert_eq!(removed(ExtendedKeyUsage::ClientAuth), Due::Removal(vec!["1".into()]));
}

#[test]
fn a_pool_that_was_made_anew_waits_until_pods_know_it() {
    let lost = with_successor(CaPool::first(ca("1"), DAY).unwrap());
    let new = CaPool::beginning_with(ca("1"), None, Some(DAY)).unwrap();
    let mut bundle = bundle_of(&lost);
    let later = now() + DAY;
    assert_eq!(done(&new, &bundle, later), Due::Nothing);
    bundle.annotations_mut().remove(&signer().label_key("generation"));
    assert_eq!(done(&new, &bundle, later), Due::Nothing);
    let bundle = repaired(&bundle, &new, later);
    assert_eq!(done(&new, &bundle, later), Due::Nothing);
    assert_ne!(done(&new, &bundle, later + BUNDLE_PROPAGATION), Due::Nothing);
}

#[test]
fn the_first_ca_is_made_only_where_nothing_is_published() {
    let published = Published::of(&bundle_of(&CaPool::first(ca("1"), DAY).unwrap()), &signer());
    let first = |published| allowed_changes(Due::First, None, published, now());
    assert!(matches!(first(None), Err(SecretPoolError::BundleUnknown)));
    assert!(matches!(first(Some(&published)), Err(SecretPoolError::Lost)));
    assert_eq!(first(Some(&Published::default())).unwrap(), Due::First);
}

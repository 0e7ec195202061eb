//! What a bundle says, when it is written, and when it is left as it is.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kube::{ResourceExt, api::ApiResource, core::GroupVersionKind};

use super::super::{
    desired::{BundleAction, DesiredBundle},
    published::{GENERATION, Published},
};
use crate::api::ClusterTrustBundle;
use ca_pool::names::SignerName;
use ca_pool::{
    ACTIVATION_GRACE, BUNDLE_PROPAGATION, CaPool, CertificateAuthority, Fitness, NewRoot, NoSigningCa,
    RotationPlan, SerialNumber, SigningCa, SigningKey, SigningKeyType,
};

pub(crate) fn resource() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("certificates.k8s.io", "v1", "ClusterTrustBundle"))
}

pub(crate) fn signer() -> SignerName {
    "row-major.net/spiffe".parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn pool() -> CaPool {
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    let root = NewRoot {
        id: "1".into(),
        common_name: "CA".parse().unwrap(),
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let serial = SerialNumber::from_random([1; 16]);
    CaPool::new(vec![CertificateAuthority::new_root(root, key, serial, now()).unwrap()]).unwrap()
}

pub(crate) fn desired<'a>(pool: &'a CaPool, signer: &'a SignerName) -> DesiredBundle<'a> {
    let labels = BTreeMap::from([("trust-domain".to_owned(), "cluster.local".to_owned())]);
    DesiredBundle::new(signer, &labels, pool)
}

#[test]
fn carries_the_name_and_labels_of_the_contract() {
    let (pool, signer) = (pool(), signer());
    let bundle = desired(&pool, &signer).created(&resource(), now());
    assert_eq!(bundle.name_any(), "row-major.net:spiffe:primary-bundle");
    assert_eq!(bundle.spec.signer_name, "row-major.net/spiffe");
    let expected =
        [("spiffe.row-major.net/canarying", "live"), ("spiffe.row-major.net/trust-domain", "cluster.local")];
    let labels: Vec<_> = bundle.labels().iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(labels, expected);
}

#[test]
fn is_written_only_when_it_differs() {
    let (pool, signer) = (pool(), signer());
    let desired = desired(&pool, &signer);
    let mut current = desired.created(&resource(), now());
    current.labels_mut().insert("team".into(), "infra".into());
    let later = now().checked_add(BUNDLE_PROPAGATION).unwrap();
    assert!(matches!(desired.repair(&current, later), BundleAction::InOrder));
    let mut drifted = current.clone();
    drifted.spec.trust_bundle.clear();
    drifted.labels_mut().remove("spiffe.row-major.net/canarying");
    let BundleAction::Write(repaired) = desired.repair(&drifted, later) else { panic!("must be written") };
    assert_eq!((repaired.labels(), &repaired.spec), (current.labels(), &current.spec));
}

#[test]
fn a_root_is_known_everywhere_some_time_after_it_was_published_and_anew_after_it_was_missing() {
    let (pool, signer) = (pool(), signer());
    let desired = desired(&pool, &signer);
    let bundle = desired.created(&resource(), now());
    let root = pool.roots()[0];
    let later = now().checked_add(BUNDLE_PROPAGATION).unwrap();
    assert_eq!(Published::of(&bundle, &signer).since(root), Some(now()));
    let mut emptied = bundle.clone();
    emptied.spec.trust_bundle.clear();
    assert_eq!(Published::of(&emptied, &signer).since(root), None);
    let BundleAction::Write(repaired) = desired.repair(&emptied, later) else { panic!("must be written") };
    assert_eq!(Published::of(&repaired, &signer).since(root), Some(later));
}

#[test]
fn a_bundle_of_a_newer_pool_or_of_someone_else_is_left_as_it_is() {
    let (pool, signer) = (pool(), signer());
    let desired = desired(&pool, &signer);
    let mut current = desired.created(&resource(), now());
    current.spec.trust_bundle = "of a newer pool".into();
    current.annotations_mut().insert(signer.label_key(GENERATION), "7".into());
    assert!(matches!(desired.repair(&current, now()), BundleAction::Newer(7)));
    assert_eq!(Published::of(&current, &signer).choose(&pool, now()), Err(NoSigningCa::Dropped));
    current.annotations_mut().insert(signer.label_key(GENERATION), "0".into());
    assert!(matches!(desired.repair(&current, now()), BundleAction::Write(_)));
    current.spec.signer_name = "example.com/other".into();
    assert!(
        matches!(desired.repair(&current, now()), BundleAction::ForeignOwner(owner) if owner == "example.com/other")
    );
}

#[test]
fn a_bundle_of_another_pool_of_the_same_generation_is_left_as_it_is_if_generations_are_counted() {
    let signer = signer();
    let first =
        |pool: CaPool| CaPool::first(pool.into_authorities().remove(0), BUNDLE_PROPAGATION * 4).unwrap();
    let (own, other) = (first(pool()), first(pool()));
    let current = desired(&other, &signer).created(&resource(), now());
    assert!(matches!(desired(&own, &signer).repair(&current, now()), BundleAction::Newer(1)));
    assert_eq!(Published::of(&current, &signer).choose(&own, now()), Err(NoSigningCa::Dropped));
    assert!(matches!(desired(&other, &signer).repair(&current, now()), BundleAction::InOrder));
    let mut drifted = current;
    drifted.spec.trust_bundle.clear();
    assert!(matches!(desired(&other, &signer).repair(&drifted, now()), BundleAction::Write(_)));
    let uncounted = desired(&pool(), &signer).created(&resource(), now());
    assert!(matches!(desired(&pool(), &signer).repair(&uncounted, now()), BundleAction::Write(_)));
}

#[test]
fn a_time_far_ahead_was_noted_by_a_wrong_clock_and_is_corrected() {
    let (pool, signer) = (pool(), signer());
    let desired = desired(&pool, &signer);
    let year = std::time::Duration::from_secs(365 * 24 * 3600);
    let ahead = desired.created(&resource(), now().checked_add(year).unwrap());
    let BundleAction::Write(repaired) = desired.repair(&ahead, now()) else { panic!("must be written") };
    assert_eq!(Published::of(&repaired, &signer).since(pool.roots()[0]), Some(now()));
}

#[test]
fn a_replica_that_lags_behind_bounds_its_leaves_by_what_a_newer_pool_has_settled() {
    let signer = signer();
    let copy = |pool: &CaPool| CaPool::from_json(&pool.to_json().unwrap()).unwrap();
    let old = pool();
    let rotation_plan = RotationPlan {
        signs_from: now(),
        max_leaf_lifetime: None,
        predecessor_max_leaf_lifetime: Some(BUNDLE_PROPAGATION * 4),
    };
    let successor = pool().into_authorities().remove(0).with_id("2");
    let new = copy(&old).with_successor(successor, rotation_plan, now()).unwrap();
    let bundle = desired(&new, &signer).created(&resource(), now());
    let end = now() + ACTIVATION_GRACE + BUNDLE_PROPAGATION * 4;
    assert_eq!(
        Published::of(&bundle, &signer).choose(&old, now()),
        Ok(SigningCa { index: 0, leaves_end: end })
    );
}

#[test]
fn a_root_leaves_by_the_time_for_removals_alone_and_does_not_come_back() {
    let signer = signer();
    let rotation_plan = RotationPlan {
        signs_from: now() + BUNDLE_PROPAGATION,
        max_leaf_lifetime: None,
        predecessor_max_leaf_lifetime: Some(BUNDLE_PROPAGATION * 4),
    };
    let successor = pool().into_authorities().remove(0).with_id("2");
    let pool = pool().with_successor(successor, rotation_plan, now()).unwrap();
    let fitness = Fitness::default();
    let trusted_until = pool.schedule().windows()[0].trusted_until.unwrap();
    let minutes = |count: i64| trusted_until + SignedDuration::from_mins(count);
    let repair = |bundle: &ClusterTrustBundle, removal_time: Option<Timestamp>, now: Timestamp| {
        let desired = desired(&pool, &signer).without_unneeded(&fitness, removal_time);
        match desired.repair(bundle, now) {
            BundleAction::Write(repaired) => Some(*repaired),
            _ => None,
        }
    };
    let both = desired(&pool, &signer).created(&resource(), now());
    assert!(repair(&both, Some(minutes(1)), minutes(1)).is_none(), "clocks of replicas differ");
    assert!(repair(&both, Some(minutes(-9999)), minutes(2)).is_none(), "a machine whose clock is behind");
    assert!(repair(&both, None, minutes(2)).is_none(), "no time is certain");
    let left = repair(&both, Some(minutes(2)), minutes(2)).unwrap();
    let published = Published::of(&left, &signer);
    assert_eq!((published.since(pool.roots()[0]), published.since(pool.roots()[1])), (None, Some(now())));
    for removal_time in [Some(minutes(0)), Some(minutes(-9999)), None] {
        assert!(repair(&left, removal_time, minutes(0)).is_none(), "{removal_time:?}");
    }
    assert!(repair(&left, None, minutes(-1)).is_some(), "certificates of it may live");
}

#[test]
fn further_labels_by_which_pods_select_are_repaired_too() {
    let (pool, signer) = (pool(), signer());
    let labels = BTreeMap::from([
        ("k8s.spiffe.io/canarying".to_owned(), "live".to_owned()),
        ("k8s.spiffe.io/peer-trust-domain".to_owned(), "cluster.local".to_owned()),
    ]);
    let desired = || DesiredBundle::new(&signer, &labels, &pool).after_start();
    let mut edited = desired().created(&resource(), now());
    edited.labels_mut().insert("k8s.spiffe.io/canarying".into(), "dead".into());
    let BundleAction::Write(repaired) = desired().repair(&edited, now()) else { panic!("must be repaired") };
    assert_eq!(repaired.labels()["k8s.spiffe.io/canarying"], "live");
    edited = repaired.as_ref().clone();
    edited.labels_mut().insert("k8s.spiffe.io/peer-trust-domain".into(), "other.example".into());
    assert!(matches!(desired().repair(&edited, now()), BundleAction::LabelsDiffer), "it is configured");
}

#[test]
fn labels_of_another_configuration_are_overwritten_at_the_start_and_left_afterwards() {
    let (pool, signer) = (pool(), signer());
    let key = "spiffe.row-major.net/trust-domain";
    let mut other = desired(&pool, &signer).created(&resource(), now());
    other.labels_mut().insert(key.into(), "other.example".into());
    let BundleAction::Write(repaired) = desired(&pool, &signer).repair(&other, now()) else {
        panic!("must be written")
    };
    assert_eq!(repaired.labels()[key], "cluster.local");
    let running = || desired(&pool, &signer).after_start();
    assert!(matches!(running().repair(&other, now()), BundleAction::LabelsDiffer));
    assert!(matches!(running().repair(&repaired, now()), BundleAction::InOrder));
}

#[test]
fn a_label_that_somebody_removed_is_repaired_and_the_common_one_whatever_was_done_to_it() {
    let (pool, signer) = (pool(), signer());
    let right = desired(&pool, &signer).created(&resource(), now());
    for (key, value) in [
        ("spiffe.row-major.net/trust-domain", None),
        ("spiffe.row-major.net/canarying", None),
        ("spiffe.row-major.net/canarying", Some("dead")),
    ] {
        let mut edited = right.clone();
        match value {
            Some(value) => edited.labels_mut().insert(key.into(), value.into()),
            None => edited.labels_mut().remove(key),
        };
        let BundleAction::Write(repaired) = desired(&pool, &signer).after_start().repair(&edited, now())
        else {
            panic!("{key} must be repaired")
        };
        assert_eq!(repaired.labels(), right.labels());
    }
}

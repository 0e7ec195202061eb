//! What a bundle claims, where somebody else may have written it: believed within bounds, and no longer than
//! it has to be.

use std::time::Duration;

use jiff::Timestamp;
use kube::ResourceExt;
use serde_json::json;

use super::{
    BundleAction, DeletionRecord, Published,
    anchors::ANCHORS,
    desired::tests::{desired, now, pool, resource, signer},
    desired::{MAX_ANCHORS, MAX_BYTES},
    published::GENERATION,
};
use crate::api::ClusterTrustBundle;
use ca_pool::{BUNDLE_PROPAGATION, CaPool, MAX_LEAF_LIFETIME, NoSigningCa, testing::TestCa};

const DAY: Duration = Duration::from_secs(24 * 3600);
const FAR: &str = "2099-01-01T00:00:00Z";

/// A pool of one CA whose generations are counted.
fn counted() -> CaPool {
    CaPool::first(pool().into_authorities().remove(0), DAY).unwrap()
}

fn set(bundle: &mut ClusterTrustBundle, item: &str, value: String) {
    bundle.annotations_mut().insert(signer().label_key(item), value);
}

/// What the bundle shall say of its anchors: since when they are there, and until when they are retained.
fn set_anchors(bundle: &mut ClusterTrustBundle, anchors: &[(String, &str, Option<&str>)]) {
    let anchors = anchors.iter().map(|(root, since, until)| match until {
        Some(until) => (root.clone(), json!({"since": since, "until": until, "retained": true})),
        None => (root.clone(), json!({"since": since})),
    });
    let anchors: serde_json::Map<_, _> = anchors.collect();
    set(bundle, ANCHORS, json!({"format": 1, "anchors": anchors}).to_string());
}

/// Plants the root of another pool, as whoever may write the bundle can.
fn planted(pool: &CaPool, other: &CaPool, since: &str, until: &str) -> ClusterTrustBundle {
    let mut bundle = desired(pool, &signer()).created(&resource(), now());
    let (own, root) = (pool.roots()[0].fingerprint(), other.roots()[0]);
    bundle.spec.trust_bundle += &root.to_pem();
    let now = now().to_string();
    set_anchors(&mut bundle, &[(own, &now, None), (root.fingerprint(), since, Some(until))]);
    bundle
}

fn repaired(pool: &CaPool, bundle: &ClusterTrustBundle, at: Timestamp) -> ClusterTrustBundle {
    match desired(pool, &signer()).repair(bundle, at) {
        BundleAction::Write(bundle) => *bundle,
        other => panic!("{other:?}"),
    }
}

fn has(bundle: &ClusterTrustBundle, pool: &CaPool) -> bool {
    bundle.spec.trust_bundle.contains(&pool.roots()[0].to_pem())
}

fn kept_until(bundle: &ClusterTrustBundle, pool: &CaPool, at: Timestamp) -> Option<Timestamp> {
    Published::of(bundle, &signer()).to_keep(pool, at).into_values().max()
}

#[test]
fn a_planted_anchor_stays_no_longer_than_a_leaf_can_have_been_given_and_is_not_renewed() {
    for own in [pool(), counted()] {
        let other = pool();
        let later = now() + DAY;
        let bounded = repaired(&own, &planted(&own, &other, &now().to_string(), FAR), later);
        assert!(has(&bounded, &other), "pods may have certificates of a CA that was replaced outright");
        let end = later + MAX_LEAF_LIFETIME;
        assert_eq!(kept_until(&bounded, &own, later), Some(end));
        let looks = (1..=91).map(|days| later + DAY * days);
        for at in looks {
            assert!(matches!(desired(&own, &signer()).repair(&bounded, at), BundleAction::InOrder), "{at}");
        }
        let alone = repaired(&own, &bounded, end + BUNDLE_PROPAGATION);
        assert!(!has(&alone, &other) && has(&alone, &own));
    }
}

#[test]
fn an_anchor_that_was_published_in_the_future_is_not_kept_and_holds_up_no_repair() {
    for own in [pool(), counted()] {
        let other = pool();
        let bundle = planted(&own, &other, FAR, "2026-01-05T00:00:00Z");
        assert!(!has(&repaired(&own, &bundle, now() + DAY), &other));
        let mut unkept = bundle;
        let roots = [&own, &other].map(|pool| pool.roots()[0].fingerprint());
        let at = now().to_string();
        set_anchors(&mut unkept, &[(roots[0].clone(), &at, None), (roots[1].clone(), FAR, None)]);
        assert!(!has(&repaired(&own, &unkept, now() + DAY), &other), "it would be left to settle for ever");
    }
}

#[test]
fn an_emergency_revokes_what_no_ca_of_the_pool_has_unless_that_is_to_stay() {
    let (own, other) = (counted(), pool());
    let bundle = planted(&own, &other, &now().to_string(), FAR);
    let emergency = || {
        let replacement = pool().into_authorities().remove(0).with_id("2");
        let own = CaPool::from_json(&own.to_json().unwrap()).unwrap();
        own.without_compromised("1", Some((replacement, Some(DAY))), now() + DAY).unwrap()
    };
    let safe = emergency();
    let alone = repaired(&safe, &bundle, now() + DAY);
    assert!(!has(&alone, &other) && !has(&alone, &own) && has(&alone, &safe));
    let again = planted(&safe, &other, &now().to_string(), FAR);
    assert!(!has(&repaired(&safe, &again, now() + DAY * 2), &other), "nor does it come back");
    let rotated = CaPool::from_json(&safe.counted(now() + DAY * 3).to_json().unwrap()).unwrap();
    assert!(rotated.revokes_unknown_anchors(), "later versions of the pool say so too");
    let keeping = emergency().with_unknown_anchors();
    assert!(has(&repaired(&keeping, &bundle, now() + DAY), &other));
}

#[test]
fn a_pool_whose_revocation_cannot_be_read_is_refused() {
    let mut document: serde_json::Value = serde_json::from_slice(&counted().to_json().unwrap()).unwrap();
    for bad in [serde_json::json!("7"), serde_json::json!(-1), serde_json::json!(true)] {
        document["UnknownAnchorsRevokedFrom"] = bad;
        let error = CaPool::from_json(document.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains("UnknownAnchorsRevokedFrom isn't a generation"), "{error}");
    }
}

#[test]
fn a_generation_that_no_pool_has_is_mended_by_removing_the_annotation() {
    let (own, other) = (counted(), pool());
    let mut bundle = planted(&own, &other, &now().to_string(), "2026-01-05T00:00:00Z");
    let at = now().to_string();
    let roots = [&own, &other].map(|pool| pool.roots()[0].fingerprint());
    set_anchors(&mut bundle, &roots.map(|root| (root, &*at, None)));
    set(&mut bundle, GENERATION, u64::MAX.to_string());
    assert!(matches!(desired(&own, &signer()).repair(&bundle, now()), BundleAction::Newer(u64::MAX)));
    bundle.annotations_mut().remove(&signer().label_key(GENERATION));
    let alone = repaired(&own, &bundle, now() + DAY);
    assert!(has(&alone, &own) && !has(&alone, &other));
    assert!(matches!(desired(&own, &signer()).repair(&alone, now() + DAY), BundleAction::InOrder));
}

#[test]
fn thousands_of_entries_in_an_annotation_count_as_none() {
    let own = counted();
    let mut bundle = desired(&own, &signer()).created(&resource(), now());
    let entries: Vec<_> = (0..5000).map(|number| (number.to_string(), FAR, Some(FAR))).collect();
    set_anchors(&mut bundle, &entries);
    let repaired = repaired(&own, &bundle, now() + DAY);
    assert!(repaired.annotations().values().map(String::len).sum::<usize>() < 1000);
}

/// A bundle with so many anchors that no pool has, which is claimed to keep them for ever.
fn with_planted(own: &CaPool, roots: usize) -> ClusterTrustBundle {
    let mut bundle = desired(own, &signer()).created(&resource(), now());
    let now = now().to_string();
    let mut anchors = vec![(own.roots()[0].fingerprint(), &*now, None)];
    for number in 0..roots {
        let ca = TestCa::root(&format!("planted {number}"));
        let other = CaPool::new(vec![ca.authority(&[], &ca)]).unwrap();
        let fingerprint = other.roots()[0].fingerprint();
        bundle.spec.trust_bundle += &other.roots()[0].to_pem();
        anchors.push((fingerprint, &*now, Some(FAR)));
    }
    set_anchors(&mut bundle, &anchors);
    bundle
}

#[test]
fn more_anchors_than_are_published_are_told_of_and_none_is_dropped_but_their_times_run_out() {
    let own = counted();
    let bundle = with_planted(&own, MAX_ANCHORS);
    let later = now() + DAY;
    let bounded = repaired(&own, &bundle, later);
    assert_eq!(bounded.spec, bundle.spec, "none is dropped");
    let BundleAction::TooLarge(size) = desired(&own, &signer()).repair(&bounded, later + DAY) else {
        panic!("nothing more is written")
    };
    assert_eq!((size.own, size.retained), (1, MAX_ANCHORS));
    assert!(size.bytes < MAX_BYTES);
    let alone = repaired(&own, &bounded, later + MAX_LEAF_LIFETIME + BUNDLE_PROPAGATION);
    assert_eq!(alone.spec.trust_bundle, own.roots()[0].to_pem());
    let most = with_planted(&own, MAX_ANCHORS - 1);
    let most = repaired(&own, &most, later);
    assert!(matches!(desired(&own, &signer()).repair(&most, later), BundleAction::InOrder));
}

#[test]
fn nothing_is_signed_under_a_root_before_a_first_bundle_or_beside_a_bundle_without_it() {
    let own = counted();
    let mut deletion_record = DeletionRecord::default();
    deletion_record.note(None, now());
    assert_eq!(deletion_record.without_bundle().choose(&own, now()), Err(NoSigningCa::Unpublished));
    let bundle = desired(&own, &signer()).created(&resource(), now());
    let published = Published::of(&bundle, &signer());
    deletion_record.note(Some(&published), now());
    deletion_record.note(None, now());
    assert!(
        deletion_record.without_bundle().choose(&own, now()).is_ok(),
        "pods go on with what the bundle had"
    );
    let mut emptied = bundle.clone();
    emptied.spec.trust_bundle = pool().roots()[0].to_pem();
    assert_eq!(Published::of(&emptied, &signer()).choose(&own, now()), Err(NoSigningCa::Unpublished));
    let mut stripped = bundle;
    stripped.annotations_mut().clear();
    assert!(Published::of(&stripped, &signer()).choose(&own, now()).is_ok(), "its root is there");
}

/// The bundle with this pool's root in place of all others, and the claim that it has been there for long.
fn replaced_by(bundle: &ClusterTrustBundle, other: &CaPool) -> ClusterTrustBundle {
    let mut edited = bundle.clone();
    let root = other.roots()[0];
    edited.spec.trust_bundle = root.to_pem();
    set_anchors(&mut edited, &[(root.fingerprint(), &now().to_string(), Some(FAR))]);
    edited
}

#[test]
fn a_replica_that_had_the_bundle_in_order_restores_it_whatever_an_edit_claims() {
    for own in [pool(), counted()] {
        let before = desired(&own, &signer()).created(&resource(), now());
        let (other, later) = (pool(), now() + DAY);
        let edited = replaced_by(&before, &other);
        let BundleAction::Write(restored) = desired(&own, &signer()).repair_after(&before, &edited, later)
        else {
            panic!("must be restored");
        };
        assert_eq!(restored.spec.trust_bundle, before.spec.trust_bundle);
        let published = Published::of(&restored, &signer());
        assert_eq!(published.since(own.roots()[0]), Some(now()), "pods know it");
        assert_eq!(published.choose(&own, later).map(|choice| choice.index), Ok(0), "signing goes on");
        assert!(published.to_keep(&own, later).is_empty());
    }
}

#[test]
fn what_another_replica_may_have_written_is_no_edit() {
    let (own, other) = (pool(), pool());
    let before = desired(&own, &signer()).created(&resource(), now());
    let later = now() + DAY;
    // kubelet has brought the next CA's files to another replica first
    let both = repaired(&other, &before, later);
    assert!(matches!(desired(&own, &signer()).repair_after(&before, &both, later), BundleAction::Settling));
    // and of a newer version nothing is known
    let mut newer = replaced_by(&before, &other);
    set(&mut newer, GENERATION, "7".into());
    assert!(matches!(desired(&own, &signer()).repair_after(&before, &newer, later), BundleAction::Newer(7)));
}

#[test]
fn the_pools_own_roots_are_written_however_many_others_are_claimed() {
    let own = pool();
    let mut edited = with_planted(&own, MAX_ANCHORS + 5);
    edited.spec.trust_bundle = edited.spec.trust_bundle.replace(&own.roots()[0].to_pem(), "");
    let written = repaired(&own, &edited, now() + DAY);
    assert!(has(&written, &own));
    assert!(Published::of(&written, &signer()).foreign(&own).len() < MAX_ANCHORS);
}

#[test]
fn a_root_that_claims_to_be_published_a_little_later_is_published_now() {
    let own = pool();
    let mut bundle = desired(&own, &signer()).created(&resource(), now());
    let ahead = now() + Duration::from_secs(14 * 60);
    set_anchors(&mut bundle, &[(own.roots()[0].fingerprint(), &ahead.to_string(), None)]);
    let written = repaired(&own, &bundle, now());
    assert_eq!(Published::of(&written, &signer()).since(own.roots()[0]), Some(now()));
}

#[test]
fn metadata_of_others_goes_where_it_leaves_no_room() {
    let own = pool();
    let mut bundle = desired(&own, &signer()).created(&resource(), now());
    bundle.annotations_mut().insert("x.example/y".into(), "z".repeat(1000));
    bundle.labels_mut().insert("x.example/y".into(), "z".into());
    let stripped = desired(&own, &signer()).stripped(&bundle);
    assert!(
        !stripped.annotations().contains_key("x.example/y") && !stripped.labels().contains_key("x.example/y")
    );
    assert!(matches!(desired(&own, &signer()).repair(&stripped, now()), BundleAction::InOrder));
}

#[test]
fn a_bundle_of_a_newer_format_is_left_alone_and_nothing_is_signed() {
    for own in [pool(), counted()] {
        let mut bundle = desired(&own, &signer()).created(&resource(), now());
        let before = bundle.clone();
        set(&mut bundle, ANCHORS, r#"{"format":2}"#.into());
        for repair in [
            desired(&own, &signer()).repair(&bundle, now()),
            desired(&own, &signer()).repair_after(&before, &bundle, now()),
        ] {
            assert!(matches!(repair, BundleAction::NewerFormat(2)), "{repair:?}");
        }
        let choice = Published::of(&bundle, &signer()).choose(&own, now() + DAY);
        assert_eq!(choice, Err(NoSigningCa::NewerFormat { format: 2 }));
    }
}

use rcgen::{CertificateParams, KeyIdMethod};

use super::{
    super::{
        BundleAction,
        desired::MAX_ANCHORS,
        desired::tests::{desired, now, pool, resource, signer},
    },
    *,
};
use crate::api::ClusterTrustBundle;
use ca_pool::{CertificateAuthority, NewRoot, SerialNumber, SigningKey, testing::TestCa};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn repaired(pool: &CaPool, bundle: &ClusterTrustBundle, at: Timestamp) -> Option<ClusterTrustBundle> {
    match desired(pool, &signer()).repair(bundle, at) {
        BundleAction::Write(bundle) => Some(*bundle),
        BundleAction::InOrder => None,
        other => panic!("{other:?}"),
    }
}

fn choose(bundle: &ClusterTrustBundle, pool: &CaPool, at: Timestamp) -> Result<usize, NoSigningCa> {
    Published::of(bundle, &signer()).choose(pool, at).map(|choice| choice.index)
}

fn has(bundle: &ClusterTrustBundle, pool: &CaPool) -> bool {
    bundle.spec.trust_bundle.contains(&pool.signing().root().to_pem())
}

#[test]
fn a_ca_that_was_replaced_outright_stays_trusted_and_the_new_one_waits_until_it_is() {
    let (old, new) = (pool(), pool());
    let bundle = desired(&old, &signer()).created(&resource(), now());
    let later = now() + DAY;
    assert_eq!(choose(&bundle, &new, later), Err(NoSigningCa::Unpublished), "not even before it is written");
    let both = repaired(&new, &bundle, later).unwrap();
    assert!(has(&both, &old) && has(&both, &new));
    let known = later + BUNDLE_PROPAGATION;
    assert_eq!(choose(&both, &new, known - Duration::from_secs(1)), Err(NoSigningCa::Spreading { known }));
    assert_eq!(choose(&both, &new, known), Ok(0));
    assert!(repaired(&new, &both, known).is_none(), "in order");
    let end = later + MAX_LEAF_LIFETIME + BUNDLE_PROPAGATION;
    assert!(repaired(&new, &both, end - Duration::from_secs(1)).is_none());
    let alone = repaired(&new, &both, end).unwrap();
    assert!(!has(&alone, &old) && has(&alone, &new));
}

/// A root that `rootFile` lists besides signs nothing, so that it stays doesn't mean that the CA before did.
#[test]
fn a_root_that_is_listed_besides_does_not_hide_that_a_ca_was_replaced() {
    use ca_pool::{Anchors, CaCertificate};
    let others = CaCertificate::from_der("other", pool().signing().root().der()).unwrap();
    let listing = |pool: &CaPool| {
        let key = SigningKey::from_pkcs8(&pool.signing().key().local().unwrap().to_pkcs8().unwrap()).unwrap();
        let roots = vec![pool.signing().root().clone(), others.clone()];
        CaPool::new(vec![
            CertificateAuthority::with_anchors("1", key, vec![], roots, Anchors::Listed).unwrap(),
        ])
        .unwrap()
    };
    let (old, new) = (listing(&pool()), listing(&pool()));
    let bundle = desired(&old, &signer()).created(&resource(), now());
    assert_eq!(old.roots().len(), 2);
    let later = now() + DAY;
    let both = repaired(&new, &bundle, later).unwrap();
    assert!(has(&both, &old) && has(&both, &new) && both.spec.trust_bundle.contains(&others.to_pem()));
    assert_eq!(choose(&both, &new, later), Err(NoSigningCa::Spreading { known: later + BUNDLE_PROPAGATION }));
}

#[test]
fn a_root_that_is_renewed_with_its_key_goes_on_at_once() {
    let old = pool();
    let bundle = desired(&old, &signer()).created(&resource(), now());
    let key = SigningKey::from_pkcs8(&old.signing().key().local().unwrap().to_pkcs8().unwrap()).unwrap();
    let root = NewRoot { id: "1".into(), common_name: "CA".parse().unwrap(), uri: None, validity: DAY * 100 };
    let serial = SerialNumber::from_random([2; 16]);
    let renewed = CertificateAuthority::new_root(root, key, serial, now() + DAY).unwrap();
    let renewed = CaPool::new(vec![renewed]).unwrap();
    assert_eq!(choose(&bundle, &renewed, now() + DAY), Ok(0));
    let both = repaired(&renewed, &bundle, now() + DAY).unwrap();
    assert!(has(&both, &old) && has(&both, &renewed));
    assert_eq!(choose(&both, &renewed, now() + DAY), Ok(0));
}

#[test]
fn a_root_that_is_renewed_with_another_key_identifier_waits_where_openssl_would_not_find_the_one_before() {
    let with = |identifier: &[u8]| {
        let method = KeyIdMethod::PreSpecified(identifier.to_vec());
        move |params: &mut CertificateParams| {
            params.key_identifier_method = method;
            params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        }
    };
    let old = TestCa::root_with("root", with(&[1, 2, 3]));
    let renewed = old.renewed_with(with(&[4, 5, 6]));
    let naming = |params: &mut CertificateParams| params.use_authority_key_identifier_extension = true;
    let pool = |authority| CaPool::new(vec![authority]).unwrap();
    let bundle = desired(&pool(old.authority(&[], &old)), &signer()).created(&resource(), now());
    let later = now() + DAY;
    let (renewed_pool, below) = (pool(renewed.authority(&[], &renewed)), old.issue_with("below", naming));
    assert_eq!(choose(&bundle, &renewed_pool, later), Err(NoSigningCa::Unpublished));
    let both = repaired(&renewed_pool, &bundle, later).unwrap();
    let known = later + BUNDLE_PROPAGATION;
    assert_eq!(choose(&both, &renewed_pool, later), Err(NoSigningCa::Spreading { known }));
    assert_eq!(choose(&both, &renewed_pool, known), Ok(0));
    // what stands below the renewed root names the one that pods know
    let intermediate = pool(below.authority(&[&below], &renewed));
    assert_eq!(choose(&bundle, &intermediate, later), Ok(0));
    let again = renewed.issue_with("again", naming);
    let intermediate = pool(again.authority(&[&again], &renewed));
    assert_eq!(choose(&bundle, &intermediate, later), Err(NoSigningCa::Unpublished));
}

#[test]
fn a_replica_that_still_has_the_old_one_goes_on_with_it() {
    let (old, new) = (pool(), pool());
    let bundle = desired(&old, &signer()).created(&resource(), now());
    let both = repaired(&new, &bundle, now() + DAY).unwrap();
    assert_eq!(choose(&both, &old, now() + DAY), Ok(0));
    let known = now() + DAY + BUNDLE_PROPAGATION;
    let again = repaired(&old, &both, known).unwrap();
    assert!(has(&again, &old) && has(&again, &new));
    assert_eq!(choose(&again, &new, known), Ok(0));
}

#[test]
fn of_more_cas_than_are_published_those_that_were_replaced_last_stay() {
    const HOUR: Duration = Duration::from_secs(3600);
    let mut bundle = desired(&pool(), &signer()).created(&resource(), now());
    let mut pools = Vec::new();
    for hours in 1..=u32::try_from(MAX_ANCHORS).unwrap() + 40 {
        let next = pool();
        bundle = repaired(&next, &bundle, now() + HOUR * hours).unwrap();
        pools.push(next);
    }
    assert_eq!(Published::of(&bundle, &signer()).anchors.len(), MAX_ANCHORS);
    let last = pools.iter().rev().take(MAX_ANCHORS);
    assert_eq!(last.filter(|pool| !has(&bundle, pool)).count(), 0, "of those whose leaves live");
}

#[test]
fn a_wrong_one_that_is_taken_back_in_time_leaves_nothing() {
    let (right, wrong) = (pool(), pool());
    let bundle = desired(&right, &signer()).created(&resource(), now());
    let both = repaired(&wrong, &bundle, now() + DAY).unwrap();
    let again = repaired(&right, &both, now() + DAY + SETTLES).unwrap();
    assert!(has(&again, &right) && !has(&again, &wrong));
    assert!(repaired(&right, &again, now() + DAY * 2).is_none());
}

#[test]
fn what_a_pool_of_several_leaves_out_and_what_has_expired_is_not_kept() {
    let (first, second) = (pool(), pool());
    let both = CaPool::new(vec![
        pool_copy(&first).into_authorities().remove(0),
        pool_copy(&second).into_authorities().remove(0).with_id("2"),
    ]);
    let bundle = desired(&both.unwrap(), &signer()).created(&resource(), now());
    let one = repaired(&first, &bundle, now() + DAY).unwrap();
    assert!(has(&one, &first) && !has(&one, &second));
    let expired = first.signing().not_after() + BUNDLE_PROPAGATION;
    let bundle = desired(&first, &signer()).created(&resource(), now());
    assert!(!has(&repaired(&second, &bundle, expired).unwrap(), &first));
}

#[test]
fn what_is_kept_stays_when_generations_begin_to_be_counted_and_a_leaked_ca_does_not() {
    let (old, new) = (pool(), pool());
    let bundle = desired(&old, &signer()).created(&resource(), now());
    let both = repaired(&new, &bundle, now() + DAY).unwrap();
    let counted = pool_copy(&new).with_longest_leaf(DAY, now() + DAY);
    let counted_bundle = repaired(&counted, &both, now() + DAY).unwrap();
    assert!(has(&counted_bundle, &old) && has(&counted_bundle, &new));
    assert!(repaired(&counted, &counted_bundle, now() + DAY * 2).is_none());
    let replacement = pool().into_authorities().remove(0);
    let safe = pool_copy(&old).without_compromised("1", Some((replacement.with_id("2"), None)), now() + DAY);
    let safe = safe.unwrap();
    let alone = repaired(&safe, &bundle, now() + DAY).unwrap();
    assert!(!has(&alone, &old) && has(&alone, &safe));
    assert_eq!(choose(&alone, &safe, now() + DAY), Ok(0));
}

fn pool_copy(pool: &CaPool) -> CaPool {
    CaPool::from_json(&pool.to_json().unwrap()).unwrap()
}

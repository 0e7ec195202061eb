//! What is warned of, and when.

use super::*;
use crate::testing::TestCa;
use crate::{
    authority::{NewRoot, SerialNumber, SigningKey, SigningKeyType},
    pool::{Fitness, RotationPlan},
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
}

fn ca(id: &str, from: i64, days: u32) -> CertificateAuthority {
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    let root = NewRoot { id: id.into(), common_name: "CA".parse().unwrap(), uri: None, validity: days * DAY };
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([1; 16]), at(from)).unwrap()
}

fn rotated(successor: CertificateAuthority) -> CaPool {
    let rotation_plan = RotationPlan {
        signs_from: at(1),
        max_leaf_lifetime: Some(DAY),
        predecessor_max_leaf_lifetime: Some(DAY),
    };
    CaPool::new(vec![ca("1", 0, 10)]).unwrap().with_successor(successor, rotation_plan, at(0)).unwrap()
}

fn warnings(pool: &CaPool, now: Timestamp, max_lifetime: Duration) -> Vec<PoolWarning> {
    let assessment = pool.assess(&Fitness::default(), Some(max_lifetime), now);
    assessment.warnings.into_iter().map(|(_, warning)| warning).collect()
}

fn warned(pool: &CaPool, hour: i64) -> Vec<String> {
    warnings(pool, at(hour), DAY).iter().map(ToString::to_string).collect()
}

#[test]
fn a_ca_without_a_successor_is_warned_of_before_its_certificates_get_shorter_and_after_it_has_expired() {
    let pool = CaPool::new(vec![ca("1", 0, 10)]).unwrap();
    assert_eq!(warned(&pool, 9 * 24), [""; 0]);
    assert!(warned(&pool, 9 * 24 + 1)[0].contains("sooner than its certificates of 24h would"));
    assert!(warned(&pool, 10 * 24 + 1)[0].contains("expired at"));
    assert!(warned(&pool, -1)[0].contains("isn't valid before"));
}

#[test]
fn an_intermediate_is_replaced_by_another_of_the_same_root() {
    let root = TestCa::root_with("root", |params| params.not_after = rcgen::date_time_ymd(2027, 2, 1));
    let issuing = root.issue("issuing");
    let pool = CaPool::new(vec![issuing.authority(&[&issuing], &root)]).unwrap();
    let warnings = |time: &str| warnings(&pool, time.parse().unwrap(), DAY)[0].to_string();
    assert!(warnings("2027-01-31T12:00:00Z").ends_with("Add a successor with `signerctl ca-pool import`"));
    assert!(warnings("2027-02-01T12:00:00Z").ends_with("replace it with `signerctl ca-pool import`"));
}

#[test]
fn one_that_has_a_successor_is_not() {
    let pool = rotated(ca("2", 0, 100));
    assert_eq!(warned(&pool, 0), [""; 0]);
    assert_eq!(warned(&pool, 11 * 24), [""; 0]);
}

/// With whatever turn, as older tools took it, and hands still can write it.
fn rotated_at(hours: i64) -> CaPool {
    let json = rotated(ca("2", 0, 100)).to_json().unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&json).unwrap();
    document["CAs"][0]["SignsUntil"] = at(hours).to_string().into();
    document["CAs"][0].as_object_mut().unwrap().remove("TrustedUntil");
    CaPool::from_json(document.to_string().as_bytes()).unwrap()
}

#[test]
fn a_successor_that_was_to_come_when_nobody_can_sign_any_more_comes_in_time() {
    let late = rotated_at(30 * 24);
    assert_eq!(late.schedule().windows()[1].from, Some(at(10 * 24 - 1)));
    for hour in [0, 10 * 24 + 1, 30 * 24] {
        assert_eq!(warned(&late, hour), [""; 0], "{hour}");
    }
}

#[test]
fn a_pool_of_which_none_signs_for_long_is_warned_of() {
    let waiting = |hours: i64| CaPool::beginning_with(ca("1", 0, 100), Some(at(hours)), Some(DAY)).unwrap();
    assert!(warned(&waiting(1), 0)[0].contains("nobody can sign before 2027-01-15T09:00:00Z"));
    assert_eq!(warned(&waiting(1), 1), [""; 0]);
    let pruned = rotated_at(30 * 24).without(&["1"], at(11 * 24)).unwrap();
    assert_eq!(warned(&pruned, 11 * 24), [""; 0], "the next one signs by then");
}

#[test]
fn one_whose_certificates_get_shorter_until_its_successor_signs_is_said() {
    let late = rotated_at(9 * 24 + 12);
    assert_eq!(warned(&late, 9 * 24), [""; 0]);
    let shortened = warned(&late, 9 * 24 + 1);
    assert!(
        shortened[0].contains("they get shorter until the next CA signs, at 2027-01-24T20:00:00Z"),
        "{shortened:?}"
    );
}

#[test]
fn a_successor_that_cannot_sign_when_its_turn_comes_is_said_at_once() {
    assert!(warned(&rotated(ca("2", -480, 1)), 0)[0].contains("expired at"));
    assert!(warned(&rotated(ca("2", 24, 100)), 0)[0].contains("isn't valid before"));
}

#[test]
fn a_limit_of_the_pool_that_shortens_what_the_signer_would_give_is_said() {
    let limited = warnings(&rotated(ca("2", 0, 100)), at(0), 48 * HOUR);
    let limited = limited[0].to_string();
    assert!(limited.contains("maxLifetime is 48h") && limited.contains("gives 24h at most"), "{limited}");
}

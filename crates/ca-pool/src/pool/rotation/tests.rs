//! Changes of pools: what each leaves, and what is refused.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::{
    ACTIVATION_GRACE, BUNDLE_PROPAGATION, CaPool, PoolError, ReplacementCa, RotationError, RotationPlan,
};
use crate::authority::{CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType};
use crate::testing::TestCa;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 3600;
const HOUR: Duration = Duration::from_secs(3600);
const LEAF: Option<Duration> = Some(Duration::from_secs(24 * 3600));

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn ca(id: &str) -> CertificateAuthority {
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    let root = NewRoot {
        id: id.into(),
        common_name: "CA".parse().unwrap(),
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    CertificateAuthority::new_root(root, key, SerialNumber::from_random([1; 16]), at(0)).unwrap()
}

fn pool() -> CaPool {
    CaPool::new(vec![ca("1")]).unwrap()
}

/// Turns come in seconds after the beginning.
fn rotated(turns: &[i64]) -> CaPool {
    turns.iter().fold(pool(), |pool, turn| {
        let id = pool.next_id();
        let rotation_plan = RotationPlan {
            signs_from: at(*turn),
            max_leaf_lifetime: LEAF,
            predecessor_max_leaf_lifetime: LEAF,
        };
        pool.with_successor(ca(&id), rotation_plan, at(turn - 15 * MINUTE)).unwrap()
    })
}

/// That of a pool that was changed then.
fn generation(seconds: i64) -> u64 {
    at(seconds).as_second().unsigned_abs()
}

fn signs_from(pool: &CaPool, index: usize) -> Option<Timestamp> {
    pool.schedule().windows()[index].from
}

fn ids(pool: &CaPool) -> Vec<&str> {
    pool.authorities().map(CertificateAuthority::id).collect()
}

#[test]
fn a_successor_comes_with_its_times_and_a_new_generation() {
    let pool = rotated(&[DAY]);
    assert_eq!((ids(&pool), pool.generation()), (vec!["1", "2"], generation(DAY - 15 * MINUTE)));
    assert_eq!(
        pool.schedule().windows()[0].max_leaf_lifetime,
        LEAF,
        "of those before it, where none was recorded"
    );
    assert_eq!(signs_from(&pool, 1), Some(at(DAY)));
    let again = CaPool::from_json(&pool.to_json().unwrap()).unwrap();
    assert_eq!((again.schedule(), again.generation()), (pool.schedule(), pool.generation()));
}

#[test]
fn a_recorded_lifetime_is_not_shortened() {
    let rotation_plan = RotationPlan {
        signs_from: at(2 * DAY),
        max_leaf_lifetime: Some(Duration::from_secs(3600)),
        predecessor_max_leaf_lifetime: Some(Duration::from_secs(3600)),
    };
    let pool = rotated(&[DAY]).with_successor(ca("3"), rotation_plan, at(DAY)).unwrap();
    let recorded: Vec<_> = pool.schedule().windows().iter().map(|window| window.max_leaf_lifetime).collect();
    assert_eq!(recorded, [LEAF, LEAF, Some(Duration::from_secs(3600))]);
}

#[test]
fn one_successor_at_a_time() {
    let rotation_plan = RotationPlan {
        signs_from: at(2 * DAY),
        max_leaf_lifetime: LEAF,
        predecessor_max_leaf_lifetime: None,
    };
    let error = rotated(&[DAY]).with_successor(ca("3"), rotation_plan, at(DAY - 1)).unwrap_err();
    assert_eq!(error, RotationError::UnderWay { id: "2".into(), signs_from: at(DAY) });
    assert!(rotated(&[DAY]).with_successor(ca("3"), rotation_plan, at(DAY)).is_ok());
    assert!(rotated(&[DAY]).with_successor(ca("2"), rotation_plan, at(DAY)).is_err(), "the ID is taken");
}

#[test]
fn a_turn_that_comes_when_the_ca_before_can_sign_no_more_is_refused_with_the_latest_that_works() {
    let end = at(0) + NewRoot::DEFAULT_VALIDITY;
    let latest = end - Duration::from_secs(3600);
    let with_activation = |signs_from: Timestamp, now: Timestamp| {
        let rotation_plan =
            RotationPlan { signs_from, max_leaf_lifetime: LEAF, predecessor_max_leaf_lifetime: None };
        pool().with_successor(ca("2"), rotation_plan, now)
    };
    let late = latest + Duration::from_secs(1);
    assert!(with_activation(latest, at(0)).is_ok());
    assert_eq!(
        with_activation(late, at(0)).unwrap_err(),
        RotationError::TooLate { id: "1".into(), not_after: end, signs_from: late, latest }
    );
    let soon = |now: Timestamp| now + BUNDLE_PROPAGATION + Duration::from_secs(59);
    for now in [latest, end, end + Duration::from_secs(3600)] {
        assert!(
            with_activation(soon(now), now).is_ok(),
            "as soon as pods can know it, with the seconds rounded up"
        );
        assert!(with_activation(soon(now) + Duration::from_secs(60), now).is_err());
    }
}

#[test]
fn where_the_one_that_waits_is_not_valid_in_time_another_may_sign_in_between() {
    let end = at(0) + NewRoot::DEFAULT_VALIDITY;
    let late = CertificateAuthority::new_root(
        NewRoot {
            id: "2".into(),
            common_name: "CA".parse().unwrap(),
            uri: None,
            validity: NewRoot::DEFAULT_VALIDITY,
        },
        SigningKey::generate(SigningKeyType::Ed25519).unwrap(),
        SerialNumber::from_random([1; 16]),
        end,
    );
    let plan = |signs_from| RotationPlan {
        signs_from,
        max_leaf_lifetime: LEAF,
        predecessor_max_leaf_lifetime: None,
    };
    let waiting = pool().with_successor(late.unwrap(), plan(end - HOUR), at(0)).unwrap();
    let bridged = waiting.with_successor(ca("3"), plan(at(DAY)), at(0)).unwrap();
    assert_eq!(bridged.schedule().last(), Some(2));
}

#[test]
fn a_rotation_that_was_taken_back_leaves_no_decision_behind() {
    let taken_back = rotated(&[DAY]).without_regardless(&["2"], at(0)).unwrap();
    assert_eq!(taken_back.schedule().windows()[0].trusted_until, None);
    let plan = RotationPlan {
        signs_from: at(9 * DAY),
        max_leaf_lifetime: LEAF,
        predecessor_max_leaf_lifetime: LEAF,
    };
    let again = taken_back.with_successor(ca("2"), plan, at(8 * DAY)).unwrap();
    assert_eq!(again.removable(at(8 * DAY)), [""; 0]);
    assert_eq!(signs_from(&again, 1), Some(at(9 * DAY)));
}

#[test]
fn pools_in_which_each_ca_says_from_when_on_it_signs_are_read() {
    let mut document: serde_json::Value =
        serde_json::from_slice(&CaPool::new(vec![ca("2"), ca("1"), ca("0")]).unwrap().to_json().unwrap())
            .unwrap();
    for (index, from) in [(0, DAY), (1, 0)] {
        document["CAs"][index]["SignsFrom"] = at(from).to_string().into();
        document["CAs"][index]["LongestLeafSeconds"] = DAY.into();
    }
    let pool = CaPool::from_json(document.to_string().as_bytes()).unwrap();
    assert_eq!(ids(&pool), ["0", "1", "2"]);
    let trusted_until = at(DAY) + ACTIVATION_GRACE + LEAF.unwrap() + BUNDLE_PROPAGATION;
    let schedule = pool.schedule();
    assert_eq!(schedule.windows()[1].until, at(DAY));
    assert_eq!(schedule.windows()[1].trusted_until, Some(trusted_until));
    let written = String::from_utf8(pool.to_json().unwrap().to_vec()).unwrap();
    assert_eq!((written.matches("SignsUntil").count(), written.matches("SignsFrom").count()), (2, 0));
}

#[test]
fn what_is_needed_stays_and_the_date_is_told() {
    let removable = at(DAY) + ACTIVATION_GRACE + LEAF.unwrap() + BUNDLE_PROPAGATION;
    let needed = |pool: CaPool, id: &str, now: i64| match pool.without(&[id], at(now)).unwrap_err() {
        RotationError::StillNeeded { until, .. } => until,
        other => panic!("{other}"),
    };
    assert_eq!(needed(rotated(&[DAY]), "1", 0), Some(removable), "it signs");
    assert_eq!(needed(rotated(&[DAY]), "1", 2 * DAY), Some(removable), "its leaves live");
    assert_eq!(needed(rotated(&[DAY]), "2", 0), None, "it will sign");
    assert_eq!(needed(rotated(&[DAY]), "2", 9999 * DAY), None, "it has expired, but there is no other");
    let gone = 3 * DAY + 15 * MINUTE;
    assert_eq!(rotated(&[DAY]).removable(at(gone - 1)), [""; 0]);
    assert_eq!(rotated(&[DAY]).removable(at(gone)), ["1"]);
    let pruned = rotated(&[DAY]).without(&["1"], at(gone)).unwrap();
    assert_eq!((ids(&pruned), pruned.generation()), (vec!["2"], generation(gone)));
    assert_eq!(
        rotated(&[DAY]).without_regardless(&["1", "2"], at(0)).unwrap_err(),
        RotationError::Pool(PoolError::Empty)
    );
}

#[test]
fn who_takes_over_from_a_compromised_ca() {
    let replacement = |pool: &CaPool, id: &str, now: i64| pool.next_without(id, at(now)).unwrap();
    assert_eq!(replacement(&pool(), "1", 0), ReplacementCa::None);
    assert_eq!(replacement(&rotated(&[DAY]), "1", 0), ReplacementCa::Waiting("2".into()));
    assert_eq!(replacement(&rotated(&[DAY]), "2", 0), ReplacementCa::Active("1".into()));
    assert_eq!(replacement(&rotated(&[DAY]), "1", DAY), ReplacementCa::Active("2".into()));
    assert_eq!(
        replacement(&rotated(&[DAY]), "2", DAY),
        ReplacementCa::None,
        "one that retires doesn't start anew"
    );
    assert!(pool().next_without("7", at(0)).is_err());
}

#[test]
fn a_ca_that_cannot_sign_now_replaces_nobody() {
    let last_hour = NewRoot::DEFAULT_VALIDITY.as_secs().cast_signed() - 3599;
    assert_eq!(
        rotated(&[DAY]).next_without("1", at(last_hour)).unwrap(),
        ReplacementCa::None,
        "it has ended, but for an hour"
    );
    let before = at(-3600);
    assert_eq!(rotated(&[DAY]).next_without("1", before).unwrap(), ReplacementCa::None, "it isn't valid yet");
}

#[test]
fn a_compromised_ca_leaves_and_another_signs_at_once() {
    let replaced = pool().without_compromised("1", Some((ca("2"), LEAF)), at(5)).unwrap();
    assert_eq!((ids(&replaced), replaced.generation()), (vec!["2"], generation(5)));
    assert_eq!(replaced.schedule().active(at(5)), Some(0));
    for now in [5, DAY] {
        let promoted = rotated(&[DAY]).without_compromised("1", None, at(now)).unwrap();
        assert_eq!((ids(&promoted), promoted.schedule().active(at(now))), (vec!["2"], Some(0)));
    }
    assert_eq!(
        pool().without_compromised("1", None, at(5)).unwrap_err(),
        RotationError::NoReplacement { id: "1".into() }
    );
}

#[test]
fn where_one_that_retires_can_sign_meanwhile_the_pool_says_so() {
    let known = |from: i64| Some(at(from + 15 * MINUTE));
    let replaced = rotated(&[DAY]).without_compromised("2", Some((ca("3"), LEAF)), at(DAY + 5)).unwrap();
    assert_eq!((ids(&replaced), signs_from(&replaced, 1)), (vec!["1", "3"], known(DAY + 5)));
    let waiting = || rotated(&[DAY, 2 * DAY]);
    for now in [2 * DAY - 10 * MINUTE, 2 * DAY - 5] {
        let promoted = waiting().without_compromised("2", None, at(now)).unwrap();
        assert_eq!((ids(&promoted), signs_from(&promoted, 1)), (vec!["1", "3"], known(now)));
        let trusted_until = at(now + 15 * MINUTE) + ACTIVATION_GRACE + LEAF.unwrap() + BUNDLE_PROPAGATION;
        assert_eq!(promoted.schedule().windows()[0].trusted_until, Some(trusted_until));
    }
    let retired = rotated(&[DAY, 9 * DAY]).without_compromised("2", None, at(9 * DAY - 5)).unwrap();
    assert_eq!(retired.removable(at(9 * DAY)), ["1"], "pods don't trust it any more");
    assert_eq!(retired.schedule().active(at(9 * DAY)), Some(1));
    // in its last hour one can't sign, nor before it is valid
    let end = i64::try_from(NewRoot::DEFAULT_VALIDITY.as_secs()).unwrap();
    let late = end - 3600 - 14 * MINUTE;
    let old = rotated(&[DAY]).without_compromised("2", Some((ca("3"), LEAF)), at(late)).unwrap();
    assert_eq!(signs_from(&old, 1), Some(at(DAY)));
}

#[test]
fn whatever_the_root_of_a_compromised_ca_vouches_for_leaves_with_it() {
    let (root, other) = (TestCa::root("root"), TestCa::root("other"));
    let under = |root: &TestCa, id: &str| {
        let issuing = root.issue(id);
        issuing.authority(&[&issuing], root).with_id(id)
    };
    let pool = || CaPool::new(vec![under(&root, "1"), under(&root, "2"), under(&other, "3")]).unwrap();
    assert_eq!(pool().leave_with("2").unwrap(), ["1", "2"]);
    let left = pool().without_compromised("2", Some((under(&other, "4"), LEAF)), at(0)).unwrap();
    assert_eq!(ids(&left), ["3", "4"]);
    let error = pool().without_compromised("2", Some((under(&root, "4"), LEAF)), at(0)).unwrap_err();
    assert_eq!(error, RotationError::CompromisedRoot { id: "2".into(), root: "CN=root".into() });
}

#[test]
fn a_generation_is_newer_than_those_before_whatever_the_clock_says_and_whatever_was_put_back() {
    let rotated_back = pool().without_compromised("1", Some((ca("2"), LEAF)), at(-DAY)).unwrap();
    let once_more = rotated_back.without_compromised("2", Some((ca("3"), LEAF)), at(-2 * DAY)).unwrap();
    assert_eq!(once_more.generation(), generation(-DAY) + 1);
    let put_back = pool().without_compromised("1", Some((ca("4"), LEAF)), at(0)).unwrap();
    assert!(put_back.generation() > once_more.generation());
}

#[test]
fn a_generation_at_its_end_is_no_panic() {
    let last = format!(r#"{{"Generation":{},"CAs":"#, u64::MAX);
    let json = String::from_utf8(pool().to_json().unwrap().to_vec()).unwrap();
    let json = json.replacen("{\n  \"CAs\":", &last, 1);
    let pool = CaPool::from_json(json.as_bytes()).unwrap();
    assert_eq!(pool.without_compromised("1", Some((ca("2"), LEAF)), at(0)).unwrap().generation(), u64::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The ID is free, whatever IDs there are.
    #[test]
    fn the_next_id_is_nobodys(taken in prop::collection::btree_set("[0-9]{1,2}|[a-z]{1,3}", 1..6)) {
        let pool = CaPool::new(taken.iter().map(|id| ca(id)).collect()).unwrap();
        prop_assert!(!taken.contains(&pool.next_id()));
    }
}

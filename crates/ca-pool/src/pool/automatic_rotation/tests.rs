use crate::names::Uri;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::{
    AutomaticRotation, AutomaticRotationError, BUNDLE_PROPAGATION, CaPool, Due, Fitness, NewCaMaterial,
    RootPublication, RotationPlan,
};
use crate::authority::{SigningKey, SigningKeyType};
use crate::testing::TestCa;

const DAY: i64 = 24 * 3600;

fn automatic_rotation() -> AutomaticRotation {
    AutomaticRotation {
        signer: "example.com/a".parse().unwrap(),
        root_uri: None,
        key_type: SigningKeyType::Ed25519,
        validity: AutomaticRotation::DEFAULT_VALIDITY,
        max_leaf_lifetime: Duration::from_secs(24 * 3600),
        propagation: AutomaticRotation::DEFAULT_PROPAGATION,
    }
}

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + day * DAY).unwrap()
}

fn material() -> Result<NewCaMaterial, AutomaticRotationError> {
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    Ok(NewCaMaterial { key, serial: [9; 16], unique: [1, 2, 3, 4] })
}

/// Does what is due on each of these days, and tells what that was.
fn live(
    automatic_rotation: &AutomaticRotation,
    pool: &mut Option<CaPool>,
    days: std::ops::Range<i64>,
) -> Vec<(i64, Due)> {
    let mut done = Vec::new();
    for day in days {
        let due =
            automatic_rotation.due(pool.as_ref(), at(day), |_| RootPublication::Since(Timestamp::UNIX_EPOCH));
        if due != Due::Nothing {
            *pool = automatic_rotation.apply(&due, pool.take(), at(day), material).unwrap();
            done.push((day, due));
        }
    }
    done
}

#[test]
fn three_years_without_people() {
    let mut pool = None;
    let done = live(&automatic_rotation(), &mut pool, 0..800);
    let expected = [
        (0, Due::First),
        (244, Due::Successor),
        (248, Due::Removal(vec!["1".into()])),
        (488, Due::Successor),
        (492, Due::Removal(vec!["2".into()])),
        (732, Due::Successor),
        (736, Due::Removal(vec!["3".into()])),
    ];
    assert_eq!(done, expected);
    assert_eq!(pool.unwrap().generation(), at(736).as_second().unsigned_abs());
}

#[test]
fn a_longer_lifetime_is_recorded_before_it_is_given() {
    let mut pool = None;
    live(&automatic_rotation(), &mut pool, 0..1);
    let longer =
        AutomaticRotation { max_leaf_lifetime: Duration::from_secs(48 * 3600), ..automatic_rotation() };
    assert_eq!(live(&longer, &mut pool, 1..3), [(1, Due::LongerLeaves)]);
    assert_eq!(pool.unwrap().schedule().windows()[0].max_leaf_lifetime, Some(longer.max_leaf_lifetime));
}

#[test]
fn generations_begin_to_be_counted_at_once() {
    let root = automatic_rotation().new_root("1", material().unwrap(), at(0)).unwrap();
    let mut pool =
        Some(CaPool::beginning_with(root, None, Some(automatic_rotation().max_leaf_lifetime)).unwrap());
    assert_eq!(live(&automatic_rotation(), &mut pool, 1..10), [(1, Due::Generation)]);
    assert_eq!(pool.unwrap().generation(), at(1).as_second().unsigned_abs());
}

#[test]
fn an_expired_pool_gets_a_successor_that_signs_at_once() {
    let mut pool = None;
    live(&automatic_rotation(), &mut pool, 0..1);
    assert_eq!(live(&automatic_rotation(), &mut pool, 1000..1001), [(1000, Due::Successor)]);
    let choice = pool.unwrap().choose(at(1000), |_| RootPublication::Absent).unwrap();
    assert_eq!(choice.index, 1);
}

#[test]
fn where_the_one_that_waits_is_not_valid_in_time_another_signs_in_between() {
    let first = AutomaticRotation { validity: Duration::from_secs(10 * 24 * 3600), ..automatic_rotation() };
    let pool =
        CaPool::first(first.new_root("1", material().unwrap(), at(0)).unwrap(), first.max_leaf_lifetime);
    let successor = automatic_rotation().new_root("2", material().unwrap(), at(20)).unwrap();
    let rotation_plan =
        RotationPlan { signs_from: at(9), max_leaf_lifetime: None, predecessor_max_leaf_lifetime: None };
    let future = pool.unwrap().with_successor(successor, rotation_plan, at(0)).unwrap();
    let mut pool = Some(future);
    assert_eq!(live(&automatic_rotation(), &mut pool, 0..9), [(7, Due::Successor)]);
    let pool = pool.unwrap();
    let max_lifetime = automatic_rotation().max_leaf_lifetime;
    assert_eq!(pool.assess(&Fitness::default(), Some(max_lifetime), at(9)).warnings, []);
    assert_eq!(pool.choose(at(9), |_| RootPublication::Since(at(0))).unwrap().index, 2);
}

#[test]
fn an_intermediate_is_not_succeeded_by_a_root_that_is_made_here_and_that_is_warned_of() {
    let root = TestCa::root_with("Corporate Root", |params| {
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2028, 1, 1);
    });
    let issuing = root.issue("issuing");
    let pool =
        CaPool::first(issuing.authority(&[&issuing], &root), automatic_rotation().max_leaf_lifetime).unwrap();
    let warning = |day: i64| automatic_rotation().warning(&pool, at(day)).map(|warning| warning.to_string());
    assert_eq!(warning(0), None);
    // a third of its life is left; it ends tomorrow; it has ended
    for day in [120, 349, 500] {
        assert_eq!(automatic_rotation().due(Some(&pool), at(day), |_| RootPublication::Absent), Due::Nothing);
        let warning = warning(day).unwrap();
        assert!(warning.contains("an intermediate under CN=Corporate Root"), "{warning}");
        assert!(
            warning.contains("ca-pool import`") && warning.contains("rotate --self-signed`"),
            "{warning}"
        );
    }
    let rotation_plan =
        RotationPlan { signs_from: at(2), max_leaf_lifetime: None, predecessor_max_leaf_lifetime: None };
    let own = automatic_rotation().new_root("2", material().unwrap(), at(1)).unwrap();
    let mut left = Some(pool.with_successor(own, rotation_plan, at(1)).unwrap());
    let done = live(&automatic_rotation(), &mut left, 3..300);
    assert!(done.contains(&(245, Due::Successor)), "who has taken leave of that root goes on: {done:?}");
}

#[test]
fn a_ca_is_removed_when_its_leaves_have_expired_whatever_the_clock_that_made_its_successor() {
    // the successor came on day 10, by a clock that was three days behind
    let new = |id: &str, day: i64| automatic_rotation().new_root(id, material().unwrap(), at(day)).unwrap();
    let rotation_plan = RotationPlan {
        signs_from: at(7) + BUNDLE_PROPAGATION,
        max_leaf_lifetime: Some(automatic_rotation().max_leaf_lifetime),
        predecessor_max_leaf_lifetime: None,
    };
    let pool = CaPool::first(new("1", 0), automatic_rotation().max_leaf_lifetime).unwrap();
    let pool = pool.with_successor(new("2", 7), rotation_plan, at(7)).unwrap();
    assert_eq!(pool.removable(at(10)), ["1"], "as the pool has it");
    let published = |now: Timestamp| {
        let publication = |root: &_| {
            let is_new = pool.authority(1).root() == root;
            RootPublication::Since(if is_new { at(10) } else { Timestamp::UNIX_EPOCH })
        };
        automatic_rotation().due(Some(&pool), now, publication)
    };
    let gone = at(12) + BUNDLE_PROPAGATION;
    assert_eq!(published(at(10)), Due::Nothing);
    assert_eq!(published(gone - Duration::from_secs(1)), Due::Nothing);
    assert_eq!(published(gone), Due::Removal(vec!["1".into()]));
    let unpublished = |root: &_| {
        if pool.authority(1).root() == root {
            RootPublication::Absent
        } else {
            RootPublication::Since(Timestamp::UNIX_EPOCH)
        }
    };
    assert_eq!(
        automatic_rotation().due(Some(&pool), at(30), unpublished),
        Due::Nothing,
        "nobody knows the successor"
    );
}

#[test]
fn a_successor_waits_for_as_long_as_is_wanted_or_as_is_left() {
    let patient =
        AutomaticRotation { propagation: Duration::from_secs(20 * 24 * 3600), ..automatic_rotation() };
    let wait = |made: i64| {
        let mut pool = None;
        live(&patient, &mut pool, 0..1);
        let first = pool.as_ref().unwrap().schedule();
        assert_eq!(first.active(at(0)), Some(0), "nobody trusts anything before the first");
        assert_eq!(live(&patient, &mut pool, made..made + 1), [(made, Due::Successor)]);
        let turn = pool.unwrap().schedule().windows()[1].from.unwrap();
        turn.duration_since(at(made))
    };
    let hour = SignedDuration::from_hours(1);
    assert_eq!(wait(244), SignedDuration::from_hours(20 * 24));
    assert_eq!(
        wait(354),
        SignedDuration::from_hours(10 * 24) - hour,
        "a day before the CA that signs can't any more"
    );
    assert_eq!(wait(364), SignedDuration::try_from(BUNDLE_PROPAGATION).unwrap());
    let valid = -SignedDuration::from_mins(5);
    assert_eq!(wait(365), valid, "its leaves live, and it can't sign");
    assert_eq!(wait(366), valid, "it has expired");
}

#[test]
fn each_new_root_has_the_uri() {
    let uri: Uri = "spiffe://prod.example.com".parse().unwrap();
    let rotation = AutomaticRotation { root_uri: Some(uri.clone()), ..automatic_rotation() };
    let mut pool = None;
    live(&rotation, &mut pool, 0..245);
    let pool = pool.unwrap();
    let uris: Vec<Vec<Uri>> = pool.roots().iter().map(|root| root.uris()).collect();
    assert_eq!(uris, [vec![uri.clone()], vec![uri]]);
    // what its own trust anchors are of use for isn't changed by that
    assert!(pool.findings(&pool.fitness(&[]), at(245)).is_empty());
}

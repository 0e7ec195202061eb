use std::time::Duration;

use jiff::Timestamp;

use super::super::{
    CaPool, Due, Ingredients, LEEWAY, PROPAGATION, PoolWarning, Standing, Succession, Upkeep, UpkeepError,
};
use crate::authority::{SigningKey, SigningKeyType};
use crate::testing::TestCa;

const DAY: i64 = 24 * 3600;

fn upkeep() -> Upkeep {
    Upkeep {
        signer: "example.com/a".parse().unwrap(),
        key_type: SigningKeyType::Ed25519,
        validity: Upkeep::DEFAULT_VALIDITY,
        longest_leaf: Duration::from_secs(24 * 3600),
        propagation: Upkeep::DEFAULT_PROPAGATION,
    }
}

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + day * DAY).unwrap()
}

fn ingredients() -> Result<Ingredients, UpkeepError> {
    let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
    Ok(Ingredients { key, serial: [9; 16], unique: [1, 2, 3, 4] })
}

/// Does what is due on each of these days, and tells what that was.
fn live(upkeep: &Upkeep, pool: &mut Option<CaPool>, days: std::ops::Range<i64>) -> Vec<(i64, Due)> {
    let mut done = Vec::new();
    for day in days {
        let due = upkeep.due(pool.as_ref(), at(day), |_| Standing::Since(Timestamp::UNIX_EPOCH));
        if due != Due::Nothing {
            *pool = upkeep.apply(&due, pool.take(), at(day), ingredients).unwrap();
            done.push((day, due));
        }
    }
    done
}

#[test]
fn three_years_without_people() {
    let mut pool = None;
    let done = live(&upkeep(), &mut pool, 0..800);
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
    live(&upkeep(), &mut pool, 0..1);
    let longer = Upkeep { longest_leaf: Duration::from_secs(48 * 3600), ..upkeep() };
    assert_eq!(live(&longer, &mut pool, 1..3), [(1, Due::LongerLeaves)]);
    assert_eq!(pool.unwrap().tenures()[0].longest_leaf, Some(longer.longest_leaf));
}

#[test]
fn generations_begin_to_be_counted_at_once() {
    let root = upkeep().new_root("1", ingredients().unwrap(), at(0)).unwrap();
    let mut pool = Some(CaPool::beginning_with(root, None, Some(upkeep().longest_leaf)).unwrap());
    assert_eq!(live(&upkeep(), &mut pool, 1..10), [(1, Due::Generation)]);
    assert_eq!(pool.unwrap().generation(), at(1).as_second().unsigned_abs());
}

#[test]
fn an_expired_pool_gets_a_successor_that_signs_at_once() {
    let mut pool = None;
    live(&upkeep(), &mut pool, 0..1);
    assert_eq!(live(&upkeep(), &mut pool, 1000..1001), [(1000, Due::Successor)]);
    let choice = pool.unwrap().choose(at(1000), |_| Standing::Absent).unwrap();
    assert_eq!(choice.index, 1);
}

/// A pool whose CA ends after ten days, and whose successor signs from then on.
fn rotated(turn: Timestamp, successor: Upkeep, made: Timestamp) -> CaPool {
    let first = Upkeep { validity: Duration::from_secs(10 * 24 * 3600), ..upkeep() };
    let pool = CaPool::first(first.new_root("1", ingredients().unwrap(), at(0)).unwrap(), first.longest_leaf);
    let successor = successor.new_root("2", ingredients().unwrap(), made).unwrap();
    let succession = Succession { signs_from: at(1), longest_leaf: None, predecessors_longest_leaf: None };
    let pool = pool.unwrap().with_successor(successor, succession, at(0)).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&pool.to_json().unwrap()).unwrap();
    document["CAs"][1]["SignsFrom"] = turn.to_string().into();
    CaPool::from_json(document.to_string().as_bytes()).unwrap()
}

#[test]
fn a_successor_whose_turn_would_leave_nobody_who_can_sign_gets_an_earlier_one() {
    let end = at(10) - Duration::from_secs(3600);
    let turn = |pool: &CaPool, day: i64| {
        let mut pool = Some(CaPool::from_json(&pool.to_json().unwrap()).unwrap());
        let done = live(&upkeep(), &mut pool, day..day + 1);
        (done, pool.unwrap().tenures()[1].signs_from.unwrap())
    };
    assert_eq!(turn(&rotated(end, upkeep(), at(0)), 0), (vec![], end), "it comes in time");
    let late = rotated(at(30), upkeep(), at(0));
    assert_eq!(turn(&late, 0), (vec![(0, Due::EarlierTurn)], end - LEEWAY));
    let soon = at(9) + PROPAGATION;
    assert_eq!(turn(&late, 9), (vec![(9, Due::EarlierTurn)], soon), "as soon as pods can know it");
    assert_eq!(turn(&late, 11), (vec![(11, Due::EarlierTurn)], at(11)), "the CA before it has expired");
}

#[test]
fn where_that_one_is_not_valid_so_early_another_signs_in_between() {
    let future = rotated(at(30), upkeep(), at(20));
    assert!(matches!(future.warning(0, at(0), upkeep().longest_leaf), Some(PoolWarning::Gap { .. })));
    let mut pool = Some(future);
    assert_eq!(live(&upkeep(), &mut pool, 0..9), [(7, Due::Successor)]);
    let pool = pool.unwrap();
    assert_eq!(pool.warnings(at(9), upkeep().longest_leaf), []);
    assert_eq!(pool.choose(at(9), |_| Standing::Since(at(0))).unwrap().index, 2);
    assert_eq!(pool.choose(at(30), |_| Standing::Since(at(0))).unwrap().index, 1);
}

#[test]
fn an_intermediate_is_not_succeeded_by_a_root_that_is_made_here_and_that_is_warned_of() {
    let root = TestCa::root_with("Corporate Root", |params| {
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2028, 1, 1);
    });
    let issuing = root.issue("issuing");
    let pool = CaPool::first(issuing.authority(&[&issuing], &root), upkeep().longest_leaf).unwrap();
    let warning = |day: i64| upkeep().warning(&pool, at(day)).map(|warning| warning.to_string());
    assert_eq!(warning(0), None);
    // a third of its life is left; it ends tomorrow; it has ended
    for day in [120, 349, 500] {
        assert_eq!(upkeep().due(Some(&pool), at(day), |_| Standing::Absent), Due::Nothing);
        let warning = warning(day).unwrap();
        assert!(warning.contains("an intermediate under CN=Corporate Root"), "{warning}");
        assert!(
            warning.contains("ca-pool import`") && warning.contains("rotate --self-signed`"),
            "{warning}"
        );
    }
    let succession = Succession { signs_from: at(2), longest_leaf: None, predecessors_longest_leaf: None };
    let own = upkeep().new_root("2", ingredients().unwrap(), at(1)).unwrap();
    let mut left = Some(pool.with_successor(own, succession, at(1)).unwrap());
    let done = live(&upkeep(), &mut left, 3..300);
    assert!(done.contains(&(245, Due::Successor)), "who has taken leave of that root goes on: {done:?}");
}

#[test]
fn a_ca_is_removed_when_its_leaves_have_expired_whatever_the_clock_that_made_its_successor() {
    // the successor came on day 10, by a clock that was three days behind
    let new = |id: &str, day: i64| upkeep().new_root(id, ingredients().unwrap(), at(day)).unwrap();
    let succession = Succession {
        signs_from: at(7) + PROPAGATION,
        longest_leaf: Some(upkeep().longest_leaf),
        predecessors_longest_leaf: None,
    };
    let pool = CaPool::first(new("1", 0), upkeep().longest_leaf).unwrap();
    let pool = pool.with_successor(new("2", 7), succession, at(7)).unwrap();
    assert_eq!(pool.removable(at(10)), ["1"], "as the pool has it");
    let published = |now: Timestamp| {
        let standing = |root: &_| {
            let is_new = pool.authority(1).root() == root;
            Standing::Since(if is_new { at(10) } else { Timestamp::UNIX_EPOCH })
        };
        upkeep().due(Some(&pool), now, standing)
    };
    let gone = at(12) + PROPAGATION;
    assert_eq!(published(at(10)), Due::Nothing);
    assert_eq!(published(gone - Duration::from_secs(1)), Due::Nothing);
    assert_eq!(published(gone), Due::Removal(vec!["1".into()]));
    let unpublished = |root: &_| {
        if pool.authority(1).root() == root {
            Standing::Absent
        } else {
            Standing::Since(Timestamp::UNIX_EPOCH)
        }
    };
    assert_eq!(upkeep().due(Some(&pool), at(30), unpublished), Due::Nothing, "nobody knows the successor");
}

#[test]
fn a_successor_waits_for_as_long_as_is_wanted_or_as_is_left() {
    let day = |days: u64| Duration::from_secs(days * 24 * 3600);
    let patient = Upkeep { propagation: day(20), ..upkeep() };
    let wait = |made: i64| {
        let mut pool = None;
        live(&patient, &mut pool, 0..1);
        assert_eq!(
            pool.as_ref().unwrap().tenures()[0].signs_from,
            None,
            "nobody trusts anything before the first"
        );
        assert_eq!(live(&patient, &mut pool, made..made + 1), [(made, Due::Successor)]);
        let turn = pool.unwrap().tenures()[1].signs_from.unwrap();
        Duration::try_from(turn.duration_since(at(made))).unwrap()
    };
    assert_eq!(wait(244), day(20));
    let hour = Duration::from_secs(3600);
    assert_eq!(wait(354), day(10) - hour, "a day before the CA that signs can't any more");
    assert_eq!(wait(364), PROPAGATION);
    assert_eq!(wait(365), PROPAGATION, "its leaves live");
    assert_eq!(wait(366), Duration::ZERO, "it has expired");
}

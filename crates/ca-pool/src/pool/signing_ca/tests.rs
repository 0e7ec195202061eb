//! Who signs: a case for each rule.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    super::schedule::{Recorded, Schedule},
    NoSigningCa,
    RootPublication::{self, *},
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const QUARTER: i64 = 15 * 60;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn ca() -> Recorded {
    Recorded {
        signs_from: None,
        retirement: None,
        max_leaf_lifetime: Some(Duration::from_secs(24 * 3600)),
        not_before: at(-DAY),
        not_after: at(3650 * DAY),
    }
}

/// One from which another takes over then.
fn until(signs_until: i64, ca: Recorded) -> Recorded {
    Recorded { retirement: Some(ca.retiring(at(signs_until))), ..ca }
}

/// Who signs, and for how many seconds its leaves may live.
fn chosen(cas: &[Recorded], now: i64, publications: &[RootPublication]) -> Result<(usize, i64), NoSigningCa> {
    let choice = Schedule::of(cas.to_vec()).signing_ca(at(now), |index| publications[index])?;
    Ok((choice.index, choice.leaves_end.duration_since(at(now)).as_secs()))
}

const KNOWN: RootPublication = Since(Timestamp::UNIX_EPOCH);

#[test]
fn a_turn_that_has_come_waits_until_its_root_is_known_everywhere() {
    let pool = [until(0, ca()), ca()];
    for (now, second, signs) in
        [(0, Absent, 0), (0, Since(at(0)), 0), (QUARTER - 1, Since(at(0)), 0), (QUARTER, Since(at(0)), 1)]
    {
        assert_eq!(chosen(&pool, now, &[KNOWN, second]), Ok((signs, DAY)), "{now} {second:?}");
    }
    assert_eq!(chosen(&pool, -1, &[KNOWN, KNOWN]), Ok((0, DAY)), "known, but not its turn");
}

#[test]
fn while_it_waits_the_predecessors_leaves_end_before_that_leaves_the_bundle() {
    let pool = [until(0, ca()), ca()];
    assert_eq!(chosen(&pool, 47 * HOUR, &[KNOWN, Absent]), Ok((0, HOUR)));
}

#[test]
fn where_the_predecessor_can_sign_no_more_but_its_leaves_live_nobody_signs_for_a_while() {
    let pool = [until(0, ca()), ca()];
    let spreading = NoSigningCa::Spreading { known: at(48 * HOUR) };
    assert_eq!(chosen(&pool, 47 * HOUR + 1, &[KNOWN, Since(at(48 * HOUR - QUARTER))]), Err(spreading));
    assert_eq!(chosen(&pool, 47 * HOUR + 1, &[KNOWN, Absent]), Err(NoSigningCa::Unpublished));
    // nobody was there to publish: that the leaves of the predecessor have expired doesn't follow from the
    // pool's times alone
    let spreading = NoSigningCa::Spreading { known: at(60 * HOUR + QUARTER) };
    assert_eq!(chosen(&pool, 60 * HOUR, &[KNOWN, Since(at(60 * HOUR))]), Err(spreading));
    assert_eq!(chosen(&pool, 60 * HOUR + QUARTER, &[KNOWN, Since(at(60 * HOUR))]), Ok((1, DAY)));
}

#[test]
fn a_turn_that_was_computed_on_a_clock_days_behind_waits_all_the_same_until_pods_know_the_root() {
    for behind in [25 * HOUR, 3 * DAY, 300 * DAY] {
        let pool = [until(QUARTER - behind, ca()), ca()];
        for now in [0, QUARTER - 1] {
            assert_ne!(
                chosen(&pool, now, &[KNOWN, Since(at(0))]).ok().map(|(index, _)| index),
                Some(1),
                "{behind}"
            );
        }
        assert_eq!(chosen(&pool, QUARTER, &[KNOWN, Since(at(0))]), Ok((1, DAY)));
    }
}

#[test]
fn where_the_leaves_of_the_predecessor_ended_with_itself_the_successor_signs_at_once() {
    let pool = [until(0, Recorded { not_after: at(0), ..ca() }), ca()];
    assert_eq!(chosen(&pool, 1, &[KNOWN, Since(at(1))]), Ok((1, DAY)));
}

#[test]
fn the_first_of_all_signs_at_once() {
    assert_eq!(chosen(&[ca()], 0, &[Absent]), Ok((0, DAY)));
    assert_eq!(chosen(&[Recorded { signs_from: Some(at(0)), ..ca() }], 0, &[Absent]), Ok((0, DAY)));
    assert_eq!(chosen(&[ca(), ca()], 0, &[Absent, Absent]), Ok((0, DAY)));
}

#[test]
fn in_a_pool_without_times_one_that_is_known_goes_on_until_the_first_is_known_too() {
    let pool = [ca(), ca()];
    assert_eq!(chosen(&pool, 0, &[Since(at(0)), KNOWN]), Ok((1, DAY)));
    assert_eq!(chosen(&pool, QUARTER, &[Since(at(0)), KNOWN]), Ok((0, DAY)));
}

#[test]
fn after_the_bundle_was_deleted_the_oldest_signs_that_can() {
    let pool = [until(0, ca()), ca()];
    assert_eq!(chosen(&pool, HOUR, &[Absent, Absent]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[Since(at(HOUR)), Since(at(HOUR))]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, 3 * DAY, &[Since(at(3 * DAY)), Since(at(3 * DAY))]), Ok((1, DAY)));
}

#[test]
fn nothing_is_signed_under_a_root_that_is_not_published_while_others_are() {
    let pool = [until(0, ca()), ca()];
    assert_eq!(chosen(&pool, 3 * DAY, &[KNOWN, Absent]), Err(NoSigningCa::Unpublished));
}

#[test]
fn nothing_is_signed_under_a_root_that_a_newer_pool_has_dropped() {
    let pool = [until(0, ca()), ca()];
    assert_eq!(chosen(&pool, HOUR, &[KNOWN, Dropped]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[Dropped, Since(at(HOUR))]), Ok((1, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[Dropped, Dropped]), Err(NoSigningCa::Dropped));
}

#[test]
fn a_successor_that_is_not_valid_yet_is_passed_over() {
    let pool = [until(0, ca()), Recorded { not_before: at(HOUR), ..ca() }];
    assert_eq!(chosen(&pool, HOUR - 1, &[KNOWN, KNOWN]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[KNOWN, KNOWN]), Ok((1, DAY)));
}

#[test]
fn a_successor_that_expires_leaves_the_floor_to_its_predecessor() {
    let pool = [until(0, ca()), Recorded { not_after: at(DAY), ..ca() }];
    assert_eq!(chosen(&pool, 2 * HOUR, &[KNOWN, KNOWN]), Ok((1, 22 * HOUR)));
    assert_eq!(chosen(&pool, DAY, &[KNOWN, KNOWN]), Ok((0, DAY)));
}

#[test]
fn the_only_one_is_chosen_though_it_can_sign_no_more_for_whoever_issues_says_why() {
    let expiring = [Recorded { not_after: at(HOUR), ..ca() }];
    assert_eq!(chosen(&expiring, 1, &[KNOWN]), Ok((0, HOUR - 1)));
    assert_eq!(chosen(&expiring, 2 * HOUR, &[KNOWN]), Ok((0, -HOUR)));
}

#[test]
fn where_no_turn_has_come_the_message_tells_when_the_first_will() {
    let error = chosen(&[Recorded { signs_from: Some(at(HOUR)), ..ca() }], 0, &[KNOWN]).unwrap_err();
    assert_eq!(error.to_string(), "no CA of the pool signs yet; the first does from 2027-01-15 09:00Z on");
}

#[test]
fn where_the_next_is_not_valid_before_the_one_that_signs_has_ended_the_message_tells_until_when() {
    let next = Recorded { not_before: at(20 * DAY), ..ca() };
    let pool = [until(20 * DAY, Recorded { not_after: at(DAY), ..ca() }), next];
    assert_eq!(chosen(&pool, 23 * HOUR, &[KNOWN, KNOWN]), Ok((0, HOUR)));
    for now in [23 * HOUR + 1, 2 * DAY] {
        let nobody = NoSigningCa::NotYet { from: at(20 * DAY) };
        assert_eq!(chosen(&pool, now, &[KNOWN, KNOWN]), Err(nobody));
    }
    assert_eq!(chosen(&pool, 20 * DAY, &[KNOWN, KNOWN]), Ok((1, DAY)));
}

#[test]
fn a_turn_that_comes_too_late_comes_when_the_ca_before_can_sign_no_more() {
    let pool = [until(20 * DAY, Recorded { not_after: at(DAY), ..ca() }), ca()];
    assert_eq!(chosen(&pool, 23 * HOUR - 1, &[KNOWN, KNOWN]), Ok((0, HOUR + 1)));
    assert_eq!(chosen(&pool, 23 * HOUR, &[KNOWN, KNOWN]), Ok((1, DAY)));
}

#[test]
fn one_that_is_known_signs_before_its_time_where_pods_do_not_know_the_one_before_it() {
    let pool = [until(DAY, ca()), ca()];
    assert_eq!(chosen(&pool, 0, &[Since(at(0)), KNOWN]), Ok((1, DAY)));
    assert_eq!(chosen(&pool, QUARTER, &[Since(at(0)), KNOWN]), Ok((0, DAY)));
}

//! Who signs: a case for each rule.

use std::time::Duration;

use jiff::Timestamp;

use super::super::{
    NoSigningCa,
    RootPublication::{self, *},
    SigningWindow, choose,
};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const QUARTER: i64 = 15 * 60;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn signing_window(signs_from: Option<i64>) -> SigningWindow {
    SigningWindow {
        signs_from: signs_from.map(at),
        max_leaf_lifetime: Some(Duration::from_secs(24 * 3600)),
        not_before: at(-DAY),
        not_after: at(3650 * DAY),
    }
}

/// Who signs, and for how many seconds its leaves may live.
fn chosen(
    signing_windows: &[SigningWindow],
    now: i64,
    standings: &[RootPublication],
) -> Result<(usize, i64), NoSigningCa> {
    let choice = choose(signing_windows, at(now), |index| standings[index])?;
    Ok((choice.index, choice.leaves_end.duration_since(at(now)).as_secs()))
}

const KNOWN: RootPublication = Since(Timestamp::UNIX_EPOCH);

#[test]
fn a_turn_that_has_come_waits_until_its_root_is_known_everywhere() {
    let pool = [signing_window(None), signing_window(Some(0))];
    for (now, second, signs) in
        [(0, Absent, 0), (0, Since(at(0)), 0), (QUARTER - 1, Since(at(0)), 0), (QUARTER, Since(at(0)), 1)]
    {
        assert_eq!(chosen(&pool, now, &[KNOWN, second]), Ok((signs, DAY)), "{now} {second:?}");
    }
    assert_eq!(chosen(&pool, -1, &[KNOWN, KNOWN]), Ok((0, DAY)), "known, but not its turn");
}

#[test]
fn while_it_waits_the_predecessors_leaves_end_before_that_leaves_the_bundle() {
    let pool = [signing_window(None), signing_window(Some(0))];
    assert_eq!(chosen(&pool, 47 * HOUR, &[KNOWN, Absent]), Ok((0, HOUR)));
}

#[test]
fn where_the_predecessor_can_sign_no_more_but_its_leaves_live_nobody_signs_for_a_while() {
    let pool = [signing_window(None), signing_window(Some(0))];
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
        let pool = [signing_window(None), signing_window(Some(QUARTER - behind))];
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
    let pool = [SigningWindow { not_after: at(0), ..signing_window(None) }, signing_window(Some(0))];
    assert_eq!(chosen(&pool, 1, &[KNOWN, Since(at(1))]), Ok((1, DAY)));
}

#[test]
fn the_first_of_all_signs_at_once() {
    assert_eq!(chosen(&[signing_window(None)], 0, &[Absent]), Ok((0, DAY)));
    assert_eq!(chosen(&[signing_window(Some(0))], 0, &[Absent]), Ok((0, DAY)));
    assert_eq!(chosen(&[signing_window(None), signing_window(None)], 0, &[Absent, Absent]), Ok((0, DAY)));
}

#[test]
fn in_a_pool_without_times_one_that_is_known_goes_on_until_the_first_is_known_too() {
    let pool = [signing_window(None), signing_window(None)];
    assert_eq!(chosen(&pool, 0, &[Since(at(0)), KNOWN]), Ok((1, DAY)));
    assert_eq!(chosen(&pool, QUARTER, &[Since(at(0)), KNOWN]), Ok((0, DAY)));
}

#[test]
fn after_the_bundle_was_deleted_the_oldest_signs_that_can() {
    let pool = [signing_window(None), signing_window(Some(0))];
    assert_eq!(chosen(&pool, HOUR, &[Absent, Absent]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[Since(at(HOUR)), Since(at(HOUR))]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, 3 * DAY, &[Since(at(3 * DAY)), Since(at(3 * DAY))]), Ok((1, DAY)));
}

#[test]
fn nothing_is_signed_under_a_root_that_is_not_published_while_others_are() {
    let pool = [signing_window(None), signing_window(Some(0))];
    assert_eq!(chosen(&pool, 3 * DAY, &[KNOWN, Absent]), Err(NoSigningCa::Unpublished));
}

#[test]
fn nothing_is_signed_under_a_root_that_a_newer_pool_has_dropped() {
    let pool = [signing_window(None), signing_window(Some(0))];
    assert_eq!(chosen(&pool, HOUR, &[KNOWN, Dropped]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[Dropped, Since(at(HOUR))]), Ok((1, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[Dropped, Dropped]), Err(NoSigningCa::Dropped));
}

#[test]
fn a_successor_that_is_not_valid_yet_is_passed_over() {
    let pool = [signing_window(None), SigningWindow { not_before: at(HOUR), ..signing_window(Some(0)) }];
    assert_eq!(chosen(&pool, HOUR - 1, &[KNOWN, KNOWN]), Ok((0, DAY)));
    assert_eq!(chosen(&pool, HOUR, &[KNOWN, KNOWN]), Ok((1, DAY)));
}

#[test]
fn a_successor_that_expires_leaves_the_floor_to_its_predecessor() {
    let pool = [signing_window(None), SigningWindow { not_after: at(DAY), ..signing_window(Some(0)) }];
    assert_eq!(chosen(&pool, 2 * HOUR, &[KNOWN, KNOWN]), Ok((1, 22 * HOUR)));
    assert_eq!(chosen(&pool, DAY, &[KNOWN, KNOWN]), Ok((0, DAY)));
}

#[test]
fn the_only_one_is_chosen_though_it_can_sign_no_more_for_whoever_issues_says_why() {
    let expiring = [SigningWindow { not_after: at(HOUR), ..signing_window(None) }];
    assert_eq!(chosen(&expiring, 1, &[KNOWN]), Ok((0, HOUR - 1)));
    assert_eq!(chosen(&expiring, 2 * HOUR, &[KNOWN]), Ok((0, -HOUR)));
}

#[test]
fn where_no_turn_has_come_the_message_tells_when_the_first_will() {
    let error = chosen(&[signing_window(Some(HOUR))], 0, &[KNOWN]).unwrap_err();
    assert_eq!(error.to_string(), "no CA of the pool signs yet; the first does from 2027-01-15 09:00Z on");
}

#[test]
fn between_the_end_of_one_and_the_turn_of_the_next_nobody_signs_and_the_message_tells_until_when() {
    let pool = [SigningWindow { not_after: at(DAY), ..signing_window(None) }, signing_window(Some(20 * DAY))];
    assert_eq!(chosen(&pool, 23 * HOUR, &[KNOWN, KNOWN]), Ok((0, HOUR)));
    for now in [23 * HOUR + 1, 2 * DAY] {
        let gap = NoSigningCa::Gap { from: at(20 * DAY) };
        assert_eq!(chosen(&pool, now, &[KNOWN, KNOWN]), Err(gap));
    }
    assert_eq!(chosen(&pool, 20 * DAY, &[KNOWN, KNOWN]), Ok((1, DAY)));
}

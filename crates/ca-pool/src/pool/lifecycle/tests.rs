use super::*;

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

#[test]
fn without_times_the_first_signs_and_the_others_are_only_trusted() {
    let pool = [signing_window(None), signing_window(None)];
    assert_eq!(phases(&pool, at(0)), [Phase::Active, Phase::Trusted(None)]);
    assert_eq!(removable_at(&pool, 1), None);
}

#[test]
fn a_successor_is_trusted_then_active_and_its_predecessor_retires_then_goes() {
    let pool = [signing_window(None), signing_window(Some(HOUR))];
    let gone = HOUR + 2 * DAY + QUARTER;
    for (now, first, second) in [
        (0, Phase::Active, Phase::Trusted(Some(at(HOUR)))),
        (HOUR, Phase::Retiring(at(gone)), Phase::Active),
        (gone - 1, Phase::Retiring(at(gone)), Phase::Active),
        (gone, Phase::Gone, Phase::Active),
    ] {
        assert_eq!(phases(&pool, at(now)), [first, second], "{now}");
    }
}

#[test]
fn one_that_is_only_trusted_may_have_signed_before_times_were_kept_so_it_retires_too() {
    let pool = [signing_window(None), signing_window(None), signing_window(Some(0))];
    let removable = at(2 * DAY + QUARTER);
    assert_eq!(phases(&pool, at(-1))[..2], [Phase::Active, Phase::Trusted(None)]);
    assert_eq!(phases(&pool, at(0))[..2], [Phase::Retiring(removable), Phase::Retiring(removable)]);
}

#[test]
fn three_generations_retire_one_after_the_other() {
    let pool = [signing_window(None), signing_window(Some(HOUR)), signing_window(Some(DAY))];
    let (first, second) = (at(HOUR + 2 * DAY + QUARTER), at(3 * DAY + QUARTER));
    assert_eq!(phases(&pool, at(2 * DAY)), [Phase::Retiring(first), Phase::Retiring(second), Phase::Active]);
    assert_eq!(phases(&pool, at(3 * DAY)), [Phase::Gone, Phase::Retiring(second), Phase::Active]);
}

#[test]
fn of_two_turns_at_once_the_later_ca_of_the_pool_takes_over() {
    let pool = [signing_window(None), signing_window(Some(0)), signing_window(Some(0))];
    let phases = phases(&pool, at(0));
    assert!(matches!(phases[..], [Phase::Retiring(_), Phase::Retiring(_), Phase::Active]), "{phases:?}");
}

#[test]
fn a_ca_that_expires_while_it_retires_stays_until_clocks_that_lag_agree() {
    let pool = [SigningWindow { not_after: at(DAY), ..signing_window(None) }, signing_window(Some(0))];
    assert_eq!(last_leaf_ends(&pool, 0), Some(at(DAY)));
    assert_eq!(phases(&pool, at(DAY + QUARTER - 1))[0], Phase::Retiring(at(DAY + QUARTER)));
    assert_eq!(phases(&pool, at(DAY + QUARTER))[0], Phase::Gone);
}

#[test]
fn a_turn_has_to_come_while_the_ca_before_can_sign_or_as_soon_as_pods_can_know_it() {
    let ending =
        |end: i64| [SigningWindow { not_after: at(end), ..signing_window(None) }, signing_window(None)];
    let soonest = at(QUARTER + 60);
    assert_eq!(latest_activation(&ending(DAY), at(0)), at(DAY - HOUR));
    assert_eq!(latest_activation(&ending(HOUR + QUARTER), at(0)), soonest);
    assert_eq!(latest_activation(&ending(-DAY), at(0)), soonest);
    let rotated = [signing_window(None), SigningWindow { not_after: at(9 * DAY), ..signing_window(Some(0)) }];
    assert_eq!(latest_activation(&rotated, at(0)), at(9 * DAY - HOUR));
    assert_eq!((latest(&rotated, at(-1)), latest(&rotated, at(0))), (Some(0), Some(1)));
    assert_eq!(latest(&[signing_window(Some(1))], at(0)), None);
}

#[test]
fn an_expired_ca_without_a_successor_is_gone() {
    let expired = SigningWindow { not_after: at(0), ..signing_window(None) };
    assert_eq!(phases(&[expired], at(0)), [Phase::Active]);
    assert_eq!(phases(&[expired], at(1)), [Phase::Gone]);
}

#[test]
fn a_ca_without_a_recorded_limit_stays_for_the_longest_that_the_api_allows() {
    let pool = [SigningWindow { max_leaf_lifetime: None, ..signing_window(None) }, signing_window(Some(0))];
    assert_eq!(removable_at(&pool, 0), Some(at(92 * DAY + QUARTER)));
    assert_eq!(removable_at(&pool, 1), None);
}

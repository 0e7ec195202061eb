use proptest::prelude::*;

use super::{super::RootPublication, *};

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

fn phases(cas: &[Recorded], now: i64) -> Vec<Phase> {
    Schedule::of(cas.to_vec()).phases(at(now))
}

#[test]
fn without_times_the_first_signs_and_the_others_follow_when_it_has_expired() {
    let pool = [Recorded { not_after: at(DAY), ..ca() }, ca()];
    let retiring = Phase::Retiring(at(DAY + QUARTER));
    for (now, first, second) in [
        (0, Phase::Active, Phase::Prepared(None)),
        (23 * HOUR, retiring, Phase::Active),
        (DAY + QUARTER, Phase::Removable, Phase::Active),
    ] {
        assert_eq!(phases(&pool, now), [first, second], "{now}");
    }
    assert_eq!(Schedule::of(pool.to_vec()).waiting(at(0)), None, "nobody has decided on it");
}

#[test]
fn one_that_ends_before_those_in_front_of_it_never_signs() {
    let pool = [ca(), Recorded { not_after: at(DAY), ..ca() }];
    assert_eq!(phases(&pool, 0), [Phase::Active, Phase::Prepared(None)]);
    assert_eq!(Schedule::of(pool.to_vec()).last(), Some(0));
}

#[test]
fn a_successor_is_trusted_then_active_and_its_predecessor_retires_then_goes() {
    let pool = [until(HOUR, ca()), ca()];
    let gone = HOUR + 2 * DAY + QUARTER;
    for (now, first, second) in [
        (0, Phase::Active, Phase::Prepared(Some(at(HOUR)))),
        (HOUR, Phase::Retiring(at(gone)), Phase::Active),
        (gone - 1, Phase::Retiring(at(gone)), Phase::Active),
        (gone, Phase::Removable, Phase::Active),
    ] {
        assert_eq!(phases(&pool, now), [first, second], "{now}");
    }
    let schedule = Schedule::of(pool.to_vec());
    assert_eq!((schedule.waiting(at(HOUR - 1)), schedule.waiting(at(HOUR))), (Some((1, at(HOUR))), None));
}

#[test]
fn each_phase_has_a_next_step_but_the_last() {
    let pool = [until(HOUR, ca()), ca()];
    let next = |index: usize, now| Schedule::of(pool.to_vec()).windows()[index].next_step(at(now));
    let gone = HOUR + 2 * DAY + QUARTER;
    assert_eq!(next(0, 0), Some((NextStep::Retire, at(HOUR))));
    assert_eq!(next(1, 0), Some((NextStep::Activate, at(HOUR))));
    assert_eq!(next(0, HOUR), Some((NextStep::Remove, at(gone))));
    assert_eq!(next(1, HOUR), Some((NextStep::Expire, ca().not_after)));
    assert_eq!(next(0, gone), None);
    let undecided = [ca(), ca()];
    assert_eq!(Schedule::of(undecided.to_vec()).windows()[1].next_step(at(0)), None);
}

#[test]
fn one_that_is_only_trusted_may_have_signed_before_times_were_kept_so_it_retires_too() {
    let pool = [until(0, ca()), until(0, ca()), ca()];
    let removable = at(2 * DAY + QUARTER);
    assert_eq!(phases(&pool, -1)[..2], [Phase::Active, Phase::Prepared(None)]);
    assert_eq!(phases(&pool, 0)[..2], [Phase::Retiring(removable), Phase::Retiring(removable)]);
}

#[test]
fn three_generations_retire_one_after_the_other() {
    let pool = [until(HOUR, ca()), until(DAY, ca()), ca()];
    let (first, second) = (at(HOUR + 2 * DAY + QUARTER), at(3 * DAY + QUARTER));
    assert_eq!(phases(&pool, 2 * DAY), [Phase::Retiring(first), Phase::Retiring(second), Phase::Active]);
    assert_eq!(phases(&pool, 3 * DAY), [Phase::Removable, Phase::Retiring(second), Phase::Active]);
}

#[test]
fn of_two_turns_at_once_the_later_ca_of_the_pool_takes_over() {
    let pool = [until(0, ca()), until(0, ca()), ca()];
    let phases = phases(&pool, 0);
    assert!(matches!(phases[..], [Phase::Retiring(_), Phase::Retiring(_), Phase::Active]), "{phases:?}");
}

#[test]
fn a_ca_that_expires_while_it_retires_stays_until_clocks_that_lag_agree() {
    let pool = [until(0, Recorded { not_after: at(DAY), ..ca() }), ca()];
    assert_eq!(Schedule::of(pool.to_vec()).windows()[0].last_leaf_ends(), Some(at(DAY)));
    assert_eq!(phases(&pool, DAY + QUARTER - 1)[0], Phase::Retiring(at(DAY + QUARTER)));
    assert_eq!(phases(&pool, DAY + QUARTER)[0], Phase::Removable);
}

#[test]
fn a_successor_takes_over_no_later_than_the_ca_before_it_can_sign() {
    let pool = [until(30 * DAY, Recorded { not_after: at(DAY), ..ca() }), ca()];
    assert_eq!(Schedule::of(pool.to_vec()).windows()[1].from, Some(at(23 * HOUR)));
}

#[test]
fn a_ca_that_nobody_follows_goes_on_whatever_was_decided() {
    let expired = Recorded { not_after: at(-1), ..ca() };
    for others in [vec![], vec![expired]] {
        let pool = [vec![until(0, ca())], others].concat();
        assert_eq!(phases(&pool, DAY)[0], Phase::Active);
        assert_eq!(Schedule::of(pool).windows()[0].trusted_until, None);
    }
}

#[test]
fn a_turn_has_to_come_while_the_ca_before_can_sign_or_as_soon_as_pods_can_know_it() {
    let ending = |end: i64| Schedule::of(vec![Recorded { not_after: at(end), ..ca() }]);
    let soonest = at(QUARTER + 60);
    assert_eq!(ending(DAY).latest_activation(at(0)), at(DAY - HOUR));
    assert_eq!(ending(HOUR + QUARTER).latest_activation(at(0)), soonest);
    assert_eq!(ending(-DAY).latest_activation(at(0)), soonest);
    let rotated = Schedule::of(vec![until(0, ca()), Recorded { not_after: at(9 * DAY), ..ca() }]);
    assert_eq!(rotated.latest_activation(at(0)), at(9 * DAY - HOUR));
    assert_eq!((rotated.active(at(-1)), rotated.active(at(0))), (Some(0), Some(1)));
    assert_eq!(Schedule::of(vec![Recorded { signs_from: Some(at(1)), ..ca() }]).active(at(0)), None);
}

#[test]
fn an_expired_ca_without_a_successor_is_gone() {
    let expired = Recorded { not_after: at(0), ..ca() };
    assert_eq!(phases(&[expired], 0), [Phase::Active]);
    assert_eq!(phases(&[expired], 1), [Phase::Removable]);
}

#[test]
fn a_ca_without_a_recorded_limit_stays_for_the_longest_that_the_api_allows() {
    let schedule = Schedule::of(vec![until(0, Recorded { max_leaf_lifetime: None, ..ca() }), ca()]);
    assert_eq!(schedule.windows()[0].trusted_until, Some(at(92 * DAY + QUARTER)));
    assert_eq!(schedule.windows()[1].trusted_until, None);
}

/// CAs that begin and end around now, with decisions of whatever clock.
fn pools() -> impl Strategy<Value = Vec<Recorded>> {
    let recorded = (-20..20_i64, 1..40_i64, prop::option::of(-20..40_i64), 1..72_u64).prop_map(
        |(begins, lasts, signs_until, leaf)| {
            let ca = Recorded {
                signs_from: None,
                retirement: None,
                max_leaf_lifetime: Some(Duration::from_secs(leaf * 3600)),
                not_before: at(begins * DAY),
                not_after: at((begins + lasts) * DAY),
            };
            signs_until.map_or(ca, |day| until(day * DAY + HOUR, ca))
        },
    );
    let first = prop::option::of(-20..20_i64);
    (prop::collection::vec(recorded, 1..5), first).prop_map(|(mut pool, signs_from)| {
        pool[0].signs_from = signs_from.map(|day| at(day * DAY));
        pool
    })
}

proptest! {
    #[test]
    fn windows_follow_each_other_and_one_ca_is_active_at_a_time(pool in pools(), now in -30 * DAY..60 * DAY) {
        let schedule = Schedule::of(pool);
        let mut end = Timestamp::MIN;
        for window in schedule.windows().iter().filter(|window| window.from.is_some()) {
            prop_assert!(end <= window.from.unwrap() && window.from.unwrap() < window.until);
            end = window.until;
        }
        let active = schedule.phases(at(now)).into_iter().filter(|phase| *phase == Phase::Active);
        prop_assert!(active.count() <= 1);
    }

    #[test]
    fn where_pods_know_all_roots_the_ca_that_the_schedule_shows_is_the_one_that_signs(
        pool in pools(),
        now in -30 * DAY..60 * DAY,
    ) {
        let schedule = Schedule::of(pool);
        let signs = schedule.signing_ca(at(now), |_| RootPublication::Since(Timestamp::UNIX_EPOCH));
        let active = schedule.active(at(now)).map(|active| (active, schedule.windows()[active]));
        if let Some((active, window)) = active
            && window.not_before <= at(now)
            && at(now) < window.until
        {
            let has_time = window.last_leaf_ends().is_none_or(|end| later(at(now), SHORTEST_LEAF) <= end);
            prop_assert_eq!(signs.ok().map(|choice| choice.index == active), Some(true).filter(|_| has_time));
        }
    }
}

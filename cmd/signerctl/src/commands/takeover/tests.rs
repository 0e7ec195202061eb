use clap::Parser as _;

use super::*;
use crate::commands::golden::{HOUR, ca, hours, now, rotated};

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    takeover: TakeoverArguments,
}

fn rotation_plan(pool: &CaPool, arguments: &[&str]) -> Result<RotationPlan, Error> {
    let line = Line::parse_from([&["signerctl"], arguments].concat());
    line.takeover.rotation_plan(pool, now())
}

fn without_times() -> CaPool {
    rotated(&[])
}

#[test]
fn the_successor_signs_after_a_quarter_of_an_hour() {
    let rotation_plan = rotation_plan(&without_times(), &[]).unwrap();
    assert_eq!(rotation_plan.signs_from, later(now(), BUNDLE_PROPAGATION));
    assert_eq!((rotation_plan.max_leaf_lifetime, rotation_plan.predecessor_max_leaf_lifetime), (None, None));
}

#[test]
fn where_no_ca_can_sign_any_more_it_signs_at_once() {
    let expired = CaPool::new(vec![ca(1, hours(-24), 20 * HOUR)]).unwrap();
    assert_eq!(rotation_plan(&expired, &[]).unwrap().signs_from, now());
    assert!(rotation_plan(&expired, &["--after", "0s"]).is_ok());
    // not from the next minute on
    let within_a_minute = later(now(), Duration::from_millis(17_300));
    let line = Line::parse_from(["signerctl"]);
    let turn = line.takeover.rotation_plan(&expired, within_a_minute).unwrap().signs_from;
    assert_eq!(turn, later(now(), Duration::from_secs(17)));
}

#[test]
fn less_time_takes_force() {
    let error = rotation_plan(&without_times(), &["--after", "14m59s"]).unwrap_err();
    assert!(error.to_string().starts_with("--after 14m59s is less than 15m"), "{error}");
    let forced = rotation_plan(&without_times(), &["--after", "1m", "--force"]).unwrap();
    assert_eq!(forced.signs_from, later(now(), Duration::from_secs(60)));
}

#[test]
fn lifetimes_are_as_asked_for_or_as_before() {
    let day = Some(24 * HOUR);
    assert_eq!(rotation_plan(&rotated(&[72]), &[]).unwrap().max_leaf_lifetime, day);
    assert_eq!(
        rotation_plan(&rotated(&[72]), &["--max-lifetime", "1h"]).unwrap().max_leaf_lifetime,
        Some(HOUR)
    );
    let told = rotation_plan(&without_times(), &["--predecessor-max-lifetime", "24h"]).unwrap();
    assert_eq!((told.max_leaf_lifetime, told.predecessor_max_leaf_lifetime), (day, day));
}

#[test]
fn a_ca_that_is_not_valid_when_its_turn_comes_is_refused_with_the_way_out() {
    let future = ca(9, hours(2), 100 * HOUR);
    let error = check_validity(&future, later(now(), BUNDLE_PROPAGATION), now()).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "isn't valid before 2026-11-22 11:55Z, and would have to sign earlier; add --after 1h56m"
        ),
        "{error}"
    );
    let past = ca(9, hours(-24), 24 * HOUR);
    let error = check_validity(&past, later(now(), BUNDLE_PROPAGATION), now()).unwrap_err();
    assert!(error.to_string().contains("too early to sign even the shortest certificate"), "{error}");
}

/// A CA that has this many hours left.
fn ending(hours_left: u32) -> CaPool {
    CaPool::new(vec![ca(1, hours(-24), (24 + hours_left) * HOUR)]).unwrap()
}

#[test]
fn a_takeover_that_comes_when_the_ca_before_can_sign_no_more_is_refused_with_the_latest_that_works() {
    let error = rotation_plan(&ending(240), &["--after", "720h"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "--after 720h is too late: CA 1 ends at 2026-12-02 10:00Z (in 10 days), and can't sign any more after 2026-12-02 09:00Z, so that nobody could \
         until the new CA does, at 2026-12-22 10:00Z (in 30 days).\nThe latest that works is --after 239h; leave --after away for the soonest"
    );
    assert!(rotation_plan(&ending(240), &["--after", "239h"]).is_ok());
    assert!(rotation_plan(&ending(240), &["--after", "239h1s"]).is_err());
    for hours_left in [0, 1] {
        assert!(rotation_plan(&ending(hours_left), &["--after", "15m"]).is_ok(), "it can't come sooner");
        assert!(rotation_plan(&ending(hours_left), &["--after", "17m"]).is_err());
    }
}

#[test]
fn the_latest_works_at_any_second_of_a_minute() {
    for (latest, now, minutes) in [("11:00:45", "10:00:30", 59), ("11:00:45", "10:00:00", 60)] {
        let at = |time: &str| format!("2026-11-22T{time}Z").parse::<Timestamp>().unwrap();
        let after = latest_after(at(latest), at(now));
        assert_eq!(after, Duration::from_secs(minutes * 60));
        assert!(next_minute(later(at(now), after)) <= at(latest));
    }
}

#[test]
fn no_after_helps_a_ca_that_is_not_valid_before_the_one_before_it_ends() {
    let future = ca(9, hours(241), 1000 * HOUR);
    let error = check_valid_in_time(&future, &ending(240), now()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("isn't valid before 2026-12-02 10:5") && !error.contains("--after"), "{error}");
    assert!(check_valid_in_time(&ca(9, hours(230), 1000 * HOUR), &ending(240), now()).is_ok());
    assert!(
        error.contains("CA 1 ends at 2026-12-02 10:00Z (in 10 days), and can't sign any more after"),
        "{error}"
    );
}

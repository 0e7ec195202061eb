use super::*;
use crate::commands::golden::{HOUR, ca, hours, now, rotated};

fn checked(asked: i64, server: i64, answered: i64) -> Result<(), String> {
    let at = |seconds| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
    let skew = Skew { asked: at(asked), server: at(server), answered: at(answered) };
    skew.check("context test, server https://a").map_err(|error| error.to_string())
}

#[test]
fn clocks_may_differ_by_minutes_and_answers_may_take_as_long_as_they_like() {
    assert_eq!(checked(0, 300, 0), Ok(()));
    assert_eq!(checked(0, -300, 0), Ok(()));
    assert_eq!(checked(0, 3000, 3600), Ok(()));
}

#[test]
fn more_is_refused_with_both_times_and_the_remedy() {
    let behind = checked(0, 259_200, 1).unwrap_err();
    for expected in
        ["2027-01-15 08:00:01Z", "2027-01-18 08:00:00Z", "3 days behind", "context test", "timedatectl"]
    {
        assert!(behind.contains(expected), "{expected}: {behind}");
    }
    assert!(checked(0, -301, 0).unwrap_err().contains("5 min ahead of"));
}

#[test]
fn a_clock_before_what_a_pool_shows_to_be_past_is_refused() {
    assert!(check_is_after(&rotated(&[3]), "pool.json", hours(-3)).is_ok());
    let error = check_is_after(&rotated(&[3]), "pool.json", hours(-4)).unwrap_err().to_string();
    assert!(error.contains("2026-11-22 06:00:00Z") && error.contains("the pool was changed then"), "{error}");
    let new = CaPool::new(vec![ca(1, now(), 100 * HOUR)]).unwrap();
    assert!(check_is_after(&new, "pool.json", now()).is_ok());
    let error = check_is_after(&new, "pool.json", hours(-1)).unwrap_err().to_string();
    assert!(error.contains("is valid from then on"), "{error}");
    let waiting = CaPool::beginning_with(ca(1, hours(9), 100 * HOUR), Some(hours(10)), None).unwrap();
    assert!(check_is_after(&waiting, "pool.json", now()).is_ok());
}

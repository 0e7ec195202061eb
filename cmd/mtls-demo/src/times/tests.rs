use super::*;

#[test]
fn two_units_are_enough() {
    for (seconds, text) in [
        (0, "0s"),
        (45, "45s"),
        (60, "1m"),
        (61, "1m 1s"),
        (3600, "1h"),
        (3601, "1h"),
        (86_399, "23h 59m"),
        (90_000, "1d 1h"),
    ] {
        assert_eq!(rough(Duration::from_secs(seconds)), text);
    }
}

#[test]
fn times_are_utc_and_said_relative_to_now() {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_324_800);
    assert_eq!(utc(time + Duration::from_millis(400)), "2026-11-22T05:20:00Z");
    assert_eq!(from_now(time, time - Duration::from_secs(90)), "in 1m 30s");
    assert_eq!(from_now(time, time + Duration::from_secs(7200)), "2h ago");
}

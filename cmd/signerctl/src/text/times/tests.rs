use super::*;

#[test]
fn spans_are_short() {
    for (seconds, text) in [
        (5, "5 s"),
        (900, "15 min"),
        (899, "15 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172_799, "48 h"),
        (172_800, "2 days"),
        (315_359_000, "10 years"),
        (31_536_000, "1 year"),
        (31_536_000 + 3 * 86_400, "1y 3d"),
    ] {
        assert_eq!(span(SignedDuration::from_secs(-seconds)), text);
    }
}

#[test]
fn times_are_told_with_their_distance() {
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    assert_eq!(minute_from_now(later(now, Duration::from_secs(900)), now), "2026-11-22 10:15Z (in 15 min)");
    assert_eq!(
        minute_from_now(earlier(now, Duration::from_secs(86_400)), now),
        "2026-11-21 10:00Z (24 h ago)"
    );
    assert_eq!(from_now(now, now), "now");
}

use super::*;

#[test]
fn durations_are_brief() {
    assert_eq!(brief(SignedDuration::from_hours(24)), "24h");
    assert_eq!(brief(SignedDuration::from_secs(3600 + 120)), "1h 2m");
    assert_eq!(brief(SignedDuration::from_secs(45)), "45s");
}

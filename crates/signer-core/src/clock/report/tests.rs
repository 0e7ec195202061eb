use super::*;

#[test]
fn a_clock_that_is_off_is_told_with_direction_and_remedy() {
    let known = Offset::Known(SignedDuration::ZERO);
    for (ahead, expected) in [(600, "10 min ahead of"), (-600, "10 min behind"), (691_200, "8 days ahead of")]
    {
        let Some(Problem::Off(text)) = problem(known, SignedDuration::from_secs(ahead)) else {
            panic!("{ahead}")
        };
        assert!(text.contains(expected) && text.contains("NTP"), "{text}");
    }
    for ahead in [0, 30, -30] {
        assert_eq!(problem(known, SignedDuration::from_secs(ahead)), None);
    }
}

#[test]
fn an_unknown_time_keeps_a_signer_from_serving_and_a_disputed_one_does_not() {
    assert!(matches!(problem(Offset::Unknown, SignedDuration::ZERO), Some(Problem::Unknown(_))));
    let disputed = Offset::Disputed { latest: SignedDuration::ZERO, by: SignedDuration::from_mins(5) };
    let Some(Problem::Off(text)) = problem(disputed, SignedDuration::ZERO) else { panic!() };
    assert!(text.contains("5 min"), "{text}");
}

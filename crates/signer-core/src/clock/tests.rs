use super::*;

fn answer(date: &str) -> HeaderMap {
    HeaderMap::from_iter([(DATE, date.parse().unwrap())])
}

#[test]
fn it_is_set_by_the_date_of_an_answer() {
    let clock = Clock::new();
    assert!(!clock.is_known() && clock.certain().is_none());
    clock.answered(&answer("Sun, 22 Nov 2026 10:00:00 GMT"), clock.sent());
    let server: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let now = clock.certain().unwrap();
    assert!(now.duration_since(server).abs() <= SignedDuration::from_secs(2), "{now}");
    assert!(clock.machine_ahead().abs() > SignedDuration::ZERO);
}

#[test]
fn an_answer_without_a_date_or_with_a_strange_one_tells_nothing() {
    let clock = Clock::new();
    for headers in
        [HeaderMap::new(), answer("yesterday"), answer(""), answer("Mon, 99 Nov 2026 10:00:00 GMT")]
    {
        clock.answered(&headers, clock.sent());
    }
    assert_eq!(clock.offset(), Offset::Unknown);
}

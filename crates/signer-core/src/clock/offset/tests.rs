use proptest::prelude::*;

use super::*;

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + (seconds * 1000.0) as i64).unwrap()
}

fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::from_millis((seconds * 1000.0) as i64)
}

/// An answer of a server whose clock is `ahead`, sent and received at these times on the own clock.
fn answer(offsets: &mut Offsets, ahead: f64, sent: f64, received: f64) {
    let server = at(received + ahead);
    let date = Timestamp::from_second(server.as_second()).unwrap();
    offsets.observe(date, at(sent), at(received));
}

fn known(offsets: &Offsets) -> SignedDuration {
    match offsets.offset() {
        Offset::Known(offset) => offset,
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_an_answer_nothing_is_known() {
    assert_eq!(Offsets::default().offset(), Offset::Unknown);
    assert_eq!(Offset::Unknown.apply(at(5.0)), at(5.0));
}

#[test]
fn answers_narrow_the_offset_down() {
    let mut offsets = Offsets::default();
    answer(&mut offsets, 600.0, 0.0, 10.0);
    assert!((known(&offsets) - seconds(600.0)).abs() <= seconds(6.0), "the first answer was slow");
    for step in 1..20 {
        let now = 10.0 + f64::from(step) * 1.3;
        answer(&mut offsets, 600.0, now, now + 0.01);
    }
    assert!((known(&offsets) - seconds(600.0)).abs() <= seconds(0.2), "{:?}", known(&offsets));
    assert!(offsets.offset().apply(at(50.0)).duration_since(at(650.0)).abs() <= seconds(0.2));
}

#[test]
fn a_clock_that_stood_still_is_made_up_for_at_the_next_answer() {
    let mut offsets = Offsets::default();
    answer(&mut offsets, 0.0, 0.0, 0.1);
    answer(&mut offsets, 3600.0, 5.0, 5.1);
    let Offset::Disputed { latest, by } = offsets.offset() else { panic!("{:?}", offsets.offset()) };
    assert!((latest - seconds(3600.0)).abs() < seconds(1.0) && by > seconds(3500.0));
    answer(&mut offsets, 3600.0, 130.0, 130.1);
    assert!((known(&offsets) - seconds(3600.0)).abs() < seconds(1.0), "what is old doesn't count beside it");
}

#[test]
fn api_servers_that_differ_by_more_than_a_minute_are_in_dispute_and_by_less_are_not() {
    for (ahead, is_disputed) in [(30.0, false), (58.0, false), (70.0, true), (-70.0, true)] {
        let mut offsets = Offsets::default();
        for step in 0..40 {
            let now = f64::from(step) * 1.5;
            answer(&mut offsets, if step % 2 == 0 { 0.0 } else { ahead }, now, now + 0.01);
        }
        assert_eq!(matches!(offsets.offset(), Offset::Disputed { .. }), is_disputed, "{ahead}");
    }
}

#[test]
fn a_burst_of_one_server_does_not_push_out_what_another_one_said() {
    let mut offsets = Offsets::default();
    answer(&mut offsets, 3600.0, 0.0, 0.01);
    for step in 0..10_000 {
        let now = 1.0 + f64::from(step) / 500.0;
        answer(&mut offsets, 0.0, now, now + 0.01);
    }
    assert!(matches!(offsets.offset(), Offset::Disputed { .. }));
    assert!(offsets.answers.len() < 64);
}

#[test]
fn the_last_known_offset_holds_through_an_outage() {
    let mut offsets = Offsets::default();
    answer(&mut offsets, -500.0, 0.0, 0.1);
    assert!(offsets.offset().apply(at(86_400.0)).duration_since(at(85_900.0)).abs() < seconds(1.0));
}

#[test]
fn a_difference_is_told_in_a_unit_that_fits() {
    for (seconds, text) in
        [(31, "31 s"), (600, "10 min"), (3600, "60 min"), (7_200, "2 h"), (691_200, "8 days")]
    {
        assert_eq!(describe(Duration::from_secs(seconds)), text);
    }
}

proptest! {
    #[test]
    fn whatever_dates_come_no_time_overflows(
        dates in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<i64>()), 0..20),
        local in any::<i64>(),
    ) {
        let clamp = |seconds: i64| {
            let (least, most) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
            Timestamp::from_second(seconds.clamp(least, most)).unwrap()
        };
        let mut offsets = Offsets::default();
        for (date, sent, received) in dates {
            offsets.observe(clamp(date), clamp(sent), clamp(received));
            let applied = offsets.offset().apply(clamp(local));
            prop_assert!(applied >= Timestamp::MIN && applied <= Timestamp::MAX);
        }
    }

    #[test]
    fn one_server_s_clock_is_found_to_a_second(
        ahead in -1e8..1e8_f64,
        trips in proptest::collection::vec((0.0..20.0_f64, 0.001..0.4_f64), 1..60),
    ) {
        let (mut offsets, mut now) = (Offsets::default(), 0.0);
        for (pause, trip) in trips {
            now += pause;
            answer(&mut offsets, ahead, now, now + trip);
            now += trip;
        }
        prop_assert!((known(&offsets) - seconds(ahead)).abs() <= seconds(1.0), "{:?}", known(&offsets));
    }
}

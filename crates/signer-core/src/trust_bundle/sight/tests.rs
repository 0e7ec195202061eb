use super::{
    super::desired::tests::{desired, now, pool, resource, signer},
    *,
};

fn bundle() -> ClusterTrustBundle {
    desired(&pool(), &signer()).created(&resource(), now())
}

#[test]
fn what_was_seen_counts_for_minutes_when_neither_watch_nor_read_works_and_then_no_more() {
    let begin = Instant::now();
    let mut sight = Sight::default();
    sight.take(Event::Apply(bundle()));
    assert_eq!(sight.counts_until(), None, "a quiet watch is no news");
    sight.take_read(None, begin);
    sight.take_read(None, begin + COUNTS_FOR / 2);
    assert!(sight.counts(begin + COUNTS_FOR - Duration::from_secs(1)));
    assert!(!sight.counts(begin + COUNTS_FOR), "since the first failure");
    sight.take(Event::Init);
    assert!(!sight.counts(begin + COUNTS_FOR), "a list that begins confirms nothing");
    sight.take(Event::InitApply(bundle()));
    sight.take(Event::InitDone);
    assert!(sight.counts(begin + COUNTS_FOR) && matches!(sight.seen, Seen::Present(_)));
}

#[test]
fn a_read_takes_the_place_of_a_watch_that_fails() {
    let begin = Instant::now();
    let mut sight = Sight::default();
    sight.take_read(None, begin);
    assert!(matches!(sight.seen, Seen::Nothing));
    sight.take_read(Some(Some(bundle())), begin + COUNTS_FOR);
    assert!(sight.counts(begin + COUNTS_FOR * 2) && matches!(sight.seen, Seen::Present(_)));
    sight.take_read(Some(None), begin + COUNTS_FOR);
    assert!(matches!(sight.seen, Seen::Absent));
}

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
    let mut observed = Observed::default();
    observed.take(Event::Apply(bundle()));
    assert_eq!(observed.counts_until(), None, "a quiet watch is no news");
    observed.take_read(None, begin);
    observed.take_read(None, begin + COUNTS_FOR / 2);
    assert!(observed.counts(begin + COUNTS_FOR - Duration::from_secs(1)));
    assert!(!observed.counts(begin + COUNTS_FOR), "since the first failure");
    observed.take(Event::Init);
    assert!(!observed.counts(begin + COUNTS_FOR), "a list that begins confirms nothing");
    observed.take(Event::InitApply(bundle()));
    observed.take(Event::InitDone);
    assert!(observed.counts(begin + COUNTS_FOR) && matches!(observed.seen, Seen::Present(_)));
}

#[test]
fn a_read_takes_the_place_of_a_watch_that_fails() {
    let begin = Instant::now();
    let mut observed = Observed::default();
    observed.take_read(None, begin);
    assert!(matches!(observed.seen, Seen::Nothing));
    observed.take_read(Some(Some(bundle())), begin + COUNTS_FOR);
    assert!(observed.counts(begin + COUNTS_FOR * 2) && matches!(observed.seen, Seen::Present(_)));
    observed.take_read(Some(None), begin + COUNTS_FOR);
    assert!(matches!(observed.seen, Seen::Absent));
}

use super::*;

const MS: Duration = Duration::from_millis(1);

/// Before anybody was known.
const BEFORE: Arrival = Arrival(0);

fn name(host: &str) -> ReplicaName {
    ReplicaName::new(host, [0; 4])
}

/// What `me` knows when it has just heard of the others, and they of it.
fn knows(me: &str, others: &[&str], now: Instant) -> Turns {
    let mut turns = Turns::new(name(me));
    turns.finished("first", &name(me), BEFORE, None, now);
    others.iter().for_each(|other| turns.finished("first", &name(other), BEFORE, None, now));
    turns
}

/// Work of which these replicas have the first turns, in this order.
fn work_of(order: &[&str], all: &[&str]) -> String {
    let is_ordered = |work: &String| {
        let mut ranked = all.to_vec();
        ranked.sort_by_key(|one| std::cmp::Reverse(weight(work, &name(one))));
        ranked.starts_with(order)
    };
    let works = (0..10_000).map(|i| format!("work-{i}")).filter(|work| !is_open(work));
    works.into_iter().find(is_ordered).unwrap()
}

#[test]
fn alone_it_is_always_ones_turn() {
    let now = Instant::now();
    assert_eq!(knows("a", &[], now).turn("work", Arrival::LATEST, now), now);
}

#[test]
fn exactly_one_acts_at_once_and_each_has_its_share() {
    let (all, now) = (["a-1", "a-2", "a-3", "a-4", "a-5"], Instant::now());
    let views = all.map(|me| knows(me, &all, now));
    let mut shares = [0; 5];
    for i in (0..10_000).filter(|i| !is_open(&format!("uid-{i}"))) {
        let mut turns =
            [0, 1, 2, 3, 4].map(|k| (views[k].turn(&format!("uid-{i}"), Arrival::LATEST, now) - now, k));
        turns.sort();
        shares[turns[0].1] += 1;
        let waits = turns.map(|(wait, _)| wait);
        assert_eq!(waits, [0, 1, 2, 3, 4].map(|rank| FIRST_TURNS * rank), "uid-{i}");
    }
    // 2,000 each: eight standard deviations
    assert!(shares.iter().all(|share| (1680..2320).contains(share)), "{shares:?}");
}

#[test]
fn a_peer_that_goes_on_answering_keeps_its_turn_for_a_while() {
    let (now, work) = (Instant::now(), work_of(&["b", "a"], &["a", "b"]));
    let mut turns = knows("a", &["b"], now);
    turns.finished("other", &name("b"), BEFORE, None, now + 900 * MS);
    assert_eq!(turns.turn(&work, Arrival::LATEST, now) - now, 900 * MS + FIRST_TURNS);
    turns.finished("other", &name("b"), BEFORE, None, now + 3600 * 1000 * MS);
    assert_eq!(turns.turn(&work, Arrival::LATEST, now) - now, OVERTAKEN_AFTER + FIRST_TURNS);
}

#[test]
fn a_peer_that_misses_its_turn_is_dropped_and_comes_back_when_it_answers() {
    let (now, all) = (Instant::now(), ["a", "b", "c"]);
    let work = work_of(&["b", "c", "a"], &all);
    let mut turns = knows("a", &["b", "c"], now);
    assert_eq!((turns.turn(&work, Arrival::LATEST, now) - now, turns.live()), (2 * FIRST_TURNS, 3));
    // one who wasn't known when the work came has only tried
    turns.finished(&work, &name("c"), BEFORE, Some(now), now + FIRST_TURNS);
    assert_eq!(turns.live(), 3);
    // one who was knows best whether the others' time has passed
    turns.finished(&work, &name("c"), Arrival::LATEST, Some(now), now);
    assert_eq!((turns.turn(&work, Arrival::LATEST, now) >= now + FIRST_TURNS, turns.live()), (true, 2));
    turns.finished("another", &name("b"), BEFORE, None, now + FIRST_TURNS);
    assert_eq!(turns.live(), 3);
}

/// Views that differ would have each wait for the other.
#[test]
fn all_leave_out_the_same_ones_from_the_same_work_on() {
    let (now, all) = (Instant::now(), ["a", "b", "c"]);
    let work = work_of(&["b", "c", "a"], &all);
    let mut views = all.map(|me| knows(me, &all, now));
    let times = [now, now + FIRST_TURNS / 2, now + 3600 * 1000 * MS];
    for (view, time) in views.iter_mut().zip(times) {
        view.finished(&work, &name("c"), Arrival::LATEST, Some(now), time);
    }
    assert_eq!(views.each_ref().map(|view| view.is_known()), [true, false, true]);
    let known = |view: &Turns| all.map(|one| view.known(&name(one)).is_some());
    assert!(views.iter().all(|view| known(view) == [true, false, true]), "{:?}", views.each_ref().map(known));
}

#[test]
fn all_that_were_dead_are_dropped_at_once() {
    let (now, all) = (Instant::now(), ["a", "b", "c"]);
    let work = work_of(&["b", "c", "a"], &all);
    let mut turns = knows("a", &["b", "c"], now);
    turns.finished(&work, &name("a"), Arrival::LATEST, Some(now), now + 2 * FIRST_TURNS);
    assert_eq!((turns.live(), turns.turn(&work, Arrival::LATEST, now)), (1, now));
}

#[test]
fn a_turn_lasts_as_long_as_work_takes() {
    let (now, all) = (Instant::now(), ["a", "b"]);
    let (ours, theirs) = (work_of(&["a"], &all), work_of(&["b"], &all));
    for (each, turn) in [(3, SHORTEST_TURN), (50, 200 * MS), (600, LONGEST_TURN)] {
        let mut turns = knows("a", &["b"], now);
        for _ in 0..200 {
            turns.finished(&ours, &name("a"), Arrival::LATEST, Some(now), now + each * MS);
            turns.finished(&theirs, &name("b"), Arrival::LATEST, Some(now), now + each * MS);
        }
        let last = now + each * MS;
        assert_eq!(turns.turn(&theirs, Arrival::LATEST, last) - last, turn, "{each}");
        // what one of a hundred takes doesn't count
        turns.finished(&ours, &name("a"), Arrival::LATEST, Some(now), now + 5000 * MS);
        assert_eq!(turns.turn(&theirs, Arrival::LATEST, last) - last, turn, "{each}");
        // nor what was done by a replica whose turn it wasn't
        for _ in 0..200 {
            turns.finished(&theirs, &name("a"), BEFORE, Some(now), now + each * MS);
        }
        assert_eq!(turns.turn(&theirs, Arrival::LATEST, last) - last, turn, "{each}");
    }
}

#[test]
fn peers_are_bounded_and_who_answered_longest_ago_goes() {
    let now = Instant::now();
    let mut turns = knows("a", &[], now);
    for i in 0..100_u32 {
        turns.finished("work", &name(&format!("b-{i}")), BEFORE, None, now + MS * i);
    }
    assert_eq!(turns.live(), 1 + MOST_PEERS);
    assert!(turns.peers.iter().all(|peer| peer.answered >= now + 68 * MS));
}

#[test]
fn one_that_knows_nobody_takes_on_little_at_once() {
    let now = Instant::now();
    let mut turns = Turns::new(name("a"));
    assert_eq!((turns.concurrency_limit(now), turns.is_known()), (usize::MAX, false));
    turns.begun(now);
    assert_eq!(turns.concurrency_limit(now + ONE_MORE - MS), 1);
    assert_eq!(turns.concurrency_limit(now + ONE_MORE), 2);
    turns.finished("work", &name("a"), BEFORE, None, now);
    assert_eq!((turns.concurrency_limit(now), turns.is_known()), (usize::MAX, true));
}

#[test]
fn one_that_nobody_knows_tries_a_few_times_and_then_does_what_is_open() {
    let (now, all) = (Instant::now(), ["a", "b"]);
    let (own, open) =
        (work_of(&["a"], &all), (0..).map(|i| i.to_string()).find(|work| is_open(work)).unwrap());
    let mut turns = Turns::new(name("a"));
    turns.finished("first", &name("b"), BEFORE, None, now);
    for _ in 0..MOST_TRIES {
        assert_eq!(turns.turn(&own, Arrival::LATEST, now), now);
        turns.begun(now);
    }
    assert!(turns.turn(&own, Arrival(7), now) >= now + FIRST_TURNS);
    assert_eq!(turns.turn(&open, Arrival(7), now), now);
    turns.finished(&open, &name("a"), Arrival(7), Some(now), now);
    assert_eq!((turns.is_known(), turns.turn(&own, Arrival::LATEST, now)), (true, now));
    // who is known leaves it to others for a moment
    assert!(turns.turn(&open, Arrival::LATEST, now) >= now + SHORTEST_OPEN);
}

#[test]
fn one_whose_work_another_has_done_knows_that_it_is_not_counted_on() {
    let (now, all) = (Instant::now(), ["a", "b"]);
    let (ours, theirs) = (work_of(&["a"], &all), work_of(&["b"], &all));
    let mut turns = knows("a", &["b"], now);
    turns.finished(&theirs, &name("b"), Arrival::LATEST, Some(now), now);
    // one that nobody knows may be faster
    turns.finished(&ours, &name("c"), Arrival::LATEST, Some(now), now);
    assert!(turns.is_known());
    turns.finished(&ours, &name("b"), Arrival::LATEST, Some(now), now);
    assert!(!turns.is_known());
}

#[test]
fn all_agree_who_shares_work_that_came_while_a_replica_became_known() {
    let (now, all) = (Instant::now(), ["a", "b", "c"]);
    let first = |turns: [Instant; 3]| {
        let mut acting = (0..3).filter(|replica| turns[*replica] == now);
        assert_eq!(acting.clone().count(), 1, "{turns:?}");
        acting.next()
    };
    let mut views = all.map(|me| Turns::new(name(me)));
    let early = views.each_mut().map(Turns::arrived);
    for other in ["a", "b"] {
        views.iter_mut().for_each(|view| view.finished("first", &name(other), BEFORE, None, now));
    }
    // what came before any of them was known is the first one's
    let known = [0, 1].map(|i| views[i].turn("work", early[i], now));
    assert_eq!(first([known[0], known[1], known[1]]), Some(0));
    let works = [&["a"][..], &["b"], &["c", "a"], &["c", "b"]].map(|order| work_of(order, &all));
    let before = views.each_mut().map(Turns::arrived);
    views.iter_mut().for_each(|view| view.finished("won", &name("c"), BEFORE, None, now));
    let after = views.each_mut().map(Turns::arrived);
    let turns = |work: &str, arrivals: [Arrival; 3]| {
        [0, 1, 2].map(|replica| views[replica].turn(work, arrivals[replica], now))
    };
    let acts = |arrivals| works.each_ref().map(|work| first(turns(work, arrivals)));
    assert_eq!(acts(before), [Some(0), Some(1), Some(0), Some(1)]);
    assert_eq!(acts(after), [Some(0), Some(1), Some(2), Some(2)]);
}

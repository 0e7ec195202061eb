use super::*;

const MS: Duration = Duration::from_millis(1);

fn name(host: &str) -> ReplicaName {
    ReplicaName::new(host, [0; 4])
}

/// What `me` knows when it has just heard of the others.
fn knows(me: &str, others: &[&str], now: Instant) -> Turns {
    let mut turns = Turns::new(name(me));
    others.iter().for_each(|other| turns.finished("first", &name(other), None, now));
    turns
}

/// Work of which these replicas have the first turns, in this order.
fn work_of(order: &[&str], all: &[&str]) -> String {
    let is_ordered = |work: &String| {
        let mut ranked: Vec<_> = all.iter().copied().collect();
        ranked.sort_by_key(|one| std::cmp::Reverse(weight(work, &name(one))));
        ranked.starts_with(order)
    };
    (0..10_000).map(|i| format!("work-{i}")).find(is_ordered).unwrap()
}

#[test]
fn alone_it_is_always_ones_turn() {
    let now = Instant::now();
    assert_eq!(knows("a", &[], now).turn("work", now, now), now);
}

#[test]
fn exactly_one_acts_at_once_and_each_has_its_share() {
    let (all, now) = (["a-1", "a-2", "a-3", "a-4", "a-5"], Instant::now());
    let views = all.map(|me| knows(me, &all, now));
    let mut shares = [0; 5];
    for i in 0..10_000 {
        let mut turns = [0, 1, 2, 3, 4].map(|k| (views[k].turn(&format!("uid-{i}"), now, now) - now, k));
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
    turns.finished("other", &name("b"), None, now + 900 * MS);
    assert_eq!(turns.turn(&work, now, now) - now, 900 * MS + FIRST_TURNS);
    turns.finished("other", &name("b"), None, now + 3600 * 1000 * MS);
    assert_eq!(turns.turn(&work, now, now) - now, OVERTAKEN_AFTER + FIRST_TURNS);
}

#[test]
fn a_peer_that_misses_its_turn_is_dropped_and_comes_back_when_it_answers() {
    let (now, all) = (Instant::now(), ["a", "b", "c"]);
    let work = work_of(&["b", "c", "a"], &all);
    let mut turns = knows("a", &["b", "c"], now);
    assert_eq!((turns.turn(&work, now, now) - now, turns.live()), (2 * FIRST_TURNS, 3));
    // one who was faster than it may have to be has done so out of turn: that tells nothing of the others
    turns.finished(&work, &name("c"), Some(now), now + FIRST_TURNS - MS);
    assert_eq!(turns.live(), 3);
    turns.finished(&work, &name("c"), Some(now), now + FIRST_TURNS);
    assert_eq!((turns.turn(&work, now, now) >= now + FIRST_TURNS, turns.live()), (true, 2));
    turns.finished("another", &name("b"), None, now + FIRST_TURNS);
    assert_eq!(turns.live(), 3);
}

#[test]
fn all_that_were_dead_are_dropped_at_once() {
    let (now, all) = (Instant::now(), ["a", "b", "c"]);
    let work = work_of(&["b", "c", "a"], &all);
    let mut turns = knows("a", &["b", "c"], now);
    turns.finished(&work, &name("a"), Some(now), now + 2 * FIRST_TURNS);
    assert_eq!((turns.live(), turns.turn(&work, now, now)), (1, now));
}

#[test]
fn what_was_never_looked_at_here_tells_nothing_of_the_dead() {
    let (now, all) = (Instant::now(), ["a", "b", "c"]);
    let mut turns = knows("a", &["b", "c"], now);
    turns.finished(&work_of(&["b", "c", "a"], &all), &name("c"), None, now + 3600 * 1000 * MS);
    assert_eq!(turns.live(), 3);
}

#[test]
fn a_turn_lasts_as_long_as_work_takes() {
    let (now, all) = (Instant::now(), ["a", "b"]);
    let (ours, theirs) = (work_of(&["a"], &all), work_of(&["b"], &all));
    for (each, turn) in [(3, SHORTEST_TURN), (50, 200 * MS), (600, LONGEST_TURN)] {
        let mut turns = knows("a", &["b"], now);
        for _ in 0..200 {
            turns.finished(&ours, &name("a"), Some(now), now + each * MS);
            turns.finished(&theirs, &name("b"), Some(now), now + each * MS);
        }
        let last = now + each * MS;
        assert_eq!(turns.turn(&theirs, last, last) - last, turn, "{each}");
        // what one of a hundred takes doesn't count
        turns.finished(&ours, &name("a"), Some(now), now + 5000 * MS);
        assert_eq!(turns.turn(&theirs, last, last) - last, turn, "{each}");
        // nor what was done by a replica whose turn it wasn't
        for _ in 0..200 {
            turns.finished(&theirs, &name("a"), Some(now), now + each * MS);
        }
        assert_eq!(turns.turn(&theirs, last, last) - last, turn, "{each}");
    }
}

#[test]
fn who_loses_again_and_again_leaves_work_to_the_others_for_longer_and_longer() {
    let now = Instant::now();
    let work = work_of(&["a", "b"], &["a", "b"]);
    let mut turns = knows("a", &["b"], now);
    (1..MOST_LOSSES).for_each(|_| turns.lost(now));
    assert_eq!(turns.turn(&work, now, now), now);
    // many at once count as one
    (0..64).for_each(|_| turns.lost(now));
    assert_eq!(turns.turn(&work, now, now), now + FIRST_TURNS);
    let after = now + SHORTEST_YIELD;
    assert_eq!(turns.turn(&work, after, after), after);
    turns.lost(after);
    let later = after + SHORTEST_YIELD;
    assert!(turns.turn(&work, later, later) > later);
    turns.finished("other", &name("a"), None, later);
    assert_eq!(turns.turn(&work, later, later), later);
    (0..1000_u32).for_each(|i| turns.lost(later + LONGEST_YIELD * i));
    let end = later + LONGEST_YIELD * 1000;
    assert_eq!(turns.turn(&work, end, end), end);
}

#[test]
fn peers_are_bounded_and_who_answered_longest_ago_goes() {
    let now = Instant::now();
    let mut turns = knows("a", &[], now);
    for i in 0..100_u32 {
        turns.finished("work", &name(&format!("b-{i}")), None, now + MS * i);
    }
    assert_eq!(turns.live(), 1 + MOST_PEERS);
    assert!(turns.peers.iter().all(|peer| peer.answered >= now + 68 * MS));
}

#[test]
fn one_that_starts_takes_little_until_the_others_know_it() {
    let now = Instant::now();
    let mut turns = knows("a", &["b"], now);
    assert_eq!(turns.most_at_once(now), AT_ONCE_AT_FIRST);
    turns.finished("work", &name("b"), None, now);
    assert_eq!(turns.most_at_once(now), AT_ONCE_AT_FIRST);
    let mut known = knows("a", &["a"], now);
    assert_eq!(known.most_at_once(now), usize::MAX);
    assert_eq!(turns.most_at_once(now + LONGEST_PROBATION), usize::MAX);
}

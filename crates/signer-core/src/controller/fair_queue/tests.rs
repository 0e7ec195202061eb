use proptest::prelude::*;

use super::*;

const SLOTS: usize = 8;
const SHARE: usize = 2;

fn key(namespace: &str, name: impl ToString) -> RequestKey {
    RequestKey { namespace: namespace.into(), name: name.to_string() }
}

fn queue() -> FairQueue {
    FairQueue::new(SLOTS, SHARE)
}

fn add_many(queue: &mut FairQueue, namespace: &str, count: usize, urgency: Urgency, now: Instant) {
    (0..count).for_each(|i| queue.add(&key(namespace, i), urgency, now));
}

fn start_all(queue: &mut FairQueue, now: Instant) -> Vec<RequestKey> {
    std::iter::from_fn(|| queue.start(Order::OldestFirst, now)).collect()
}

fn of_namespace(keys: &[RequestKey], namespace: &str) -> usize {
    keys.iter().filter(|key| key.namespace == namespace).count()
}

#[test]
fn first_come_is_first_served_within_a_namespace() {
    let (mut queue, now) = (queue(), Instant::now());
    add_many(&mut queue, "a", 6, Urgency::FirstCertificate, now);
    let order: Vec<_> = (0..6)
        .map(|_| {
            let key = queue.start(Order::OldestFirst, now).unwrap();
            queue.finish(&key, None, now);
            key.name
        })
        .collect();
    assert_eq!(order, ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn refreshes_that_wait_for_a_slot_of_their_namespace_are_counted_without_end() {
    let (mut queue, now) = (queue(), Instant::now());
    add_many(&mut queue, "a", 100, Urgency::Refresh, now);
    (0..SLOTS / 2).for_each(|_| drop(queue.start(Order::OldestFirst, now).unwrap()));
    assert_eq!(queue.start(Order::OldestFirst, now), None, "half of the slots are left to others");
    for i in 0..600 {
        queue.add(&key("b", i), Urgency::FirstCertificate, now);
        let started = queue.start(Order::OldestFirst, now).unwrap();
        assert_eq!(started, key("b", i));
        queue.finish(&started, None, now);
        queue.forget(&started);
    }
}

#[test]
fn namespaces_take_turns() {
    let (mut queue, now) = (queue(), Instant::now());
    add_many(&mut queue, "a", 100, Urgency::FirstCertificate, now);
    add_many(&mut queue, "b", 2, Urgency::FirstCertificate, now);
    let order: Vec<_> = (0..4)
        .map(|_| {
            let key = queue.start(Order::OldestFirst, now).unwrap();
            queue.finish(&key, None, now);
            key.namespace
        })
        .collect();
    assert_eq!(order, ["a", "b", "a", "b"]);
}

#[test]
fn a_namespace_alone_leaves_slots_to_those_who_come_anew() {
    let (mut queue, now) = (queue(), Instant::now());
    add_many(&mut queue, "a", 100, Urgency::FirstCertificate, now);
    assert_eq!(start_all(&mut queue, now).len(), SLOTS / 2);
    queue.add(&key("b", "x"), Urgency::Refresh, now);
    assert_eq!(queue.start(Order::OldestFirst, now), Some(key("b", "x")), "it must not wait for a slot");
}

#[test]
fn while_others_wait_a_namespace_gets_its_share_alone() {
    let (mut queue, now) = (queue(), Instant::now());
    for namespace in ["a", "b", "c"] {
        add_many(&mut queue, namespace, 100, Urgency::FirstCertificate, now);
    }
    let started = start_all(&mut queue, now);
    for namespace in ["a", "b", "c"] {
        assert_eq!(of_namespace(&started, namespace), SHARE);
    }
    // a slot that gets free goes to who holds less than a share
    queue.finish(started.iter().find(|key| key.namespace == "b").unwrap(), None, now);
    assert_eq!(queue.start(Order::OldestFirst, now).unwrap().namespace, "b");
}

#[test]
fn first_certificates_come_before_refreshes_that_still_come() {
    let (mut queue, now) = (queue(), Instant::now());
    add_many(&mut queue, "refreshing", 2, Urgency::Refresh, now);
    add_many(&mut queue, "starting", 100, Urgency::FirstCertificate, now);
    let order: Vec<_> = (0..8)
        .map(|_| {
            let key = queue.start(Order::OldestFirst, now).unwrap();
            queue.finish(&key, None, now);
            key.namespace
        })
        .collect();
    let (s, r) = ("starting", "refreshing");
    assert_eq!(order, [s, s, s, r, s, s, s, r]);
}

#[test]
fn what_is_woken_while_it_runs_runs_once_more() {
    let (mut queue, now) = (queue(), Instant::now());
    queue.add(&key("a", "x"), Urgency::FirstCertificate, now);
    let x = queue.start(Order::OldestFirst, now).unwrap();
    queue.wake(&x, now);
    queue.add(&x, Urgency::FirstCertificate, now);
    assert_eq!(queue.start(Order::OldestFirst, now), None, "never twice at once");
    queue.finish(&x, Some(Duration::from_secs(60)), now);
    assert_eq!(queue.start(Order::OldestFirst, now), Some(x.clone()));
    queue.finish(&x, None, now);
    assert_eq!((queue.start(Order::OldestFirst, now), queue.next_due()), (None, None));
}

#[test]
fn a_retry_comes_when_it_is_due_and_a_change_makes_it_come_at_once() {
    let (mut queue, now) = (queue(), Instant::now());
    let retry = Duration::from_secs(10);
    queue.add(&key("a", "x"), Urgency::FirstCertificate, now);
    let x = queue.start(Order::OldestFirst, now).unwrap();
    queue.finish(&x, Some(retry), now);
    assert_eq!((queue.start(Order::OldestFirst, now), queue.next_due()), (None, Some(now + retry)));
    assert_eq!(queue.start(Order::OldestFirst, now + retry), Some(x.clone()));
    queue.finish(&x, Some(retry), now + retry);
    queue.wake(&x, now + retry);
    assert_eq!(queue.start(Order::OldestFirst, now + retry), Some(x));
}

/// Ten changes a second for a minute cost a handful of evaluations; after a quiet time a change counts at
/// once again.
#[test]
fn a_flood_of_changes_costs_few_evaluations() {
    let (mut queue, begin) = (queue(), Instant::now());
    let x = key("a", "x");
    queue.add(&x, Urgency::FirstCertificate, begin);
    let mut evaluated = 0;
    for tenth in 0..600 {
        let now = begin + Duration::from_millis(100) * tenth;
        queue.wake(&x, now);
        for key in start_all(&mut queue, now) {
            evaluated += 1;
            queue.finish(&key, None, now);
        }
    }
    assert!((4..=11).contains(&evaluated), "{evaluated} evaluations in a minute");
    let later = begin + Duration::from_secs(300);
    start_all(&mut queue, later).iter().for_each(|key| queue.finish(key, None, later));
    queue.wake(&x, later + QUIET);
    assert_eq!(queue.start(Order::OldestFirst, later + QUIET), Some(x));
}

#[test]
fn what_is_gone_is_not_evaluated_and_gives_its_slot_back() {
    let (mut queue, now) = (queue(), Instant::now());
    add_many(&mut queue, "a", 3, Urgency::FirstCertificate, now);
    let running = queue.start(Order::OldestFirst, now).unwrap();
    (0..3).for_each(|i| queue.forget(&key("a", i)));
    assert_eq!((queue.start(Order::OldestFirst, now), queue.running()), (None, 1));
    // another request of the same name waits until the slot is free
    queue.add(&running, Urgency::FirstCertificate, now);
    assert_eq!(queue.start(Order::OldestFirst, now), None);
    queue.finish(&running, Some(Duration::from_secs(60)), now);
    assert_eq!(queue.start(Order::OldestFirst, now), Some(running.clone()));
    queue.forget(&running);
    queue.finish(&running, None, now);
    assert!(queue.entries.is_empty() && queue.running.is_empty() && queue.delayed.is_empty());
    assert!(queue.first.turns.is_empty() && queue.first.namespaces.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, u8, bool),
    Wake(u8, u8),
    Forget(u8, u8),
    Start,
    Finish(prop::sample::Index, Option<u16>),
    Pass(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_u8, 0..6_u8, any::<bool>()).prop_map(|(namespace, name, first)| Step::Add(namespace, name, first)),
        2 => (0..4_u8, 0..6_u8).prop_map(|(namespace, name)| Step::Wake(namespace, name)),
        1 => (0..4_u8, 0..6_u8).prop_map(|(namespace, name)| Step::Forget(namespace, name)),
        4 => Just(Step::Start),
        3 => (any::<prop::sample::Index>(), prop::option::of(0..2_000_u16)).prop_map(|(index, retry)| Step::Finish(index, retry)),
        1 => (0..1_000_u16).prop_map(Step::Pass),
    ]
}

proptest! {
    /// Whatever happens: no request runs twice at once, bounds hold, and each that is due is evaluated in the
    /// end.
    #[test]
    fn no_request_is_lost_and_bounds_hold(steps in prop::collection::vec(step(), 1..200)) {
        let (mut queue, mut now) = (queue(), Instant::now());
        let mut running: Vec<RequestKey> = Vec::new();
        let mut due: std::collections::HashSet<RequestKey> = Default::default();
        let mut known: std::collections::HashSet<RequestKey> = Default::default();
        let of = |namespace: u8, name: u8| key(&format!("n{namespace}"), name);
        for step in steps {
            match step {
                Step::Add(namespace, name, first) => {
                    let urgency = if first { Urgency::FirstCertificate } else { Urgency::Refresh };
                    queue.add(&of(namespace, name), urgency, now);
                    known.insert(of(namespace, name));
                    due.insert(of(namespace, name));
                }
                Step::Wake(namespace, name) => {
                    queue.wake(&of(namespace, name), now);
                    if known.contains(&of(namespace, name)) {
                        due.insert(of(namespace, name));
                    }
                }
                Step::Forget(namespace, name) => {
                    queue.forget(&of(namespace, name));
                    known.remove(&of(namespace, name));
                    due.remove(&of(namespace, name));
                }
                Step::Start => {
                    let Some(key) = queue.start(Order::OldestFirst, now) else { continue };
                    prop_assert!(!running.contains(&key), "twice at once");
                    prop_assert!(known.contains(&key), "it is gone");
                    due.remove(&key);
                    running.push(key.clone());
                    let free = SLOTS - running.len();
                    prop_assert!(of_namespace(&running, &key.namespace) <= free + 1, "{running:?}");
                }
                Step::Finish(index, retry) => {
                    if running.is_empty() {
                        continue;
                    }
                    let key = running.swap_remove(index.index(running.len()));
                    let retry = retry.map(|millis| Duration::from_millis(millis.into()));
                    if retry.is_some() && known.contains(&key) {
                        due.insert(key.clone());
                    }
                    queue.finish(&key, retry, now);
                }
                Step::Pass(millis) => now += Duration::from_millis(millis.into()),
            }
            prop_assert_eq!(queue.running(), running.len());
        }
        for _ in 0..1_000 {
            running.drain(..).for_each(|key| queue.finish(&key, None, now));
            now = queue.next_due().unwrap_or(now);
            running = start_all(&mut queue, now);
            for key in &running {
                due.remove(key);
            }
        }
        prop_assert!(due.is_empty(), "lost: {due:?}");
        prop_assert!(running.is_empty() && queue.running.is_empty());
    }

    /// However many requests others have ready, and however they are finished, a namespace gets a slot after
    /// few others.
    #[test]
    fn no_namespace_starves(
        others in prop::collection::vec(1..200_usize, 1..4), is_refresh: bool, finished in prop::collection::vec(any::<prop::sample::Index>(), 100),
    ) {
        let (mut queue, now) = (queue(), Instant::now());
        for (i, count) in others.iter().enumerate() {
            add_many(&mut queue, &format!("n{i}"), *count, Urgency::FirstCertificate, now);
        }
        let mut running = start_all(&mut queue, now);
        let urgency = if is_refresh { Urgency::Refresh } else { Urgency::FirstCertificate };
        queue.add(&key("victim", "x"), urgency, now);
        let mut before = 0;
        for index in finished {
            let started = start_all(&mut queue, now);
            if let Some(position) = started.iter().position(|key| key.namespace == "victim") {
                before += position;
                break;
            }
            before += started.len();
            running.extend(started);
            let done = running.swap_remove(index.index(running.len()));
            queue.finish(&done, Some(Duration::ZERO), now);
        }
        prop_assert!(before <= SLOTS, "{before} were evaluated first");
    }
}

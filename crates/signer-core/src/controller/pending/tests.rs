use super::*;

const UID: &str = "1";

fn key(name: &str) -> RequestKey {
    RequestKey { namespace: "shop".into(), name: name.into() }
}

fn services() -> WakeKey {
    WakeKey::Services("shop".into())
}

fn with(names: &[&str]) -> Pending {
    let me = ReplicaName::new("a", [0; 4]);
    let pending = Pending::new(QueueMetrics::default(), Replicas::alone(me.clone()));
    // the others know it
    pending.arrive(&key("first"), UID);
    pending.finished_by(&key("first"), UID, &me);
    pending.forget(&key("first"));
    for name in names {
        pending.arrive(&key(name), UID);
        pending.enqueue(&key(name), Urgency::FirstCertificate);
    }
    pending
}

/// Has the next request evaluated: it waits for this then.
fn evaluate(pending: &Pending, waits_for: &[WakeKey]) {
    let key = pending.start().unwrap();
    assert!(pending.begin(&key, UID, vec![]).is_some());
    pending.settle(&key, waits_for.to_vec());
    pending.release(&key, None);
}

#[test]
fn a_change_wakes_who_waits_for_it_and_nobody_else() {
    let pending = with(&["a", "b"]);
    evaluate(&pending, &[services()]);
    evaluate(&pending, &[WakeKey::Authority]);
    pending.wake(&services());
    assert_eq!((pending.start(), pending.start()), (Some(key("a")), None));
}

#[test]
fn a_change_between_evaluation_and_verdict_is_not_lost() {
    let pending = with(&["a"]);
    let a = pending.start().unwrap();
    assert!(pending.begin(&a, UID, vec![services(), WakeKey::Authority]).is_some());
    pending.wake(&services());
    pending.settle(&a, vec![services()]);
    pending.release(&a, None);
    assert_eq!(pending.start(), Some(a));
}

#[test]
fn a_change_between_verdict_and_release_is_not_lost() {
    let pending = with(&["a"]);
    let a = pending.start().unwrap();
    assert!(pending.begin(&a, UID, vec![services()]).is_some());
    pending.settle(&a, vec![services()]);
    pending.wake(&services());
    pending.release(&a, Some(Duration::from_secs(60)));
    assert_eq!(pending.start(), Some(a));
}

#[test]
fn one_change_wakes_once() {
    let pending = with(&["a"]);
    evaluate(&pending, &[services()]);
    pending.wake(&services());
    pending.wake(&services());
    evaluate(&pending, &[]);
    assert_eq!(pending.start(), None);
}

#[test]
fn changes_that_were_missed_wake_who_waits_for_their_kind() {
    let pending = with(&["a", "b", "c"]);
    for waits_for in [services(), WakeKey::Services("other".into()), WakeKey::Authority] {
        evaluate(&pending, &[waits_for]);
    }
    pending.wake_all(|key| matches!(key, WakeKey::Services(_)));
    let woken = [pending.start(), pending.start()].map(|key| key.unwrap().name);
    assert!(woken.contains(&"a".to_owned()) && woken.contains(&"b".to_owned()), "{woken:?}");
    assert_eq!(pending.start(), None);
}

#[test]
fn what_is_finished_is_not_begun_again_and_leaves_nothing() {
    let pending = with(&["a"]);
    let a = pending.start().unwrap();
    assert!(pending.begin(&a, UID, vec![services()]).is_some());
    pending.finish(&a, UID);
    assert!(pending.begin(&a, UID, vec![services()]).is_none());
    pending.wake(&services());
    pending.enqueue(&a, Urgency::FirstCertificate);
    pending.release(&a, None);
    assert_eq!(pending.start(), None);
    pending.forget(&a);
    assert!(
        pending.begin(&a, UID, vec![services()]).is_none(),
        "what was fetched from the store just before"
    );
    let table = pending.lock();
    assert!(table.entries.is_empty() && table.evaluations.is_empty() && table.waiting.is_empty());
}

#[test]
fn what_a_new_list_lacks_is_dropped() {
    let pending = with(&["a", "b"]);
    evaluate(&pending, &[services()]);
    evaluate(&pending, &[services()]);
    pending.retain(|listed| *listed == key("b"));
    assert_eq!(pending.lock().entries.len(), 1);
    assert_eq!(pending.lock().waiting[&services()].len(), 1);
}

#[test]
fn another_request_of_the_same_name_is_a_new_one() {
    let pending = with(&["a"]);
    let a = pending.start().unwrap();
    assert!(pending.begin(&a, UID, vec![]).is_some());
    pending.arrive(&a, "2");
    pending.enqueue(&a, Urgency::FirstCertificate);
    pending.finish(&a, UID);
    assert_eq!(pending.start(), None, "one at a time");
    pending.release(&a, None);
    assert_eq!(pending.start(), Some(a.clone()));
    assert!(pending.begin(&a, UID, vec![]).is_none(), "the store still showed the old one");
    assert!(pending.begin(&a, "2", vec![]).is_some());
}

#[test]
fn only_what_was_not_finished_before_tells_which_replica_lives() {
    let (pending, other) = (with(&["a"]), ReplicaName::new("b", [0; 4]));
    pending.finished_by(&key("a"), "another UID", &other);
    pending.finished_by(&key("touched or deleted later"), UID, &other);
    assert_eq!(pending.replicas.live(), 1);
    pending.finished_by(&key("a"), UID, &other);
    assert_eq!(pending.replicas.live(), 2);
    assert_eq!(pending.metrics.live_replicas.get(), 2);
}

#[test]
fn what_is_another_replicas_waits_for_its_turn() {
    let (pending, other) = (with(&[]), ReplicaName::new("b", [0; 4]));
    pending.arrive(&key("first"), UID);
    pending.finished_by(&key("first"), UID, &other);
    pending.forget(&key("first"));
    let names: Vec<_> = (0..64).map(|i| format!("r-{i}")).collect();
    for name in &names {
        pending.arrive(&key(name), name);
        pending.enqueue(&key(name), Urgency::FirstCertificate);
    }
    let mut ours = 0;
    while let Some(request) = pending.start() {
        ours += 1;
        pending.release(&request, None);
    }
    assert!((16..48).contains(&ours), "half of 64, and what chance adds: {ours}");
    assert!(pending.next_due().is_some_and(|due| due > Instant::now()));
    assert_eq!(pending.metrics.takeovers.get(), 0);
}

#[test]
fn the_backlog_tells_what_waits_for_how_long_and_why() {
    let pending = with(&["a", "b", "c"]);
    let a = pending.start().unwrap();
    assert!(pending.begin(&a, UID, vec![]).is_some());
    assert!(pending.is_news(&key("b"), "web-0", "WaitingForService", "no Service selects the pod"));
    let backlog = pending.backlog();
    assert_eq!((backlog.queued, backlog.running), (2, 1));
    assert_eq!((backlog.namespaces, backlog.largest_namespace), (1, 2));
    let counts: Vec<_> =
        backlog.by_reason.iter().map(|(reason, (count, _))| (reason.as_str(), *count)).collect();
    assert_eq!(counts, [("WaitingForService", 1), (NO_REASON, 2)]);
    let oldest = pending.oldest(2);
    let told = Some(("WaitingForService".to_owned(), "no Service selects the pod".to_owned()));
    assert_eq!(oldest.iter().map(|one| one.key.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((&oldest[0].pod, oldest[1].pod.as_deref()), (&None, Some("web-0")));
    assert_eq!((&oldest[0].last_event, &oldest[1].last_event), (&None, &told));
    pending.finish(&a, UID);
    assert_eq!(pending.oldest(9).len(), 2, "what is finished doesn't wait");
}

use super::*;

const UID: &str = "1";

fn key(name: &str) -> RequestKey {
    RequestKey { namespace: "shop".into(), name: name.into() }
}

fn with_a() -> (Pending, mpsc::UnboundedReceiver<RequestKey>) {
    let (pending, woken) = Pending::new(Gauge::default());
    pending.arrive(&key("a"), UID);
    (pending, woken)
}

fn services() -> WakeKey {
    WakeKey::Services("shop".into())
}

#[test]
fn a_change_wakes_who_waits_for_it_and_nobody_else() {
    let (pending, mut woken) = Pending::new(Gauge::default());
    for (name, waits_for) in [("a", services()), ("b", WakeKey::Authority)] {
        pending.arrive(&key(name), UID);
        assert!(pending.begin(&key(name), UID, vec![]).is_some());
        pending.settle(&key(name), vec![waits_for]);
    }
    pending.wake(&services());
    assert_eq!(woken.try_recv(), Ok(key("a")));
    assert!(woken.try_recv().is_err());
}

#[test]
fn a_change_between_look_and_verdict_is_not_lost() {
    let (pending, mut woken) = with_a();
    assert!(pending.begin(&key("a"), UID, vec![services(), WakeKey::Authority]).is_some());
    pending.wake(&services());
    pending.settle(&key("a"), vec![services()]);
    assert_eq!(woken.try_recv(), Ok(key("a")));
}

#[test]
fn one_change_wakes_once() {
    let (pending, mut woken) = with_a();
    pending.begin(&key("a"), UID, vec![]);
    pending.settle(&key("a"), vec![services()]);
    pending.wake(&services());
    pending.wake(&services());
    assert!(woken.try_recv().is_ok() && woken.try_recv().is_err());
}

#[test]
fn what_is_finished_is_not_begun_again_and_leaves_nothing() {
    let (pending, mut woken) = with_a();
    assert!(pending.begin(&key("a"), UID, vec![services()]).is_some());
    pending.finish(&key("a"), UID);
    assert!(pending.begin(&key("a"), UID, vec![services()]).is_none());
    pending.wake_all();
    assert!(woken.try_recv().is_err());
    pending.forget(&key("a"));
    assert!(
        pending.begin(&key("a"), UID, vec![services()]).is_none(),
        "what was fetched from the store just before"
    );
    let table = pending.lock();
    assert!(table.entries.is_empty() && table.in_hand.is_empty() && table.waiting.is_empty());
}

#[test]
fn what_a_new_list_lacks_is_dropped() {
    let (pending, _woken) = Pending::new(Gauge::default());
    for name in ["a", "b"] {
        pending.arrive(&key(name), UID);
        pending.begin(&key(name), UID, vec![]);
        pending.settle(&key(name), vec![services()]);
    }
    pending.retain(|listed| *listed == key("b"));
    assert_eq!(pending.lock().entries.len(), 1);
    assert_eq!(pending.lock().waiting[&services()].len(), 1);
}

#[test]
fn the_same_message_is_news_once() {
    let (pending, _woken) = with_a();
    pending.begin(&key("a"), UID, vec![]);
    let say = |message: &str| Announcement { reason: "R".into(), message: message.into() };
    assert!(pending.is_news(&key("a"), say("x")));
    assert!(!pending.is_news(&key("a"), say("x")));
    assert!(pending.is_news(&key("a"), say("y")));
}

#[test]
fn another_request_of_the_same_name_is_a_new_one() {
    let (pending, _woken) = with_a();
    assert!(pending.begin(&key("a"), UID, vec![]).is_some());
    pending.settle(&key("a"), vec![services()]);
    assert!(pending.begin(&key("a"), UID, vec![]).is_some());
    pending.arrive(&key("a"), "2");
    pending.finish(&key("a"), UID);
    assert!(pending.begin(&key("a"), UID, vec![]).is_none(), "the store still showed the old one");
    assert!(pending.begin(&key("a"), "2", vec![]).is_some());
}

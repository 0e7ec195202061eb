//! The requests that aren't finished: which are in hand, what the others wait for, and who wakes them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::mpsc;

use crate::cluster::pod_cache::PodKey;

/// Names a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RequestKey {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Something that a request can wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum WakeKey {
    /// A change of a Service in this namespace.
    Services(String),
    /// A change of this pod.
    Pod(PodKey),
    /// A change of the CA pool.
    Authority,
}

/// The requests that aren't finished. An entry lives from when the watch shows a request until it reports it finished or deleted.
pub(crate) struct Pending {
    table: Mutex<Table>,
    wake: mpsc::UnboundedSender<RequestKey>,
}

#[derive(Default)]
struct Table {
    entries: HashMap<RequestKey, Entry>,
    /// As many as are worked on at once, so few that a walk through them costs nothing.
    in_hand: HashMap<RequestKey, Vec<WakeKey>>,
    waiting: HashMap<WakeKey, HashSet<RequestKey>>,
}

#[derive(Default)]
struct Entry {
    is_finished: bool,
    waits_for: Vec<WakeKey>,
    announced: Option<Announcement>,
}

/// What the pod's author was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Pending {
    /// Nothing pending; keys of requests that are woken go to the receiver.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<RequestKey>) {
        let (wake, woken) = mpsc::unbounded_channel();
        (Self { table: Mutex::default(), wake }, woken)
    }

    /// Notes a request that the watch shows.
    pub(crate) fn arrive(&self, key: &RequestKey) {
        self.lock().entries.entry(key.clone()).or_default();
    }

    /// Takes a request in hand. Until [`settle`](Self::settle), each change that it might turn out to wait for wakes it, so that no change between
    /// look and verdict is lost. False: it is finished already. Either the watch hasn't told so yet, or it has done so after the request was fetched from the store.
    pub(crate) fn begin(&self, key: &RequestKey, could_wait_for: Vec<WakeKey>) -> bool {
        let mut table = self.lock();
        let Some(entry) = table.entries.get_mut(key).filter(|entry| !entry.is_finished) else { return false };
        let waits_for = std::mem::take(&mut entry.waits_for);
        table.forget_waiting(key, waits_for);
        table.in_hand.insert(key.clone(), could_wait_for);
        true
    }

    /// Lays a request down until one of these changes, or a retry comes.
    pub(crate) fn settle(&self, key: &RequestKey, waits_for: Vec<WakeKey>) {
        let mut table = self.lock();
        table.in_hand.remove(key);
        let Some(entry) = table.entries.get_mut(key) else { return };
        entry.waits_for.clone_from(&waits_for);
        for wake_key in waits_for {
            table.waiting.entry(wake_key).or_default().insert(key.clone());
        }
    }

    /// Notes that its outcome is written.
    pub(crate) fn finish(&self, key: &RequestKey) {
        let mut table = self.lock();
        table.in_hand.remove(key);
        if let Some(entry) = table.entries.get_mut(key) {
            entry.is_finished = true;
        }
    }

    /// Drops what the watch reports finished or deleted.
    pub(crate) fn forget(&self, key: &RequestKey) {
        let mut table = self.lock();
        if let Some(entry) = table.entries.remove(key) {
            table.forget_waiting(key, entry.waits_for);
        }
    }

    /// Drops all that a new list doesn't hold.
    pub(crate) fn retain(&self, listed: &HashSet<RequestKey>) {
        let gone: Vec<_> = self.lock().entries.keys().filter(|key| !listed.contains(key)).cloned().collect();
        gone.iter().for_each(|key| self.forget(key));
    }

    /// Whether this is news; it counts as told from now on.
    pub(crate) fn is_news(&self, key: &RequestKey, announcement: Announcement) -> bool {
        let mut table = self.lock();
        let Some(entry) = table.entries.get_mut(key) else { return true };
        let is_news = entry.announced.as_ref() != Some(&announcement);
        entry.announced = Some(announcement);
        is_news
    }

    /// Wakes the requests that wait for this, and those in hand that might.
    pub(crate) fn wake(&self, changed: &WakeKey) {
        let mut table = self.lock();
        let waiting = table.waiting.get(changed).into_iter().flatten();
        let in_hand = table.in_hand.iter().filter(|(_, keys)| keys.contains(changed)).map(|(key, _)| key);
        let woken: HashSet<_> = waiting.chain(in_hand).cloned().collect();
        table.send(&self.wake, woken);
    }

    /// Wakes all: changes were missed.
    pub(crate) fn wake_all(&self) {
        let mut table = self.lock();
        let woken = table
            .entries
            .iter()
            .filter(|(_, entry)| !entry.is_finished)
            .map(|(key, _)| key.clone())
            .collect();
        table.send(&self.wake, woken);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn forget_waiting(&mut self, key: &RequestKey, waits_for: Vec<WakeKey>) {
        for wake_key in waits_for {
            let Some(keys) = self.waiting.get_mut(&wake_key) else { continue };
            keys.remove(key);
            if keys.is_empty() {
                self.waiting.remove(&wake_key);
            }
        }
    }

    fn send(&mut self, wake: &mpsc::UnboundedSender<RequestKey>, woken: HashSet<RequestKey>) {
        for key in woken {
            let waits_for = self.entries.get_mut(&key).map(|entry| std::mem::take(&mut entry.waits_for));
            self.forget_waiting(&key, waits_for.unwrap_or_default());
            // nobody receives: the controller is ending
            let _ = wake.send(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> RequestKey {
        RequestKey { namespace: "shop".into(), name: name.into() }
    }

    fn with_a() -> (Pending, mpsc::UnboundedReceiver<RequestKey>) {
        let (pending, woken) = Pending::new();
        pending.arrive(&key("a"));
        (pending, woken)
    }

    fn services() -> WakeKey {
        WakeKey::Services("shop".into())
    }

    #[test]
    fn a_change_wakes_who_waits_for_it_and_nobody_else() {
        let (pending, mut woken) = Pending::new();
        for (name, waits_for) in [("a", services()), ("b", WakeKey::Authority)] {
            pending.arrive(&key(name));
            assert!(pending.begin(&key(name), vec![]));
            pending.settle(&key(name), vec![waits_for]);
        }
        pending.wake(&services());
        assert_eq!(woken.try_recv(), Ok(key("a")));
        assert!(woken.try_recv().is_err());
    }

    #[test]
    fn a_change_between_look_and_verdict_is_not_lost() {
        let (pending, mut woken) = with_a();
        assert!(pending.begin(&key("a"), vec![services(), WakeKey::Authority]));
        pending.wake(&services());
        pending.settle(&key("a"), vec![services()]);
        assert_eq!(woken.try_recv(), Ok(key("a")));
    }

    #[test]
    fn one_change_wakes_once() {
        let (pending, mut woken) = with_a();
        pending.begin(&key("a"), vec![]);
        pending.settle(&key("a"), vec![services()]);
        pending.wake(&services());
        pending.wake(&services());
        assert!(woken.try_recv().is_ok() && woken.try_recv().is_err());
    }

    #[test]
    fn what_is_finished_is_not_begun_again_and_leaves_nothing() {
        let (pending, mut woken) = with_a();
        assert!(pending.begin(&key("a"), vec![services()]));
        pending.finish(&key("a"));
        assert!(!pending.begin(&key("a"), vec![services()]));
        pending.wake_all();
        assert!(woken.try_recv().is_err());
        pending.forget(&key("a"));
        assert!(!pending.begin(&key("a"), vec![services()]), "what was fetched from the store just before");
        let table = pending.lock();
        assert!(table.entries.is_empty() && table.in_hand.is_empty() && table.waiting.is_empty());
    }

    #[test]
    fn what_a_new_list_lacks_is_dropped() {
        let (pending, _woken) = Pending::new();
        for name in ["a", "b"] {
            pending.arrive(&key(name));
            pending.begin(&key(name), vec![]);
            pending.settle(&key(name), vec![services()]);
        }
        pending.retain(&HashSet::from([key("b")]));
        assert_eq!(pending.lock().entries.len(), 1);
        assert_eq!(pending.lock().waiting[&services()].len(), 1);
    }

    #[test]
    fn the_same_message_is_news_once() {
        let (pending, _woken) = with_a();
        pending.begin(&key("a"), vec![]);
        let say = |message: &str| Announcement { reason: "R".into(), message: message.into() };
        assert!(pending.is_news(&key("a"), say("x")));
        assert!(!pending.is_news(&key("a"), say("x")));
        assert!(pending.is_news(&key("a"), say("y")));
    }
}

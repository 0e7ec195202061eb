//! The requests that aren't finished: which are in hand, what the others wait for, and who wakes them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use prometheus_client::metrics::gauge::Gauge;
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
    unfinished: Gauge,
}

#[derive(Default)]
struct Table {
    entries: HashMap<RequestKey, Entry>,
    /// As many as are worked on at once, so few that a walk through them costs nothing.
    in_hand: HashMap<RequestKey, Vec<WakeKey>>,
    waiting: HashMap<WakeKey, HashSet<RequestKey>>,
}

/// A request of this UID: another one may come by the same name.
struct Entry {
    uid: String,
    arrived: Instant,
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
    /// Nothing pending; keys of requests that are woken go to the receiver. The gauge shows how many there are.
    pub(crate) fn new(unfinished: Gauge) -> (Self, mpsc::UnboundedReceiver<RequestKey>) {
        let (wake, woken) = mpsc::unbounded_channel();
        unfinished.set(0);
        (Self { table: Mutex::default(), wake, unfinished }, woken)
    }

    /// Notes a request that the watch shows.
    pub(crate) fn arrive(&self, key: &RequestKey, uid: &str) {
        let mut table = self.lock();
        if table.entries.get(key).is_some_and(|entry| entry.uid == uid) {
            return;
        }
        let entry = Entry {
            uid: uid.to_owned(),
            arrived: Instant::now(),
            is_finished: false,
            waits_for: vec![],
            announced: None,
        };
        if let Some(before) = table.entries.insert(key.clone(), entry) {
            table.forget_waiting(key, before.waits_for);
        }
        self.count(&table);
    }

    /// Takes a request in hand. Until [`settle`](Self::settle), each change that it might turn out to wait for wakes it, so that no change between
    /// look and verdict is lost. Returns when it arrived. Nothing: it is finished already. Either the watch hasn't told so yet, or it has done so after the request was
    /// fetched from the store.
    pub(crate) fn begin(&self, key: &RequestKey, uid: &str, could_wait_for: Vec<WakeKey>) -> Option<Instant> {
        let mut table = self.lock();
        let entry = table.entries.get_mut(key).filter(|entry| !entry.is_finished && entry.uid == uid)?;
        let arrived = entry.arrived;
        let waits_for = std::mem::take(&mut entry.waits_for);
        table.forget_waiting(key, waits_for);
        table.in_hand.insert(key.clone(), could_wait_for);
        Some(arrived)
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
    pub(crate) fn finish(&self, key: &RequestKey, uid: &str) {
        let mut table = self.lock();
        table.in_hand.remove(key);
        if let Some(entry) = table.entries.get_mut(key).filter(|entry| entry.uid == uid) {
            entry.is_finished = true;
        }
    }

    /// Drops what the watch reports finished or deleted.
    pub(crate) fn forget(&self, key: &RequestKey) {
        let mut table = self.lock();
        if let Some(entry) = table.entries.remove(key) {
            table.forget_waiting(key, entry.waits_for);
        }
        self.count(&table);
    }

    /// Drops all that a new list doesn't hold.
    pub(crate) fn retain(&self, is_listed: impl Fn(&RequestKey) -> bool) {
        let gone: Vec<_> = self.lock().entries.keys().filter(|key| !is_listed(key)).cloned().collect();
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

    fn count(&self, table: &Table) {
        self.unfinished.set(table.entries.len().try_into().unwrap_or(i64::MAX));
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
#[path = "pending_tests.rs"]
mod tests;

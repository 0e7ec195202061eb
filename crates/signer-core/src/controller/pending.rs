//! The requests that aren't finished: which are being evaluated, what the others wait for, and what is
//! evaluated next.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{
    announced::Announced,
    failures::{Failures, Problem},
    fair_queue::{FairQueue, Order, Urgency},
};
use crate::{
    cluster::pod_cache::PodKey,
    metrics::QueueMetrics,
    replicas::{Arrival, ReplicaName, Replicas},
};

/// Evaluations at once. More than the API server answers at once gains nothing.
pub(crate) const SLOTS: usize = 32;
/// The slots of one namespace while others wait.
const SHARE: usize = SLOTS / 4;

/// Names a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// A change of the deny rules.
    DenyRules,
    /// The signer knows something new.
    Signer,
}

/// The requests that aren't finished. An entry lives from when the watch shows a request until it reports it
/// finished or deleted.
pub(crate) struct Pending {
    table: Mutex<Table>,
    changed: Notify,
    metrics: QueueMetrics,
    replicas: Replicas,
}

struct Table {
    entries: HashMap<RequestKey, Entry>,
    queue: FairQueue,
    /// As many as there are slots, so few that a walk through them costs nothing.
    evaluations: HashMap<RequestKey, Evaluation>,
    waiting: HashMap<WakeKey, HashSet<RequestKey>>,
    failures: Failures,
}

/// How much there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// Requests that are due and wait for a slot.
    pub(crate) queued: usize,
    /// Requests that are being evaluated.
    pub(crate) running: usize,
    /// Namespaces that have requests in the queue, and the most of one of them.
    pub(crate) namespaces: usize,
    pub(crate) largest_namespace: usize,
    /// How many have no outcome, and for how long the oldest has waited, by the reason of the last event;
    /// [`NO_REASON`] for those without one.
    pub(crate) by_reason: BTreeMap<String, (usize, Duration)>,
}

/// A request without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitingRequest {
    pub(crate) key: RequestKey,
    /// For how long it has been seen to wait.
    pub(crate) age: Duration,
    /// Its pod's name, if it had an event.
    pub(crate) pod: Option<String>,
    /// Reason and message of its last event.
    pub(crate) last_event: Option<(String, String)>,
}

/// Stands for the reason where there was no event yet: the request is due in a moment.
pub(crate) const NO_REASON: &str = "none";

/// A request that is being evaluated.
struct Evaluation {
    since: Instant,
    could_wait_for: Vec<WakeKey>,
}

/// A request of this UID: another one may come by the same name.
struct Entry {
    uid: String,
    arrived: Instant,
    arrival: Arrival,
    /// Since when it has been due, whoever's turn it is.
    due_since: Option<Instant>,
    is_finished: bool,
    waits_for: Vec<WakeKey>,
    announced: Announced,
    /// Its pod's name, once something was announced.
    pod: Option<String>,
}

impl Pending {
    /// Nothing pending. The replicas share what comes.
    pub(crate) fn new(metrics: QueueMetrics, replicas: Replicas) -> Self {
        metrics.unfinished.set(0);
        metrics.live_replicas.set(1);
        let table = Table {
            entries: HashMap::new(),
            queue: FairQueue::new(SLOTS, SHARE),
            evaluations: HashMap::new(),
            waiting: HashMap::new(),
            failures: Failures::default(),
        };
        Self { table: Mutex::new(table), changed: Notify::new(), metrics, replicas }
    }

    /// Notes a request that the watch shows.
    pub(crate) fn arrive(&self, key: &RequestKey, uid: &str) {
        let mut table = self.lock();
        if table.entries.get(key).is_some_and(|entry| entry.uid == uid) {
            return;
        }
        let now = Instant::now();
        table.forget(key, now);
        let entry = Entry {
            uid: uid.to_owned(),
            arrived: now,
            arrival: self.replicas.arrived(),
            due_since: None,
            is_finished: false,
            waits_for: vec![],
            announced: Announced::default(),
            pod: None,
        };
        table.entries.insert(key.clone(), entry);
        self.count(&table);
    }

    /// Has a request evaluated that has arrived, or that the watch shows anew.
    pub(crate) fn enqueue(&self, key: &RequestKey, urgency: Urgency) {
        let mut table = self.lock();
        if table.entries.get(key).is_some_and(|entry| !entry.is_finished) {
            table.queue.add(key, urgency, Instant::now());
        }
    }

    /// The next request to evaluate, if one is due, it is this replica's turn, and there is a slot for it.
    /// The slot is given back by [`release`](Self::release).
    pub(crate) fn start(&self) -> Option<RequestKey> {
        let (mut table, now) = (self.lock(), Instant::now());
        // whoever isn't known yet does best to begin with what nobody else will have begun
        let order = if self.replicas.is_known() { Order::OldestFirst } else { Order::NewestFirst };
        while table.queue.running() < self.replicas.concurrency_limit() {
            let key = table.queue.start(order, now)?;
            // without an entry it is finished
            let Some(entry) = table.entries.get_mut(&key) else { return Some(key) };
            let since = *entry.due_since.get_or_insert(now);
            let turn = self.replicas.turn(&entry.uid, entry.arrival, since);
            if turn <= now {
                if turn > since {
                    self.metrics.takeovers.inc();
                }
                self.replicas.begun();
                return Some(key);
            }
            table.queue.finish(&key, Some(turn - now), now);
        }
        None
    }

    /// When the next retry is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.lock().queue.next_due()
    }

    /// Waits until a request may have become due, or a slot free.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Gives a slot back. The request is evaluated again after `retry`, and earlier when it is woken.
    pub(crate) fn release(&self, key: &RequestKey, retry: Option<Duration>) {
        self.lock().queue.finish(key, retry, Instant::now());
        self.changed.notify_one();
    }

    /// Begins an evaluation. Until [`settle`](Self::settle), each change that it might turn out to wait for
    /// wakes it, so that no change between evaluation and verdict is lost. Returns when it arrived. Nothing:
    /// it is finished already. Either the watch hasn't told so yet, or it has done so after the request was
    /// fetched from the store.
    pub(crate) fn begin(&self, key: &RequestKey, uid: &str, could_wait_for: Vec<WakeKey>) -> Option<Instant> {
        let mut table = self.lock();
        let entry = table.entries.get_mut(key).filter(|entry| !entry.is_finished && entry.uid == uid)?;
        let arrived = entry.arrived;
        let waits_for = std::mem::take(&mut entry.waits_for);
        table.forget_waiting(key, waits_for);
        table.evaluations.insert(key.clone(), Evaluation { since: Instant::now(), could_wait_for });
        Some(arrived)
    }

    /// Lays a request down until one of these changes, or a retry comes.
    pub(crate) fn settle(&self, key: &RequestKey, waits_for: Vec<WakeKey>) {
        let mut table = self.lock();
        table.failures.evaluated(key);
        table.settle(key, waits_for);
    }

    /// The same for a request whose evaluation failed. Returns when it arrived and whether it has failed for
    /// so long that its author must hear of it; nothing if it is gone.
    pub(crate) fn fail(
        &self,
        key: &RequestKey,
        waits_for: Vec<WakeKey>,
        cause: String,
        began: Instant,
    ) -> Option<(Instant, bool)> {
        let mut table = self.lock();
        let arrived = table.settle(key, waits_for)?;
        Some((arrived, table.failures.failed(key, cause, began, Instant::now())))
    }

    /// What keeps requests from being finished, if anything does.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let table = self.lock();
        let running: Vec<_> =
            table.evaluations.iter().map(|(key, evaluation)| (key.clone(), evaluation.since)).collect();
        table.failures.problem(&running, Instant::now())
    }

    /// Notes that its outcome is written.
    pub(crate) fn finish(&self, key: &RequestKey, uid: &str) {
        let mut table = self.lock();
        table.evaluations.remove(key);
        table.failures.succeeded(key, Instant::now());
        if let Some(entry) = table.entries.get_mut(key).filter(|entry| entry.uid == uid) {
            entry.is_finished = true;
        }
    }

    /// How much there is to do.
    pub(crate) fn backlog(&self) -> Backlog {
        let (table, now) = (self.lock(), Instant::now());
        let queued = table.queue.queued();
        let mut by_reason = BTreeMap::<String, (usize, Duration)>::new();
        for entry in table.entries.values().filter(|entry| !entry.is_finished) {
            let reason = entry.announced.last().map_or(NO_REASON, |(reason, _)| reason);
            let age = now.saturating_duration_since(entry.arrived);
            match by_reason.get_mut(reason) {
                Some((count, oldest)) => (*count, *oldest) = (*count + 1, (*oldest).max(age)),
                None => drop(by_reason.insert(reason.to_owned(), (1, age))),
            }
        }
        Backlog {
            queued: queued.values().sum(),
            running: table.queue.running(),
            namespaces: queued.len(),
            largest_namespace: queued.values().copied().max().unwrap_or_default(),
            by_reason,
        }
    }

    /// So many of the requests without an outcome, those first that have waited for the longest time.
    pub(crate) fn oldest(&self, most: usize) -> Vec<WaitingRequest> {
        let (table, now) = (self.lock(), Instant::now());
        let unfinished = table.entries.iter().filter(|(_, entry)| !entry.is_finished);
        let mut oldest: Vec<_> = unfinished.collect();
        oldest.sort_by_key(|(key, entry)| (entry.arrived, *key));
        let waiting = oldest.into_iter().take(most).map(|(key, entry)| WaitingRequest {
            key: key.clone(),
            pod: entry.pod.clone(),
            age: now.saturating_duration_since(entry.arrived),
            last_event: entry
                .announced
                .last()
                .map(|(reason, message)| (reason.to_owned(), message.to_owned())),
        });
        waiting.collect()
    }

    /// Learns which replica finished a request that wasn't finished before. Later events, of a change or a
    /// deletion, don't show that a replica is alive.
    pub(crate) fn finished_by(&self, key: &RequestKey, uid: &str, replica: &ReplicaName) {
        let (arrival, due_since) = {
            let table = self.lock();
            let Some(entry) = table.entries.get(key).filter(|entry| entry.uid == uid) else { return };
            (entry.arrival, entry.due_since)
        };
        self.replicas.finished(uid, replica, arrival, due_since);
        self.metrics.live_replicas.set(self.replicas.live().try_into().unwrap_or(i64::MAX));
    }

    /// Drops what the watch reports finished or deleted.
    pub(crate) fn forget(&self, key: &RequestKey) {
        let mut table = self.lock();
        table.forget(key, Instant::now());
        self.count(&table);
    }

    /// Drops all that a new list doesn't hold.
    pub(crate) fn retain(&self, is_listed: impl Fn(&RequestKey) -> bool) {
        let mut table = self.lock();
        let gone: Vec<_> = table.entries.keys().filter(|key| !is_listed(key)).cloned().collect();
        let now = Instant::now();
        gone.iter().for_each(|key| table.forget(key, now));
        self.count(&table);
    }

    /// Whether this is news to the request's author; it counts as announced from now on.
    pub(crate) fn is_news(&self, key: &RequestKey, pod: &str, reason: &str, message: &str) -> bool {
        let mut table = self.lock();
        let Some(entry) = table.entries.get_mut(key) else { return false };
        entry.pod.get_or_insert_with(|| pod.to_owned());
        entry.announced.is_news(reason, message, Instant::now())
    }

    /// Wakes the requests that wait for this, and those being evaluated that might.
    pub(crate) fn wake(&self, changed: &WakeKey) {
        self.lock().wake(changed);
        self.changed.notify_one();
    }

    /// Wakes all that wait for something of this kind: changes were missed.
    pub(crate) fn wake_all(&self, is_of_kind: fn(&WakeKey) -> bool) {
        let mut table = self.lock();
        let running = table.evaluations.values().flat_map(|evaluation| &evaluation.could_wait_for);
        let missed: HashSet<_> =
            table.waiting.keys().chain(running).filter(|key| is_of_kind(key)).cloned().collect();
        missed.iter().for_each(|key| table.wake(key));
        self.changed.notify_one();
    }

    fn count(&self, table: &Table) {
        self.metrics.unfinished.set(table.entries.len().try_into().unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn forget(&mut self, key: &RequestKey, now: Instant) {
        if let Some(entry) = self.entries.remove(key) {
            self.forget_waiting(key, entry.waits_for);
        }
        self.queue.forget(key);
        self.failures.gone(key, now);
    }

    /// Returns when it arrived, if it is still there.
    fn settle(&mut self, key: &RequestKey, waits_for: Vec<WakeKey>) -> Option<Instant> {
        self.evaluations.remove(key);
        let entry = self.entries.get_mut(key)?;
        let arrived = entry.arrived;
        entry.due_since = None;
        entry.waits_for.clone_from(&waits_for);
        for wake_key in waits_for {
            self.waiting.entry(wake_key).or_default().insert(key.clone());
        }
        Some(arrived)
    }

    fn forget_waiting(&mut self, key: &RequestKey, waits_for: Vec<WakeKey>) {
        for wake_key in waits_for {
            let Some(keys) = self.waiting.get_mut(&wake_key) else { continue };
            keys.remove(key);
            if keys.is_empty() {
                self.waiting.remove(&wake_key);
            }
        }
    }

    /// A request that is woken waits for nothing any more, so that further changes cost nothing until it has
    /// been evaluated.
    fn wake(&mut self, changed: &WakeKey) {
        let now = Instant::now();
        for key in self.waiting.remove(changed).into_iter().flatten() {
            let waits_for = self.entries.get_mut(&key).map(|entry| std::mem::take(&mut entry.waits_for));
            self.forget_waiting(&key, waits_for.unwrap_or_default());
            self.queue.wake(&key, now);
        }
        for (key, evaluation) in &self.evaluations {
            if evaluation.could_wait_for.contains(changed) {
                self.queue.wake(key, now);
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! The order in which requests are evaluated: namespaces in turn, first certificates before refreshes, and no
//! namespace holds all slots.
//!
//! A pure data structure: time comes in as an argument.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::pending::RequestKey;

/// How urgent a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Its pod can't start without it.
    FirstCertificate,
    /// Its pod has a certificate that is valid for hours.
    Refresh,
}

/// Which of a namespace's requests comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// First come is first served.
    OldestFirst,
    /// Last come is first served.
    NewestFirst,
}

/// Requests, and which of them is evaluated next.
///
/// Within a namespace and an urgency, they are served in the order in which they came; namespaces take turns.
/// A namespace that
/// holds its `share` of the slots gets no further one while others that hold less have something to do. It
/// never holds more slots than are left for all others, so a namespace that comes anew gets one at once.
#[derive(Debug)]
pub(crate) struct FairQueue {
    slots: usize,
    share: usize,
    entries: HashMap<RequestKey, Entry>,
    first: Lane,
    refresh: Lane,
    /// First certificates since the last refresh while a refresh is ready.
    firsts_in_a_row: u8,
    delayed: BTreeSet<(Instant, RequestKey)>,
    /// Slots in use, by namespace.
    running: HashMap<String, usize>,
    /// Numbers positions in the lanes.
    next_position: u64,
}

#[derive(Debug)]
struct Entry {
    urgency: Urgency,
    state: State,
    wakes: Wakes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is due.
    Idle,
    /// In its lane, at this position.
    Ready(u64),
    /// Due at this time.
    Delayed(Instant),
    /// In a slot. `is_woken`: something changed since; `is_forgotten`: it is gone, and only its slot is left.
    Running { is_woken: bool, is_forgotten: bool },
}

/// How often a request was woken lately.
#[derive(Clone, Copy, Debug, Default)]
struct Wakes {
    count: u32,
    last: Option<Instant>,
}

/// The ready requests of one urgency.
#[derive(Debug, Default)]
struct Lane {
    namespaces: HashMap<String, ReadyRequests>,
    /// The namespaces that have ready requests, in turn.
    turns: BTreeMap<u64, String>,
}

#[derive(Debug, Default)]
struct ReadyRequests {
    turn: u64,
    requests: BTreeMap<u64, RequestKey>,
}

/// After so many first certificates a refresh that is ready has its turn: it isn't urgent, but it must not
/// wait for ever.
const FIRSTS_PER_REFRESH: u8 = 3;

/// The pause between the first two evaluations that changes cause; each further one doubles it.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
/// The longest of these pauses: it bounds what somebody can cause who changes things all the time.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A request that no change has woken for so long is woken at once again.
const QUIET: Duration = Duration::from_secs(30);

impl FairQueue {
    /// An empty queue for so many evaluations at once.
    pub(crate) fn new(slots: usize, share: usize) -> Self {
        Self {
            slots,
            share,
            entries: HashMap::new(),
            first: Lane::default(),
            refresh: Lane::default(),
            firsts_in_a_row: 0,
            delayed: BTreeSet::new(),
            running: HashMap::new(),
            next_position: 0,
        }
    }

    /// Adds a request that is due now, or wakes it if it is there.
    pub(crate) fn add(&mut self, key: &RequestKey, urgency: Urgency, now: Instant) {
        match self.entries.get_mut(key) {
            Some(Entry { state: State::Running { is_woken, is_forgotten }, wakes, .. }) if *is_forgotten => {
                (*is_woken, *is_forgotten, *wakes) = (true, false, Wakes::default());
            }
            Some(entry) => {
                if !matches!(entry.state, State::Ready(_)) {
                    entry.urgency = urgency;
                }
                self.wake(key, now);
            }
            None => {
                let entry = Entry { urgency, state: State::Idle, wakes: Wakes::default() };
                self.entries.insert(key.clone(), entry);
                self.make_ready(key);
            }
        }
    }

    /// Something changed that the request waits for. It is evaluated at once, or after a pause if changes
    /// have woken it again and again.
    pub(crate) fn wake(&mut self, key: &RequestKey, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let due = entry.wakes.due(now);
        match &mut entry.state {
            State::Ready(_) => {}
            State::Running { is_woken, .. } => *is_woken = true,
            State::Delayed(until) if *until <= due => {}
            State::Idle | State::Delayed(_) => {
                entry.wakes.note(due);
                self.put(key, due, now);
            }
        }
    }

    /// Takes the next request; it holds a slot until [`finish`](Self::finish).
    pub(crate) fn start(&mut self, order: Order, now: Instant) -> Option<RequestKey> {
        self.promote(now);
        let free = self.slots.saturating_sub(self.running());
        if free == 0 {
            return None;
        }
        let refresh_is_due = self.firsts_in_a_row >= FIRSTS_PER_REFRESH && !self.refresh.turns.is_empty();
        let lanes = if refresh_is_due {
            [Urgency::Refresh, Urgency::FirstCertificate]
        } else {
            [Urgency::FirstCertificate, Urgency::Refresh]
        };
        let (urgency, key) = [self.share, self.slots].into_iter().find_map(|most| {
            lanes.into_iter().find_map(|urgency| Some((urgency, self.take(urgency, order, most.min(free))?)))
        })?;
        self.firsts_in_a_row = match urgency {
            Urgency::FirstCertificate if !self.refresh.turns.is_empty() => {
                self.firsts_in_a_row.saturating_add(1)
            }
            Urgency::FirstCertificate | Urgency::Refresh => 0,
        };
        *self.running.entry(key.namespace.clone()).or_default() += 1;
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.state = State::Running { is_woken: false, is_forgotten: false };
        }
        Some(key)
    }

    /// Gives the slot back. The request comes again after `retry`, or at once if something changed meanwhile.
    pub(crate) fn finish(&mut self, key: &RequestKey, retry: Option<Duration>, now: Instant) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let State::Running { is_woken, is_forgotten } = entry.state else { return };
        entry.state = State::Idle;
        self.release(&key.namespace);
        if is_forgotten {
            self.entries.remove(key);
            return;
        }
        if let Some(retry) = retry {
            self.put(key, now + retry, now);
        }
        if is_woken {
            self.wake(key, now);
        }
    }

    /// Drops a request. If it is being evaluated, it keeps its slot until that ends.
    pub(crate) fn forget(&mut self, key: &RequestKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if let State::Running { is_woken, is_forgotten } = &mut entry.state {
            (*is_woken, *is_forgotten) = (false, true);
            return;
        }
        self.withdraw(key);
        self.entries.remove(key);
    }

    /// When the next delayed request is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.delayed.first().map(|(due, _)| *due)
    }

    /// How many requests of each namespace are due and wait for a slot.
    pub(crate) fn queued(&self) -> BTreeMap<&str, usize> {
        let mut queued = BTreeMap::new();
        for (namespace, ready) in self.first.namespaces.iter().chain(&self.refresh.namespaces) {
            *queued.entry(namespace.as_str()).or_default() += ready.requests.len();
        }
        queued
    }

    /// How many requests hold a slot.
    pub(crate) fn running(&self) -> usize {
        self.running.values().sum()
    }

    fn promote(&mut self, now: Instant) {
        while let Some((due, key)) = self.delayed.first().cloned() {
            if due > now {
                return;
            }
            self.make_ready(&key);
        }
    }

    fn put(&mut self, key: &RequestKey, due: Instant, now: Instant) {
        if due <= now {
            return self.make_ready(key);
        }
        self.withdraw(key);
        if let Some(entry) = self.entries.get_mut(key) {
            entry.state = State::Delayed(due);
            self.delayed.insert((due, key.clone()));
        }
    }

    fn make_ready(&mut self, key: &RequestKey) {
        self.withdraw(key);
        let position = self.next_position;
        self.next_position += 1;
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.state = State::Ready(position);
        let urgency = entry.urgency;
        self.lane(urgency).push(key.clone(), position);
    }

    /// Takes a request out of its lane, or from the delayed ones.
    fn withdraw(&mut self, key: &RequestKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let (state, urgency) = (std::mem::replace(&mut entry.state, State::Idle), entry.urgency);
        match state {
            State::Ready(position) => self.lane(urgency).remove(key, position),
            State::Delayed(due) => drop(self.delayed.remove(&(due, key.clone()))),
            State::Idle | State::Running { .. } => {}
        }
    }

    /// The next request of the first namespace in turn that holds fewer slots than this.
    fn take(&mut self, urgency: Urgency, order: Order, fewer_than: usize) -> Option<RequestKey> {
        let lane = if urgency == Urgency::Refresh { &self.refresh } else { &self.first };
        let held = |namespace: &String| self.running.get(namespace).copied().unwrap_or_default();
        let namespace = lane.turns.values().find(|namespace| held(namespace) < fewer_than)?.clone();
        let next_activation = self.next_position;
        self.next_position += 1;
        self.lane(urgency).pop(&namespace, order, next_activation)
    }

    fn release(&mut self, namespace: &str) {
        if let Some(held) = self.running.get_mut(namespace) {
            *held -= 1;
            if *held == 0 {
                self.running.remove(namespace);
            }
        }
    }

    fn lane(&mut self, urgency: Urgency) -> &mut Lane {
        match urgency {
            Urgency::FirstCertificate => &mut self.first,
            Urgency::Refresh => &mut self.refresh,
        }
    }
}

impl Wakes {
    /// When an evaluation that a change causes now is due.
    fn due(&self, now: Instant) -> Instant {
        match self.last {
            Some(last) if now.saturating_duration_since(last) < QUIET => {
                let pause = SHORTEST_PAUSE.saturating_mul(1 << self.count.saturating_sub(1).min(8));
                now.max(last + pause.min(LONGEST_PAUSE))
            }
            _ => now,
        }
    }

    fn note(&mut self, due: Instant) {
        let is_quiet = self.last.is_none_or(|last| due.saturating_duration_since(last) >= QUIET);
        self.count = if is_quiet { 1 } else { self.count.saturating_add(1) };
        self.last = Some(due);
    }
}

impl Lane {
    fn push(&mut self, key: RequestKey, position: u64) {
        let namespace = key.namespace.clone();
        let ready = self.namespaces.entry(namespace.clone()).or_insert_with(|| {
            self.turns.insert(position, namespace);
            ReadyRequests { turn: position, requests: BTreeMap::new() }
        });
        ready.requests.insert(position, key);
    }

    fn remove(&mut self, key: &RequestKey, position: u64) {
        let Some(ready) = self.namespaces.get_mut(&key.namespace) else { return };
        ready.requests.remove(&position);
        if ready.requests.is_empty() {
            self.turns.remove(&ready.turn);
            self.namespaces.remove(&key.namespace);
        }
    }

    /// Takes the next request of a namespace, whose turn comes again after all others.
    fn pop(&mut self, namespace: &str, order: Order, next_activation: u64) -> Option<RequestKey> {
        let ready = self.namespaces.get_mut(namespace)?;
        let (_, key) = match order {
            Order::OldestFirst => ready.requests.pop_first(),
            Order::NewestFirst => ready.requests.pop_last(),
        }?;
        let name = self.turns.remove(&ready.turn)?;
        if ready.requests.is_empty() {
            self.namespaces.remove(namespace);
        } else {
            ready.turn = next_activation;
            self.turns.insert(next_activation, name);
        }
        Some(key)
    }
}

#[cfg(test)]
mod tests;

//! Watches that never end. Each object is parsed by itself, so one that can't be read costs nobody else; a
//! connection that is lost or silent, and an API server that went back in time, are noticed within a minute.

mod connection;
mod progress;
mod unreadable;

use std::{collections::VecDeque, time::Duration};

use futures::{Stream, stream};
use kube::runtime::watcher::Event;

use self::{
    connection::{Connection, WatchEvent},
    progress::{Failure, Progress},
    unreadable::UnreadableLog,
};
use crate::{
    api::{
        object::{ApiObject, Unreadable},
        read::{Collection, List, Listed, latest_version},
        timeout::with_timeout,
    },
    health::{Component, SignerHealth},
    metrics::WatchMetrics,
    timer::sleep_until,
};

/// What a watch brings.
#[derive(Debug)]
pub(crate) enum Watched<K> {
    /// An event.
    Event(Event<K>),
    /// This object is there, and can't be read: what was known of it doesn't hold any more. Of a list that is
    /// arriving, it is one of the items.
    Unreadable(Unreadable),
    /// The watch fails again and again: what is known gets old, until the next event.
    Failing,
    /// The API server doesn't serve this version of the resource any more: it must be discovered anew.
    Gone,
}

/// The times of a watch.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// How long the API server is asked to go on, or up to a quarter longer. Then it is looked at whether it
    /// went back in time.
    lasts: Duration,
    /// A watch that ends that much earlier or later hasn't ended in time.
    tolerance: Duration,
    /// How long a watch has to last after a failure until it counts as working.
    probation: Duration,
    /// The longest pause after a failure.
    longest_pause: Duration,
}

const TIMES: Times = Times {
    lasts: Duration::from_secs(25),
    tolerance: Duration::from_secs(5),
    probation: Duration::from_secs(3),
    longest_pause: Duration::from_secs(3),
};

/// Watches for ever, with pauses after failures. What is wrong stands in `health` until it has been seen to
/// work.
pub(crate) fn watch<K: ApiObject>(
    collection: Collection,
    component: Component,
    health: Vec<SignerHealth>,
    metrics: WatchMetrics,
) -> impl Stream<Item = Watched<K>> + Send {
    watch_with(collection, TIMES, component, health, metrics)
}

fn watch_with<K: ApiObject>(
    collection: Collection,
    times: Times,
    component: Component,
    health: Vec<SignerHealth>,
    metrics: WatchMetrics,
) -> impl Stream<Item = Watched<K>> + Send {
    let watch = Watch::<K> {
        collection,
        times,
        state: State::Begin,
        version: String::new(),
        arrived: VecDeque::new(),
        unreadable: UnreadableLog::default(),
        progress: Progress::new(component, health, times),
        metrics,
    };
    stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) })
}

struct Watch<K> {
    collection: Collection,
    times: Times,
    state: State<K>,
    /// The most recent resourceVersion that has been seen.
    version: String,
    /// What has come, and has to be passed on first.
    arrived: VecDeque<Watched<K>>,
    unreadable: UnreadableLog,
    progress: Progress,
    metrics: WatchMetrics,
}

/// What comes next.
enum State<K> {
    /// A list.
    Begin,
    /// The rest of it.
    Listing(List<K>),
    /// A watch from the version on that has been seen.
    Resume,
    /// Its events.
    Watching(Connection),
    /// Whether the API server went back in time.
    Check,
}

impl<K: ApiObject> Watch<K> {
    async fn next(&mut self) -> Watched<K> {
        loop {
            if let Some(watched) = self.arrived.pop_front() {
                return watched;
            }
            let state = std::mem::replace(&mut self.state, State::Begin);
            match self.step(state).await {
                Ok(state) => self.state = state,
                Err(failure) => self.fail(&failure),
            }
        }
    }

    async fn step(&mut self, state: State<K>) -> Result<State<K>, Failure> {
        match state {
            State::Begin => {
                self.progress.pause().await;
                self.arrived.push_back(Watched::Event(Event::Init));
                Ok(State::Listing(List::new(self.collection.clone())))
            }
            State::Listing(list) => self.list(list).await,
            State::Resume => {
                let connection = Connection::open(&self.collection, &self.version, self.times).await?;
                self.progress.connected();
                Ok(State::Watching(connection))
            }
            State::Watching(connection) => self.follow(connection).await,
            State::Check => self.check().await,
        }
    }

    async fn list(&mut self, mut list: List<K>) -> Result<State<K>, Failure> {
        match list.next().await.map_err(Failure::list)? {
            Listed::Items(items) => {
                for item in items {
                    let watched = self.readable(item, Event::InitApply);
                    self.arrived.push_back(watched);
                }
                Ok(State::Listing(list))
            }
            Listed::End { resource_version } if resource_version.is_empty() => Err(Failure::no_version()),
            Listed::End { resource_version } => {
                self.version = resource_version;
                self.progress.listed();
                self.arrived.push_back(Watched::Event(Event::InitDone));
                Ok(State::Resume)
            }
        }
    }

    async fn follow(&mut self, mut connection: Connection) -> Result<State<K>, Failure> {
        let event = tokio::select! {
            biased;
            event = connection.next() => event?,
            () = sleep_until(self.progress.proven_at()) => {
                self.progress.works();
                return Ok(State::Watching(connection));
            }
        };
        let (version, watched) = match event {
            WatchEvent::EndedInTime => {
                self.progress.works();
                return Ok(State::Check);
            }
            WatchEvent::Bookmark(version) => (version, None),
            WatchEvent::Applied(version, object) => (version, Some(self.readable(object, Event::Apply))),
            WatchEvent::Deleted(version, identity) => {
                (version, Some(Watched::Event(Event::Delete(K::gone(identity)))))
            }
        };
        if went_back(&self.version, &version) {
            return Ok(self.begin_anew(&version));
        }
        if !version.is_empty() {
            self.version = version;
        }
        self.progress.works();
        self.arrived.extend(watched);
        Ok(State::Watching(connection))
    }

    /// A watch from a version that is still to come would be silent until it has come, and what came before
    /// would never be told.
    async fn check(&mut self) -> Result<State<K>, Failure> {
        let latest = with_timeout(latest_version(&self.collection)).await.map_err(Failure::list)?;
        Ok(if went_back(&self.version, &latest) { self.begin_anew(&latest) } else { State::Resume })
    }

    fn begin_anew(&mut self, version: &str) -> State<K> {
        tracing::warn!(
            "{}: the API server went back from resourceVersion {} to {version}, as after its etcd was restored; all are listed anew",
            self.progress.component(),
            self.version
        );
        self.arrived.push_back(Watched::Failing);
        State::Begin
    }

    fn readable(&mut self, object: Result<K, Unreadable>, event: fn(K) -> Event<K>) -> Watched<K> {
        match object {
            Ok(object) => Watched::Event(event(object)),
            Err(unreadable) => {
                self.unreadable.note(&unreadable);
                self.metrics.unreadable(self.progress.component());
                Watched::Unreadable(unreadable)
            }
        }
    }

    fn fail(&mut self, failure: &Failure) {
        self.state = State::Begin;
        self.metrics.restarts(self.progress.component());
        if failure.is_status(404) {
            self.progress.fail(failure);
            self.arrived.push_back(Watched::Gone);
        } else if self.progress.fail(failure) {
            self.arrived.push_back(Watched::Failing);
        }
    }
}

/// Whether a version is older than one that was seen before. Kubernetes promises that versions of a resource
/// can be compared as numbers (KEP-5504); where they aren't numbers, nothing tells, so it is taken for older.
fn went_back(seen: &str, now: &str) -> bool {
    if now.is_empty() || seen == now {
        return false;
    }
    match (seen.parse::<u128>(), now.parse::<u128>()) {
        (Ok(seen), Ok(now)) => now < seen,
        _ => true,
    }
}

#[cfg(test)]
mod tests;

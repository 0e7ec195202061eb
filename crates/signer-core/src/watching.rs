//! Watches that never end: one bad object or a lost connection is reported, and the watch goes on.

use std::{fmt::Debug, time::Duration};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use kube::{
    Api, Resource,
    core::DeserializeGuard,
    runtime::{
        utils::Backoff,
        watcher::{self, DefaultBackoff, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::time::{self, Instant};

use crate::{
    clock::certificate_time_problem,
    health::{Component, SignerHealth},
};

/// What a watch brings.
#[derive(Debug)]
pub(crate) enum Watched<K> {
    /// An event.
    Event(Event<K>),
    /// This object has changed or gone, and can't be read: what was known of it doesn't hold any more.
    Unreadable(ObjectName),
    /// The watch fails again and again: what is known gets old, until the next event.
    Failing,
    /// The API server doesn't serve this version of the resource any more: it must be discovered anew.
    Gone,
}

/// Names an object; the namespace is empty for one of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Watches for ever, with backoff after errors. What is wrong stands in `health` until it has been seen to work.
pub(crate) fn watch<K>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
    component: Component,
    health: Vec<SignerHealth>,
) -> impl Stream<Item = Watched<K>> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
    K::DynamicType: Send,
{
    let begin = move || watcher(api.clone(), config.clone()).boxed();
    let watch = Watch::new(begin, DefaultBackoff::default(), ONE_TROUBLE, component, health);
    stream::unfold(watch, |mut watch| async move { Some((watch.next().await, watch)) })
}

type Events<K> = BoxStream<'static, watcher::Result<Event<DeserializeGuard<K>>>>;

/// Two failures within this are one trouble.
const ONE_TROUBLE: Duration = Duration::from_secs(30);

/// A watch, and how it has gone so far.
struct Watch<K, Begin, Pauses> {
    events: Events<K>,
    begin: Begin,
    pauses: Pauses,
    /// How long it has to last after a failure until it counts as working.
    probation: Duration,
    last_failure: Option<Failure>,
    /// When it will have lasted.
    proven_at: Option<Instant>,
    /// The pause after a failure.
    resume_at: Option<Instant>,
    component: Component,
    health: Vec<SignerHealth>,
}

struct Failure {
    /// The end of the pause after it: what fails soon after that is the same trouble, however long the pauses have grown.
    resumed: Instant,
    is_of_list: bool,
}

impl<K, Begin: Fn() -> Events<K>, Pauses: Backoff> Watch<K, Begin, Pauses> {
    fn new(
        begin: Begin,
        pauses: Pauses,
        probation: Duration,
        component: Component,
        health: Vec<SignerHealth>,
    ) -> Self {
        let events = begin();
        let (last_failure, proven_at, resume_at) = (None, None, None);
        Self { events, begin, pauses, probation, last_failure, proven_at, resume_at, component, health }
    }

    async fn next(&mut self) -> Watched<K> {
        loop {
            if let Some(resume_at) = self.resume_at.take() {
                time::sleep_until(resume_at).await;
            }
            let event = tokio::select! {
                biased;
                event = self.events.next() => event,
                () = until(self.proven_at) => {
                    self.works();
                    continue;
                }
            };
            match event {
                Some(Ok(event)) => {
                    self.note(&event);
                    return readable(event, self.component);
                }
                Some(Err(error)) => {
                    let is_failing = self.fail(&error);
                    if is_gone(&error) {
                        // whoever goes on with this watch starts with a list
                        self.events = (self.begin)();
                        return Watched::Gone;
                    }
                    if is_failing {
                        return Watched::Failing;
                    }
                }
                None => self.events = (self.begin)(),
            }
        }
    }

    /// A change proves that it works. So does a complete list, unless it was the watch after such a list that failed: then the next one has to last.
    /// The beginning of a list comes before anything is asked.
    fn note(&mut self, event: &Event<DeserializeGuard<K>>) {
        match event {
            Event::Init | Event::InitApply(_) => {}
            Event::InitDone if self.last_failure.as_ref().is_some_and(|failure| !failure.is_of_list) => {
                self.proven_at = Some(Instant::now() + self.probation);
            }
            Event::InitDone | Event::Apply(_) | Event::Delete(_) => self.works(),
        }
    }

    fn works(&mut self) {
        self.pauses.reset();
        (self.last_failure, self.proven_at) = (None, None);
        self.health.iter().for_each(|health| health.mended(self.component));
    }

    /// A connection that is lost once is taken up again, and where nothing happens no event tells of it; so that is no trouble yet. If it fails again,
    /// it begins anew. Returns whether what is known gets old.
    fn fail(&mut self, error: &watcher::Error) -> bool {
        let is_of_list = matches!(error, watcher::Error::InitialListFailed(_));
        let now = Instant::now();
        let is_again = self
            .last_failure
            .as_ref()
            .is_some_and(|failure| now.duration_since(failure.resumed) < ONE_TROUBLE);
        let resumed = now + self.pauses.next().unwrap_or(ONE_TROUBLE);
        self.last_failure = Some(Failure { resumed, is_of_list });
        self.proven_at = None;
        let problem = format!("watching {}: {}", self.component, describe(error));
        let is_failing = is_again || is_of_list;
        if is_failing {
            self.health.iter().for_each(|health| health.broken(self.component, &problem));
            self.events = (self.begin)();
        } else {
            tracing::info!("{problem}; trying again");
        }
        self.resume_at = Some(resumed);
        is_failing
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// The event without the guard. An object that can't be read is as good as absent; the next change of it is tried again.
fn readable<K>(event: Event<DeserializeGuard<K>>, component: Component) -> Watched<K> {
    let read = |object: DeserializeGuard<K>, event: fn(K) -> Event<K>| match object.0 {
        Ok(object) => Watched::Event(event(object)),
        Err(invalid) => {
            let namespace = invalid.metadata.namespace.unwrap_or_default();
            let name = invalid.metadata.name.unwrap_or_default();
            tracing::warn!(namespace, name, error = %invalid.error, "can't read one of {component}; it is passed over");
            Watched::Unreadable(ObjectName { namespace, name })
        }
    };
    match event {
        Event::Init => Watched::Event(Event::Init),
        Event::InitDone => Watched::Event(Event::InitDone),
        Event::InitApply(object) => read(object, Event::InitApply),
        Event::Apply(object) => read(object, Event::Apply),
        Event::Delete(object) => read(object, Event::Delete),
    }
}

fn is_gone(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    matches!(error, InitialListFailed(error) | WatchStartFailed(error) | WatchFailed(error) if is_status(error, 404))
}

/// Whether the API server answered with this HTTP status.
pub(crate) fn is_status(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

/// An error with its causes, each once: kube's texts often repeat the cause that they wrap.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(problem) = certificate_time_problem(error) {
        return problem;
    }
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        if let Some(kube::Error::Api(status)) = cause.downcast_ref::<kube::Error>() {
            return format!("the API server answers {} {}: {}", status.code, status.reason, status.message);
        }
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
#[path = "watching_tests.rs"]
mod tests;

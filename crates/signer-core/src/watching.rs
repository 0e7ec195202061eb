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

use crate::health::{Component, SignerHealth};

/// What a watch brings.
#[derive(Debug)]
pub(crate) enum Watched<K> {
    /// An event.
    Event(Event<K>),
    /// The API server doesn't serve this version of the resource any more: it must be discovered anew.
    Gone,
}

/// Watches for ever, with backoff after errors. What is wrong stands in `health` until a list has succeeded.
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
    let watch = Watch::new(begin, DefaultBackoff::default(), component, health);
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
    last_failure: Option<Instant>,
    component: Component,
    health: Vec<SignerHealth>,
}

impl<K, Begin: Fn() -> Events<K>, Pauses: Backoff> Watch<K, Begin, Pauses> {
    fn new(begin: Begin, pauses: Pauses, component: Component, health: Vec<SignerHealth>) -> Self {
        Self { events: begin(), begin, pauses, last_failure: None, component, health }
    }

    async fn next(&mut self) -> Watched<K> {
        loop {
            match self.events.next().await {
                Some(Ok(event)) => {
                    self.note(&event);
                    if let Some(event) = readable(event, self.component) {
                        return Watched::Event(event);
                    }
                }
                Some(Err(error)) => {
                    self.fail(&error).await;
                    if is_gone(&error) {
                        return Watched::Gone;
                    }
                }
                None => self.events = (self.begin)(),
            }
        }
    }

    /// A complete list proves that it works, and so does a change. The beginning of a list comes before anything is asked.
    fn note(&mut self, event: &Event<DeserializeGuard<K>>) {
        if matches!(event, Event::InitDone | Event::Apply(_) | Event::Delete(_)) {
            self.pauses.reset();
            self.last_failure = None;
            self.health.iter().for_each(|health| health.mended(self.component));
        }
    }

    /// A connection that is lost once is taken up again, and where nothing happens no event tells of it; so that is no trouble yet. If it fails again,
    /// it begins anew: then a list tells when it works.
    async fn fail(&mut self, error: &watcher::Error) {
        let is_again = self.last_failure.is_some_and(|at| at.elapsed() < ONE_TROUBLE);
        self.last_failure = Some(Instant::now());
        let problem = format!("watching {}: {}", self.component, describe(error));
        if is_again || matches!(error, watcher::Error::InitialListFailed(_)) {
            self.health.iter().for_each(|health| health.broken(self.component, &problem));
            self.events = (self.begin)();
        } else {
            tracing::info!("{problem}; trying again");
        }
        time::sleep(self.pauses.next().unwrap_or(ONE_TROUBLE)).await;
    }
}

/// The event without the guard. An object that can't be read is as good as absent; the next change of it is tried again.
fn readable<K>(event: Event<DeserializeGuard<K>>, component: Component) -> Option<Event<K>> {
    let read = |object: DeserializeGuard<K>| {
        object
            .0
            .inspect_err(|invalid| {
                let (namespace, name) = (&invalid.metadata.namespace, &invalid.metadata.name);
                tracing::warn!(?namespace, ?name, error = %invalid.error, "can't read one of {component}; it is passed over");
            })
            .ok()
    };
    match event {
        Event::Init => Some(Event::Init),
        Event::InitDone => Some(Event::InitDone),
        Event::InitApply(object) => read(object).map(Event::InitApply),
        Event::Apply(object) => read(object).map(Event::Apply),
        Event::Delete(object) => read(object).map(Event::Delete),
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
mod tests {
    use std::{collections::VecDeque, iter};

    use k8s_openapi::api::core::v1::Pod;

    use super::*;
    use crate::health::Health;

    type Scripts = std::sync::Mutex<VecDeque<Vec<watcher::Result<Event<DeserializeGuard<Pod>>>>>>;

    struct NoPause;

    impl Iterator for NoPause {
        type Item = Duration;

        fn next(&mut self) -> Option<Duration> {
            Some(Duration::ZERO)
        }
    }

    impl Backoff for NoPause {
        fn reset(&mut self) {}
    }

    fn refused() -> kube::Error {
        kube::Error::Api(kube::core::Status::failure("no", "Forbidden").with_code(403).boxed())
    }

    /// Plays one script after the other, each in a watch of its own; returns how ready the signer was after each event, and how many watches there were.
    async fn play(scripts: Vec<Vec<watcher::Result<Event<DeserializeGuard<Pod>>>>>) -> (Vec<bool>, usize) {
        let health = Health::default();
        let signer = health.signer(&"example.com/a".parse().unwrap(), &[Component::Pods]);
        let count = scripts.iter().flatten().filter(|item| item.is_ok()).count();
        let (total, scripts) = (scripts.len(), Scripts::new(scripts.into()));
        let begin = || {
            let script = scripts.lock().unwrap().pop_front().unwrap_or_default();
            stream::iter(script).chain(stream::pending()).boxed()
        };
        let mut watch = Watch::new(begin, NoPause, Component::Pods, vec![signer]);
        let mut ready = Vec::new();
        for _ in 0..count {
            watch.next().await;
            ready.push(health.report().signers[0].problems.is_empty());
        }
        (ready, total - scripts.lock().unwrap().len())
    }

    #[tokio::test]
    async fn only_a_complete_list_proves_that_it_works() {
        let lists = |times| {
            iter::repeat_with(|| vec![Ok(Event::Init), Err(watcher::Error::InitialListFailed(refused()))])
                .take(times)
        };
        let scripts = lists(2).chain([vec![Ok(Event::Init), Ok(Event::InitDone)]]).collect();
        assert_eq!(play(scripts).await, (vec![false, false, false, true], 3));
    }

    #[tokio::test]
    async fn a_connection_lost_once_is_no_trouble_and_lost_again_it_begins_anew() {
        let lost = || Err(watcher::Error::WatchStartFailed(refused()));
        let change = || Ok(Event::Delete(DeserializeGuard(Ok(Pod::default()))));
        let once = vec![Ok(Event::Init), Ok(Event::InitDone), lost(), change(), lost(), lost()];
        let anew = vec![Ok(Event::Init), Ok(Event::InitDone)];
        assert_eq!(play(vec![once, anew]).await, (vec![false, true, true, false, true], 2));
    }
}

//! Watches that never end: one bad object or a lost connection is reported, and the watch goes on.

use std::fmt::Debug;

use futures::{Stream, StreamExt, future};
use kube::{
    Api, Resource,
    core::DeserializeGuard,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

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
    watcher(api, config).default_backoff().filter_map(move |result| {
        let watched = match result {
            Ok(event) => {
                health.iter().for_each(|health| health.mended(component));
                readable(event, component).map(Watched::Event)
            }
            Err(error) => {
                let problem = format!("watching {component}: {}", describe(&error));
                health.iter().for_each(|health| health.broken(component, &problem));
                is_gone(&error).then_some(Watched::Gone)
            }
        };
        future::ready(watched)
    })
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

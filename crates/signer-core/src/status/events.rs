//! Events: what somebody must hear about a request that isn't issued.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use jiff::Timestamp;
use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Client, Resource, api::PostParams, core::Request};
use prometheus_client::metrics::counter::Counter;
use tokio::{
    sync::Notify,
    time::{self, Instant, MissedTickBehavior},
};

use super::event_queue::EventQueue;
use crate::api::{
    answer::call_unread,
    error::{describe, is_status},
    timeout::{EVENT, within},
};
use bounded_text::{hex, truncated};

/// Takes Warning events, to be published when there is time for it: nobody waits for that, and what doesn't
/// fit is dropped and counted.
///
/// An event's name follows from what it says of whom, so that the replicas of a controller, and the requests
/// that follow each other while a pod waits, make one event of it: the second one to write it finds it there.
#[derive(Clone)]
pub(crate) struct Events(Arc<Shared>);

struct Shared {
    instance: String,
    queue: Mutex<EventQueue<Event>>,
    added: Notify,
    dropped: Counter,
    drops: LogLimiter,
}

/// Events of a process that wait.
const MOST: usize = 2048;
/// Events of one namespace that wait.
const MOST_OF_A_NAMESPACE: usize = 256;
/// Between two events: events must not compete with certificates for the API server.
const PACE: Duration = Duration::from_millis(50);

/// The reporting controller, as `kubectl describe` shows it.
const CONTROLLER: &str = "pod-certificate-signer";
/// What the controller was doing.
const ACTION: &str = "SignCertificate";
/// The API server's bound for an event's note.
const LONGEST_NOTE: usize = 1024;
/// The API server's bound for a name.
const LONGEST_NAME: usize = 253;

impl Events {
    /// The queue, and the task that publishes what is in it. The counter counts what is dropped.
    pub(crate) fn new(
        client: Client,
        instance: impl Into<String>,
        dropped: Counter,
    ) -> (Self, impl Future<Output = Infallible>) {
        let shared = Arc::new(Shared {
            instance: instance.into(),
            queue: Mutex::new(EventQueue::new(MOST, MOST_OF_A_NAMESPACE)),
            added: Notify::new(),
            dropped,
            drops: LogLimiter::default(),
        });
        (Self(Arc::clone(&shared)), publish(client, shared))
    }

    /// Takes a warning about an object. What an event says, the log says too.
    pub(crate) fn warn(&self, about: ObjectReference, reason: &str, message: &str, now: Timestamp) {
        let Self(shared) = self;
        let namespace = about.namespace.clone().unwrap_or_default();
        let event = warning(about, reason, message, &shared.instance, now);
        let dropped = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).push(&namespace, event);
        shared.added.notify_one();
        let Some(dropped) = dropped else { return };
        shared.dropped.inc();
        if let Some(others) = shared.drops.is_due(Instant::now()) {
            let (namespace, reason) = (dropped.metadata.namespace, dropped.reason);
            tracing::warn!(
                namespace,
                reason,
                others,
                "an event is dropped: too many wait to be published; the log has what they say"
            );
        }
    }
}

/// Publishes one event after the other.
async fn publish(client: Client, shared: Arc<Shared>) -> Infallible {
    let failures = LogLimiter::default();
    let mut pace = time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(event) = next else {
            shared.added.notified().await;
            continue;
        };
        pace.tick().await;
        let Err(error) = create(&client, &event).await else { continue };
        if let Some(others) = failures.is_due(Instant::now()) {
            let (namespace, reason) = (event.metadata.namespace, event.reason);
            tracing::warn!(namespace, reason, others, "can't publish an event: {error}");
        }
    }
}

/// One that is there already says the same.
async fn create(client: &Client, event: &Event) -> Result<(), String> {
    let namespace = event.metadata.namespace.as_deref();
    let create = serde_json::to_vec(event).map_err(kube::Error::SerdeError).and_then(|json| {
        let path = Request::new(Event::url_path(&(), namespace));
        path.create(&PostParams::default(), json).map_err(kube::Error::BuildRequest)
    });
    match within(EVENT, async { call_unread(client, create?).await }).await {
        Err(error) if !is_status(&error, 409) => Err(describe(&error)),
        _ => Ok(()),
    }
}

/// Logs a message that may come thousands of times once in [`INTERVAL`](Self::INTERVAL).
#[derive(Default)]
struct LogLimiter(Mutex<(Option<Instant>, u64)>);

impl LogLimiter {
    const INTERVAL: Duration = Duration::from_secs(60);

    /// How many others were left out since the last one, if one is due now.
    fn is_due(&self, now: Instant) -> Option<u64> {
        let Self(state) = self;
        let (last, left_out) = &mut *state.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_duration_since(last) < Self::INTERVAL) {
            *left_out += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(left_out))
    }
}

fn warning(about: ObjectReference, reason: &str, message: &str, instance: &str, now: Timestamp) -> Event {
    Event {
        metadata: ObjectMeta {
            name: Some(name(&about, reason, message)),
            namespace: about.namespace.clone(),
            ..Default::default()
        },
        action: Some(ACTION.to_owned()),
        event_time: Some(MicroTime(now)),
        note: Some(truncated(message, LONGEST_NOTE)),
        reason: Some(reason.to_owned()),
        regarding: Some(about),
        reporting_controller: Some(CONTROLLER.to_owned()),
        reporting_instance: Some(truncated(instance, 128)),
        type_: Some("Warning".to_owned()),
        ..Default::default()
    }
}

/// `<object>.<hash of UID, reason and message>`, the same in each build: replicas of two versions may run
/// side by side.
fn name(about: &ObjectReference, reason: &str, message: &str) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [about.uid.as_deref().unwrap_or_default(), reason, message] {
        hash.update(part.as_bytes());
        hash.update(&[0xff]);
    }
    let hash = hex(&hash.finish().as_ref()[..8]);
    let object = about.name.as_deref().unwrap_or_default();
    let object = &object[..object.len().min(LONGEST_NAME - 17)];
    format!("{}.{hash}", object.trim_end_matches(['.', '-']))
}

#[cfg(test)]
mod tests;

//! Thousands of requests at once, as after a restart of many kubelets.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    time::{Duration, Instant},
};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use kube::{
    Api,
    core::DynamicObject,
    runtime::{WatchStreamExt, watcher},
};

use super::{AT_ONCE, BoundPod, CertificateSource, Kubelet, SentRequest, request::is_final};
use crate::{Error, Outcome};

/// What became of a burst.
#[derive(Debug)]
pub struct Burst {
    /// Every request with its answer, in the order in which they were given.
    pub answered: Vec<Answered>,
    /// From the first create to the last answer.
    pub elapsed: Duration,
}

/// One answered request of a burst.
#[derive(Debug)]
pub struct Answered {
    /// The request.
    pub request: SentRequest,
    /// Its answer.
    pub outcome: Outcome,
    /// From its acceptance by the API server until a watch showed the answer.
    pub latency: Duration,
}

/// The first final state of a request, by UID, and when a watch showed it.
type Seen = HashMap<String, (Outcome, Instant)>;

impl Kubelet {
    /// Asks for all these certificates, some dozens at once, and waits for all answers. One watch sees them,
    /// so that the wait costs the API server next to nothing.
    ///
    /// # Errors
    /// As [`RequestDraft::send`](super::RequestDraft::send); [`Error::TimedOut`] says how many answers are
    /// missing.
    pub async fn burst(
        &self,
        wanted: &[(&BoundPod, &CertificateSource)],
        within: Duration,
    ) -> Result<Burst, Error> {
        let resource = self.cluster.served().request_resource()?;
        let requests: Api<DynamicObject> = Api::all_with(self.cluster.client(), &resource);
        let of_node = watcher::Config::default().fields(&format!("spec.nodeName={}", self.node_name));
        let mut events = pin!(watcher(requests, of_node).default_backoff());
        let earlier = initial(&mut events).await;

        let began = Instant::now();
        let send = stream::iter(wanted)
            .map(|(pod, source)| self.request(pod, source))
            .buffered(AT_ONCE)
            .try_collect();
        let mut seen = Seen::new();
        let both =
            async { futures::try_join!(send, answers(&mut events, &earlier, wanted.len(), &mut seen)) };
        let sent: Vec<SentRequest> = match tokio::time::timeout(within, both).await {
            Ok(result) => result?.0,
            Err(_elapsed) => {
                let last = format!("{} of {} answered", seen.len(), wanted.len());
                return Err(Error::TimedOut { what: "the answers to a burst".into(), waited: within, last });
            }
        };
        let elapsed = began.elapsed();
        Ok(Burst {
            answered: sent.into_iter().filter_map(|request| answered(request, &mut seen)).collect(),
            elapsed,
        })
    }
}

type Event = watcher::Result<watcher::Event<DynamicObject>>;

/// The requests that were there before, by UID.
async fn initial(events: &mut (impl Stream<Item = Event> + Unpin)) -> HashSet<String> {
    let mut earlier = HashSet::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::InitApply(object)) => earlier.extend(object.metadata.uid),
            Ok(watcher::Event::InitDone) => break,
            // A failed list is tried again by itself.
            Ok(_) | Err(_) => {}
        }
    }
    earlier
}

/// Ends once that many requests that were not there before are answered.
async fn answers(
    events: &mut (impl Stream<Item = Event> + Unpin),
    earlier: &HashSet<String>,
    count: usize,
    seen: &mut Seen,
) -> Result<(), Error> {
    while seen.len() < count {
        let Some(event) = events.next().await else { break };
        // After an interruption the watch lists everything again.
        let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) = event else { continue };
        let uid = object.metadata.uid.clone().unwrap_or_default();
        if !is_final(&object) || earlier.contains(&uid) {
            continue;
        }
        let value = serde_json::to_value(object).unwrap_or_default();
        if let Some(outcome) = Outcome::of(&value)? {
            seen.entry(uid).or_insert((outcome, Instant::now()));
        }
    }
    Ok(())
}

fn answered(request: SentRequest, seen: &mut Seen) -> Option<Answered> {
    let (outcome, at) = seen.remove(&request.uid)?;
    let latency = at.saturating_duration_since(request.accepted);
    Some(Answered { request, outcome, latency })
}

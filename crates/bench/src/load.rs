//! Requests, at once or at a pace, and when a watch has shown their outcomes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures::StreamExt;
use kube::{
    Api,
    core::DynamicObject,
    runtime::{WatchStreamExt, watcher},
};
use test_cluster::{BoundPod, Cluster, Kubelet};
use tokio::{sync::Notify, task::JoinSet, time};

use crate::{Result, stage::Stage};

/// All outcomes that a watch has shown. Cheap to clone: clones see the same.
#[derive(Clone)]
pub(crate) struct Load(Arc<Shown>);

#[derive(Default)]
struct Shown {
    outcomes: Mutex<HashMap<String, Outcome>>,
    changed: Notify,
}

struct Outcome {
    at: Instant,
    is_issued: bool,
    chain: String,
    /// Another certificate has taken its place.
    is_replaced: bool,
}

/// What became of requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    /// From a request's acceptance by the API server until a watch showed its certificate; in order.
    pub(crate) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// Requests that got no certificate.
    pub(crate) lost: usize,
    /// Requests that got two.
    pub(crate) twice: usize,
}

/// Requests that are created at once: a few kubelets' worth.
const AT_ONCE: usize = 64;

/// How long answers are waited for after the last request.
const PATIENCE: Duration = Duration::from_secs(60);

impl Answers {
    /// The same, if each request got one certificate: else what was measured is worth nothing.
    pub(crate) fn complete(self) -> Result<Self> {
        let Self { lost, twice, .. } = self;
        if lost + twice > 0 {
            return Err(format!("{lost} requests got no certificate, and {twice} got two").into());
        }
        Ok(self)
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that this share of the requests doesn't exceed.
    pub(crate) fn percentile(&self, percent: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let index = (self.latencies.len() as f64 * percent / 100.0) as usize;
        self.latencies.get(index.min(last)).copied().unwrap_or_default()
    }

    pub(crate) fn slowest(&self) -> Duration {
        self.latencies.last().copied().unwrap_or_default()
    }
}

impl Load {
    /// Begins to watch.
    pub(crate) async fn watch(cluster: &Cluster) -> Result<Self> {
        let requests: Api<DynamicObject> =
            Api::all_with(cluster.client(), &cluster.served().request_resource()?);
        let load = Self(Arc::default());
        let mut events = Box::pin(watcher(requests, watcher::Config::default()).default_backoff());
        let (watching, begun) = (load.clone(), Arc::new(Notify::new()));
        let has_begun = Arc::clone(&begun);
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) => {
                        watching.note(&object);
                    }
                    Ok(watcher::Event::InitDone) => has_begun.notify_one(),
                    // it begins anew by itself
                    Ok(_) | Err(_) => {}
                }
            }
        });
        begun.notified().await;
        Ok(load)
    }

    /// Makes so many requests, some dozens at once, and waits for all answers.
    pub(crate) async fn burst(
        &self,
        stage: &Stage,
        asks: impl Iterator<Item = (usize, usize)>,
        count: usize,
    ) -> Result<Answers> {
        let began = Instant::now();
        let (kubelet, pods) = (&stage.kubelet, &stage.pods);
        let mut sent = futures::stream::iter(asks.take(count))
            .map(|(pod, source)| send(kubelet, &pods[pod], source))
            .buffer_unordered(AT_ONCE);
        let mut accepted = Vec::with_capacity(count);
        while let Some(request) = sent.next().await {
            accepted.push(request?);
        }
        Ok(self.answers(accepted, began).await)
    }

    /// Makes so many requests at this pace, whatever becomes of those before, and waits for all answers.
    pub(crate) async fn stream(
        &self,
        stage: &Stage,
        asks: impl Iterator<Item = (usize, usize)>,
        per_second: u32,
        count: usize,
    ) -> Result<Answers> {
        let began = Instant::now();
        let mut ticks = time::interval(Duration::from_secs(1) / per_second);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Burst);
        let mut sending = JoinSet::new();
        for (pod, source) in asks.take(count) {
            ticks.tick().await;
            let (kubelet, pods) = (Arc::clone(&stage.kubelet), Arc::clone(&stage.pods));
            sending.spawn(async move { send(&kubelet, &pods[pod], source).await });
        }
        let accepted = sending.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(self.answers(accepted, began).await)
    }

    /// When the next outcome is shown.
    pub(crate) async fn next_outcome(&self) -> Instant {
        self.0.changed.notified().await;
        Instant::now()
    }

    /// Waits until all of these are answered, and forgets them.
    async fn answers(&self, accepted: Vec<(String, Instant)>, began: Instant) -> Answers {
        let all = async {
            // looking through thousands of requests after each event would be a load of its own
            while !self.has_all(&accepted) {
                time::sleep(Duration::from_millis(20)).await;
            }
        };
        // those that aren't there by then are lost
        let _ = time::timeout(PATIENCE, all).await;
        let (mut answers, mut last) = (Answers::default(), began);
        let mut outcomes = self.lock();
        for (uid, accepted) in accepted {
            match outcomes.remove(&uid) {
                Some(outcome) if outcome.is_issued => {
                    answers.latencies.push(outcome.at.saturating_duration_since(accepted));
                    answers.twice += usize::from(outcome.is_replaced);
                    last = last.max(outcome.at);
                }
                _ => answers.lost += 1,
            }
        }
        answers.latencies.sort();
        answers.elapsed = last - began;
        answers
    }

    fn has_all(&self, accepted: &[(String, Instant)]) -> bool {
        let outcomes = self.lock();
        accepted.iter().all(|(uid, _)| outcomes.contains_key(uid))
    }

    fn note(&self, object: &DynamicObject) {
        let status = &object.data["status"];
        let Some(kind) = status["conditions"][0]["type"].as_str() else { return };
        let chain = status["certificateChain"].as_str().unwrap_or_default().to_owned();
        let (uid, at) = (object.metadata.uid.clone().unwrap_or_default(), Instant::now());
        let new = Outcome { at, is_issued: kind == "Issued", chain: chain.clone(), is_replaced: false };
        let mut outcomes = self.lock();
        let outcome = outcomes.entry(uid).or_insert(new);
        outcome.is_replaced |= outcome.chain != chain;
        drop(outcomes);
        self.0.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Outcome>> {
        self.0.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Its UID, and when it was accepted.
async fn send(kubelet: &Kubelet, pod: &BoundPod, source: usize) -> Result<(String, Instant)> {
    let sent = kubelet.request(pod, &pod.sources[source]).await?;
    Ok((sent.uid, sent.accepted))
}

//! The controller of one signer: it watches the signer's requests and brings each to its outcome.

mod announced;
mod audit;
mod backoff;
mod cause;
pub(crate) mod cause_log;
pub(crate) mod decision_log;
pub(crate) mod evaluator;
mod failures;
mod fair_queue;
mod issuance_health;
pub(crate) mod issuer;
pub(crate) mod pending;
pub(crate) mod reconcile;
mod request_store;
mod waits;

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt};
use kube::runtime::reflector::{self, ObjectRef, Store};
use tokio::{
    sync::{broadcast, oneshot},
    task::JoinSet,
    time::interval,
};

use self::{
    fair_queue::Urgency,
    issuance_health::IssuanceHealth,
    pending::{Pending, RequestKey, WakeKey},
    reconcile::{Context, evaluate},
    request_store::RequestStore,
    waits::pod_key,
};
use crate::{
    health::Component,
    request_source::RequestSource,
    signer::Signer,
    timer::sleep_until,
    watching::{Watched, watch},
};

/// Why a controller ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was told to, and has finished the running evaluations.
    Shutdown,
    /// The API server doesn't serve this version of the API any more.
    ApiGone,
}

/// Events of the watch that are taken in before anything else is done.
const EVENTS_AT_ONCE: usize = 256;

/// How often it is looked at what keeps requests from being finished.
const TICK: Duration = Duration::from_secs(1);

/// Runs until `shutdown` is there or the API is gone; running evaluations are finished first. None is
/// evaluated before `begin` has ended.
pub(crate) async fn run<S: Signer, R: RequestSource>(
    context: Arc<Context<S, R>>,
    begin: impl Future<Output = ()> + Send + 'static,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Ended {
    let writer = reflector::store::Writer::new(context.source.resource().clone());
    let store = writer.as_reader();
    let requests = context.source.addressed_to(&context.signer_name);
    let watched = watch(requests, R::COMPONENT, vec![context.health.clone()], context.watch_metrics.clone());
    let (request_store, gone) = RequestStore::new(writer, Arc::clone(&context.pending));
    let driver = Driver { context: Arc::clone(&context), store, running: JoinSet::new() };
    tokio::select! {
        ended = driver.run(request_store, watched, begin, first_of(shutdown, gone)) => ended,
        never = wake_for_ever(context) => match never {},
    }
}

async fn first_of(shutdown: impl Future<Output = ()>, gone: oneshot::Receiver<()>) -> Ended {
    tokio::select! {
        () = shutdown => Ended::Shutdown,
        Ok(()) = gone => Ended::ApiGone,
    }
}

/// Has requests evaluated, in the order of the queue.
struct Driver<S, R: RequestSource> {
    context: Arc<Context<S, R>>,
    store: Store<R::Request>,
    running: JoinSet<()>,
}

impl<S: Signer, R: RequestSource> Driver<S, R> {
    async fn run(
        mut self,
        mut request_store: RequestStore<R::Request>,
        watched: impl Stream<Item = Watched<R::Request>> + Send,
        begin: impl Future<Output = ()> + Send,
        end: impl Future<Output = Ended> + Send,
    ) -> Ended {
        let pending = Arc::clone(&self.context.pending);
        // as many as there are: one by one, they would fall behind evaluations that end all the time
        let watched = watched.ready_chunks(EVENTS_AT_ONCE);
        let (mut watched, mut begin, mut end) = (pin!(watched), pin!(begin), pin!(end));
        let (mut has_begun, mut ticks) = (false, interval(TICK));
        let mut health = IssuanceHealth::new(self.context.health.clone());
        let ended = loop {
            if has_begun {
                self.start();
            }
            tokio::select! {
                ended = &mut end => break ended,
                () = &mut begin, if !has_begun => has_begun = true,
                Some(watched) = watched.next() => {
                    let keys = watched.into_iter().flat_map(|watched| request_store.pass(watched));
                    keys.for_each(|key| self.enqueue(&key));
                }
                () = pending.changed() => {}
                () = sleep_until(pending.next_due()), if has_begun => {}
                Some(_) = self.running.join_next() => while self.running.try_join_next().is_some() {},
                now = ticks.tick() => health.show(pending.problem(), now),
            }
        };
        while self.running.join_next().await.is_some() {}
        ended
    }

    /// Starts to evaluate what is due, as far as there are slots. Each evaluation is a task: one that
    /// computes for long doesn't hold up the others.
    fn start(&mut self) {
        while let Some(key) = self.context.pending.start() {
            let slot = Slot { pending: Arc::clone(&self.context.pending), key, retry: None };
            // without one, it is finished or deleted, and the watch has told so
            let Some(request) = self.request(&slot.key) else { continue };
            self.running.spawn(hold(slot, evaluate(request, Arc::clone(&self.context))));
        }
    }

    fn enqueue(&self, key: &RequestKey) {
        let urgency = self.request(key).map_or(Urgency::Refresh, |request| {
            let is_starting = self.context.evaluator.cluster.pods().get(&pod_key(&*request)).is_some();
            if is_starting { Urgency::FirstCertificate } else { Urgency::Refresh }
        });
        self.context.pending.enqueue(key, urgency);
    }

    fn request(&self, key: &RequestKey) -> Option<Arc<R::Request>> {
        let resource = self.context.source.resource().clone();
        self.store.get(&ObjectRef::new_with(&key.name, resource).within(&key.namespace))
    }
}

/// A slot of the queue, which is given back however the evaluation ends.
struct Slot {
    pending: Arc<Pending>,
    key: RequestKey,
    retry: Option<Duration>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pending.release(&self.key, self.retry);
    }
}

async fn hold(mut slot: Slot, evaluation: impl Future<Output = Option<Duration>>) {
    slot.retry = evaluation.await;
}

/// Wakes requests when what they wait for may have come.
async fn wake_for_ever<S: Signer, R: RequestSource>(context: Arc<Context<S, R>>) -> std::convert::Infallible {
    let pending = &context.pending;
    let cluster = &context.evaluator.cluster;
    let mut deny = context.evaluator.deny.clone();
    let deny_rules = async {
        loop {
            deny.changed().await;
            pending.wake(&WakeKey::DenyRules);
        }
    };
    let (mut pool, mut published) =
        (context.evaluator.issuer.pool.clone(), context.evaluator.issuer.published.clone());
    let authority = async {
        while let Ok(()) =
            tokio::select! { pool = pool.changed() => pool, published = published.changed() => published }
        {
            pending.wake(&WakeKey::Authority);
        }
    };
    let mut news = context.handle.news();
    let signer = async {
        let mut looks = 0;
        loop {
            let said = news.borrow_and_update().clone();
            match &said.degraded {
                Some(because) => context.health.degraded(Component::Signer, because),
                None => context.health.recovered(Component::Signer),
            }
            if looks != said.looks {
                looks = said.looks;
                pending.wake(&WakeKey::Signer);
            }
            if news.changed().await.is_err() {
                return;
            }
        }
    };
    let is_services = |key: &WakeKey| matches!(key, WakeKey::Services(_));
    let is_pod = |key: &WakeKey| matches!(key, WakeKey::Pod(_));
    tokio::join!(
        authority,
        deny_rules,
        signer,
        wake_on(pending, cluster.services().changes(), WakeKey::Services, is_services),
        wake_on(pending, cluster.pods().changes(), WakeKey::Pod, is_pod),
    );
    std::future::pending().await
}

/// Ends when nobody is left to tell of changes.
async fn wake_on<T: Clone>(
    pending: &Pending,
    mut changes: broadcast::Receiver<T>,
    key: fn(T) -> WakeKey,
    is_of_kind: fn(&WakeKey) -> bool,
) {
    loop {
        match changes.recv().await {
            Ok(changed) => pending.wake(&key(changed)),
            Err(broadcast::error::RecvError::Lagged(_)) => pending.wake_all(is_of_kind),
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

//! The controller of one signer: it watches the signer's requests and brings each to its outcome.

mod audit;
mod door;
mod held;
pub(crate) mod outcome;
pub(crate) mod pending;
pub(crate) mod reconcile;
mod refusal;
mod retry;
mod waits;

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, OnceLock},
};

use futures::{StreamExt, stream};
use kube::{
    Api, Client,
    api::ApiResource,
    runtime::{
        applier,
        controller::{self, ReconcileRequest},
        reflector::{self, ObjectRef},
        watcher,
    },
};
use tokio::sync::{broadcast, mpsc, oneshot};

use self::{
    door::Door,
    held::held_until,
    pending::{Pending, RequestKey, WakeKey},
    reconcile::{Context, reconcile, try_again},
};
use crate::{api::PodCertificateRequest, health::Component, signer::Signer, watching::watch};

/// Requests worked on at once. More than the API server answers at once gains nothing.
pub(crate) const CONCURRENCY: u16 = 64;

/// Why a controller ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It was told to, and has finished what was in hand.
    Shutdown,
    /// The API server doesn't serve this version of the API any more.
    ApiGone,
}

/// Runs until `shutdown` is there or the API is gone; requests in hand are finished first. None is looked at before `begin` has ended.
pub(crate) async fn run<S: Signer>(
    context: Arc<Context<S>>,
    woken: mpsc::UnboundedReceiver<RequestKey>,
    client: Client,
    begin: impl Future<Output = ()> + Send + 'static,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Ended {
    let resource = context.resource.clone();
    let writer = reflector::store::Writer::new(resource.clone());
    let store = writer.as_reader();
    let config = watcher::Config::default().fields(&format!("spec.signerName={}", context.signer_name));
    let requests = Api::all_with(client, &resource);
    let events = watch(requests, config, Component::PodCertificateRequests, vec![context.health.clone()]);
    let (mut door, gone) = Door::new(writer, Arc::clone(&context.pending));
    let arriving = events.flat_map(move |watched| stream::iter(door.pass(watched)));
    let woken = stream::unfold(woken, |mut woken| async { woken.recv().await.map(|key| (key, woken)) });
    let ended = Arc::new(OnceLock::new());
    let queue = held_until(begin, stream::select(arriving.boxed(), woken.boxed()))
        .take_until(Box::pin(first_of(shutdown, gone, Arc::clone(&ended))))
        .map(move |key| Ok::<_, Infallible>(trigger(&key, &resource)));
    let wakers = wake_for_ever(Arc::clone(&context));
    let config = controller::Config::default().concurrency(CONCURRENCY);
    let work = applier(
        |request, context| Box::pin(reconcile(request, context)),
        try_again,
        context,
        store,
        queue,
        config,
    );
    tokio::select! {
        () = work.for_each(|_| std::future::ready(())) => {}
        () = wakers => {}
    }
    ended.get().copied().unwrap_or(Ended::Shutdown)
}

async fn first_of(
    shutdown: impl Future<Output = ()>,
    gone: oneshot::Receiver<()>,
    ended: Arc<OnceLock<Ended>>,
) {
    let end = tokio::select! {
        () = shutdown => Ended::Shutdown,
        Ok(()) = gone => Ended::ApiGone,
    };
    // set once: here
    let _ = ended.set(end);
}

fn trigger(key: &RequestKey, resource: &ApiResource) -> ReconcileRequest<PodCertificateRequest> {
    ObjectRef::new_with(&key.name, resource.clone()).within(&key.namespace).into()
}

/// Wakes requests when what they wait for may have come.
async fn wake_for_ever<S: Signer>(context: Arc<Context<S>>) {
    let pending = &context.pending;
    let cluster = &context.examiner.cluster;
    let (mut pool, mut published) = (context.examiner.pool.clone(), context.examiner.published.clone());
    let authority = async {
        while let Ok(()) =
            tokio::select! { pool = pool.changed() => pool, published = published.changed() => published }
        {
            pending.wake(&WakeKey::Authority);
        }
        std::future::pending::<()>().await;
    };
    tokio::join!(
        authority,
        wake_on(pending, cluster.services().changes(), WakeKey::Services),
        wake_on(pending, cluster.pods().changes(), WakeKey::Pod),
    );
}

async fn wake_on<T: Clone>(pending: &Pending, mut changes: broadcast::Receiver<T>, key: fn(T) -> WakeKey) {
    loop {
        match changes.recv().await {
            Ok(changed) => pending.wake(&key(changed)),
            Err(broadcast::error::RecvError::Lagged(_)) => pending.wake_all(),
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

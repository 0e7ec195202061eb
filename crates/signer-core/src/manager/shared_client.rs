//! The one client of the process: its calls are bounded in number and in time, and the end of its worker is
//! noticed.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use hyper::{
    Request, Response,
    body::{Frame, SizeHint},
};
use kube::{Client, client::Body};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tower::{
    BoxError,
    buffer::error::{Closed, ServiceError},
    timeout::error::Elapsed,
};

use super::http_server::MAX_CONNECTIONS;
use crate::{
    clock::Clock,
    metrics::calls::{CallMetrics, verb},
    retry_after::RetryAfter,
};

/// A client whose calls fail if no answer has begun after `limit` (what has begun, as a watch does, may go on
/// for ever), and of which so many run at once, watches aside. Each answer sets the clock, says when to ask
/// again, and is counted. The future ends when nothing can be sent any more.
///
/// kube's client hands all calls to a task of its own (a tower `Buffer`). If that panics, each call fails for
/// ever, and only a new process helps.
pub(crate) fn shared(
    client: Client,
    limit: Duration,
    calls_at_once: usize,
    clock: Clock,
    retry_after: RetryAfter,
    metrics: CallMetrics,
) -> (Client, impl Future<Output = ()> + Send + 'static) {
    let namespace = client.default_namespace().to_owned();
    let (calls, ended) = (Arc::new(Semaphore::new(calls_at_once)), Arc::new(Notify::new()));
    let worker_ended = Arc::clone(&ended);
    let send = tower::service_fn(move |request: Request<Body>| {
        let (client, calls, ended) = (client.clone(), Arc::clone(&calls), Arc::clone(&ended));
        let (clock, retry_after, metrics) = (clock.clone(), retry_after.clone(), metrics.clone());
        let (verb, began) = (verb(request.method(), request.uri()), Instant::now());
        let call = async move {
            // the semaphore is never closed
            let permit = if verb == "watch" { None } else { calls.acquire_owned().await.ok() };
            let sent = clock.sent();
            let answer = client.send(request).await;
            if let Ok(answer) = &answer {
                clock.answered(answer.headers(), sent);
                retry_after.answered(answer.status(), answer.headers(), Instant::now());
            }
            if answer.as_ref().is_err_and(is_end_of_worker) {
                ended.notify_one();
            }
            answer.map(|answer| answer.map(|body| PermittedBody { body, _permit: permit }))
        };
        async move {
            let answer = timeout(limit, call).await;
            let status = answer.as_ref().ok().and_then(|answer| answer.as_ref().ok()).map(Response::status);
            metrics.ended(verb, status.map(|status| status.as_u16()), began.elapsed());
            answer.map_err(|_| BoxError::from(Elapsed::new()))?.map_err(BoxError::from)
        }
    });
    let client = Client::new(send, namespace);
    (client, async move { worker_ended.notified().await })
}

/// As many as leave files for all else: half of the rest, since a connection may be made beside one that
/// becomes free.
pub(crate) fn calls_at_once(open_files: Option<u64>) -> usize {
    /// Standard streams, the runtime's files, watches, pools that are read; connections of probes.
    const OTHERS: u64 = 32 + MAX_CONNECTIONS as u64;
    const LEAST: usize = 4;
    let files = open_files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    let rest = files.saturating_sub(OTHERS as usize) / 2;
    rest.clamp(LEAST, Semaphore::MAX_PERMITS)
}

fn is_end_of_worker(error: &kube::Error) -> bool {
    let kube::Error::Service(error) = error else { return false };
    error.is::<Closed>() || error.is::<ServiceError>()
}

/// An answer's body; its connection is in use until it has been read.
struct PermittedBody {
    body: Body,
    _permit: Option<OwnedSemaphorePermit>,
}

impl HttpBody for PermittedBody {
    type Data = Bytes;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;

//! The one client of the process: its calls are bounded in number and in time, and the end of its worker is noticed.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use hyper::{
    Request,
    body::{Frame, SizeHint},
};
use kube::{Client, client::Body};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tower::{
    buffer::error::{Closed, ServiceError},
    timeout::Timeout,
};

use super::http_server::MAX_CONNECTIONS;
use crate::clock::Clock;

/// A client whose calls fail if no answer has begun after `limit` (what has begun, as a watch does, may go on for ever), and of which so many run at once,
/// watches aside. Each answer sets the clock. The future ends when nothing can be sent any more.
///
/// kube's client hands all calls to a task of its own (a tower `Buffer`). If that panics, each call fails for ever, and only a new process helps.
pub(crate) fn shared(
    client: Client,
    limit: Duration,
    calls_at_once: usize,
    clock: Clock,
) -> (Client, impl Future<Output = ()> + Send + 'static) {
    let namespace = client.default_namespace().to_owned();
    let (calls, ended) = (Arc::new(Semaphore::new(calls_at_once)), Arc::new(Notify::new()));
    let worker_ended = Arc::clone(&ended);
    let send = tower::service_fn(move |request: Request<Body>| {
        let (client, calls, ended, clock) =
            (client.clone(), Arc::clone(&calls), Arc::clone(&ended), clock.clone());
        async move {
            // the semaphore is never closed
            let permit = if is_watch(&request) { None } else { calls.acquire_owned().await.ok() };
            let sent = clock.sent();
            let answer = client.send(request).await;
            if let Ok(answer) = &answer {
                clock.answered(answer.headers(), sent);
            }
            if answer.as_ref().is_err_and(is_end_of_worker) {
                ended.notify_one();
            }
            answer.map(|answer| answer.map(|body| PermittedBody { body, _permit: permit }))
        }
    });
    let client = Client::new(Timeout::new(send, limit), namespace);
    (client, async move { worker_ended.notified().await })
}

/// As many as leave files for all else: half of the rest, since a connection may be made beside one that becomes free.
pub(crate) fn calls_at_once(open_files: Option<u64>) -> usize {
    /// Standard streams, the runtime's files, watches, pools that are read; connections of probes.
    const OTHERS: u64 = 32 + MAX_CONNECTIONS as u64;
    const LEAST: usize = 4;
    let files = open_files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    let rest = files.saturating_sub(OTHERS as usize) / 2;
    rest.clamp(LEAST, Semaphore::MAX_PERMITS)
}

fn is_watch(request: &Request<Body>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query.split('&').any(|parameter| matches!(parameter, "watch=true" | "watch=1"))
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
mod tests {
    use std::{
        convert::Infallible,
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use futures::FutureExt;
    use http::Response;
    use k8s_openapi::api::core::v1::Pod;
    use kube::{Api, api::ListParams};

    use super::*;
    use crate::api::timeout::ANSWER_BEGINS;

    fn pods(client: &Client) -> Api<Pod> {
        Api::all(client.clone())
    }

    #[tokio::test]
    async fn a_call_without_an_answer_ends() {
        let silent = tower::service_fn(|_: Request<Body>| pending::<Result<Response<Body>, Infallible>>());
        let (client, _) = shared(Client::new(silent, "default"), Duration::from_millis(20), 4, Clock::new());
        let error = pods(&client).list(&ListParams::default()).await.unwrap_err();
        assert!(error.to_string().contains("timed out"), "{error}");
    }

    #[tokio::test]
    async fn a_worker_that_panics_is_noticed() {
        let broken = tower::service_fn(|request: Request<Body>| {
            assert!(request.uri().query().is_none(), "a bug in a layer");
            pending::<Result<Response<Body>, Infallible>>()
        });
        let (client, ended) = shared(Client::new(broken, "default"), ANSWER_BEGINS, 4, Clock::new());
        pods(&client).list(&ListParams::default().limit(1)).await.unwrap_err();
        ended.await;
    }

    #[tokio::test]
    async fn an_error_of_one_call_is_not_the_end_of_the_worker() {
        let failing = tower::service_fn(|_: Request<Body>| async {
            Err::<Response<Body>, _>(std::io::Error::other("a bad day"))
        });
        let (client, ended) = shared(Client::new(failing, "default"), ANSWER_BEGINS, 4, Clock::new());
        pods(&client).list(&ListParams::default()).await.unwrap_err();
        assert!(ended.now_or_never().is_none());
    }

    #[tokio::test]
    async fn calls_are_bounded_until_their_bodies_are_read_and_watches_are_not() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let answering = tower::service_fn(|_: Request<Body>| async {
            CALLS.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let (client, _) = shared(Client::new(answering, "default"), ANSWER_BEGINS, 2, Clock::new());
        let get = |uri: &str| client.send(Request::get(uri).body(Body::empty()).unwrap());
        let mut answers = vec![get("/a").await.unwrap(), get("/b").await.unwrap()];
        tokio::select! {
            biased;
            _ = get("/c") => panic!("must wait"),
            watched = get("/d?watch=true&x=y") => drop(watched.unwrap()),
        }
        assert_eq!(CALLS.load(Ordering::SeqCst), 3);
        answers.pop();
        get("/c").await.unwrap();
    }

    #[test]
    fn few_files_leave_few_calls() {
        let figures = [64, 1024, 65_536].map(|files| calls_at_once(Some(files)));
        assert_eq!(figures, [8, 488, 32_744]);
        assert_eq!(calls_at_once(Some(10)), 4);
        assert_eq!(calls_at_once(None), Semaphore::MAX_PERMITS);
    }
}

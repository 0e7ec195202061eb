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
    let (client, _) = shared(
        Client::new(silent, "default"),
        Duration::from_millis(20),
        4,
        Clock::new(),
        RetryAfter::default(),
        CallMetrics::default(),
    );
    let error = pods(&client).list(&ListParams::default()).await.unwrap_err();
    assert!(error.to_string().contains("timed out"), "{error}");
}

#[tokio::test]
async fn a_worker_that_panics_is_noticed() {
    let broken = tower::service_fn(|request: Request<Body>| {
        assert!(request.uri().query().is_none(), "a bug in a layer");
        pending::<Result<Response<Body>, Infallible>>()
    });
    let (client, ended) = shared(
        Client::new(broken, "default"),
        ANSWER_BEGINS,
        4,
        Clock::new(),
        RetryAfter::default(),
        CallMetrics::default(),
    );
    pods(&client).list(&ListParams::default().limit(1)).await.unwrap_err();
    ended.await;
}

#[tokio::test]
async fn an_error_of_one_call_is_not_the_end_of_the_worker() {
    let failing = tower::service_fn(|_: Request<Body>| async {
        Err::<Response<Body>, _>(std::io::Error::other("a bad day"))
    });
    let (client, ended) = shared(
        Client::new(failing, "default"),
        ANSWER_BEGINS,
        4,
        Clock::new(),
        RetryAfter::default(),
        CallMetrics::default(),
    );
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
    let (client, _) = shared(
        Client::new(answering, "default"),
        ANSWER_BEGINS,
        2,
        Clock::new(),
        RetryAfter::default(),
        CallMetrics::default(),
    );
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

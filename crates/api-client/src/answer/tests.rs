use kube::Client;

use super::*;
use crate::error::{describe, is_status};

fn answering(code: u16, body: Vec<u8>) -> Client {
    let service = tower::service_fn(move |_: http::Request<Body>| {
        let answer = http::Response::builder().status(code).body(Body::from(body.clone()));
        async move { answer }
    });
    Client::new(service, "default")
}

fn get() -> http::Request<Vec<u8>> {
    http::Request::get("/api/v1/pods/a").body(vec![]).unwrap()
}

#[tokio::test]
async fn a_refusal_is_told_by_its_code_whatever_its_body() {
    let status = r#"{"kind":"Status","status":"Failure","reason":"Forbidden","message":"no","code":403}"#;
    let error = call_unread(&answering(403, status.into()), get()).await.unwrap_err();
    assert_eq!(describe(&error), "the API server answers 403 Forbidden: no");
    for body in ["canary", r#"{"kind":"Status","code":"canary"}"#, r#"{"env":"canary"}"#] {
        let error = call_unread(&answering(503, body.into()), get()).await.unwrap_err();
        assert!(is_status(&error, 503), "{error:?}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    let long = format!(r#"{{"status":"Failure","message":"{}","code":400}}"#, "a".repeat(5000));
    let kube::Error::Api(status) = call_unread(&answering(400, long.into()), get()).await.unwrap_err() else {
        panic!("must be the API server's")
    };
    assert!(status.message.len() <= LONGEST_MESSAGE);
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_kept() {
    let client = answering(200, vec![b' '; LARGEST_OBJECT + 1]);
    let error = call(&client, get(), SizeClass::Others).await.map(|answer| answer.bytes.len()).unwrap_err();
    assert!(describe(&error).contains("larger than 4096 KiB"), "{error}");
    assert!(call_unread(&client, get()).await.is_ok());
}

#[tokio::test]
async fn a_fourth_large_answer_waits_for_a_place() {
    use futures::FutureExt;

    let client = answering(200, vec![b' '; SMALL + 1]);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(call(&client, get(), SizeClass::Pods).await.unwrap());
    }
    let mut fourth = Box::pin(call(&client, get(), SizeClass::Pods));
    for _ in 0..100 {
        assert!((&mut fourth).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(answers);
    assert_eq!(fourth.await.unwrap().bytes.len(), SMALL + 1);
}

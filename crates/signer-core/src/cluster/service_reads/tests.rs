use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use kube::client::Body;
use tokio::sync::watch;

use super::*;

/// An API server that counts its lists, and answers them when it may.
fn server(may_answer: watch::Receiver<bool>) -> (Client, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let service = tower::service_fn(move |request: http::Request<Body>| {
        counted.fetch_add(1, Relaxed);
        let mut may_answer = may_answer.clone();
        let name = request.uri().path().split('/').nth(4).unwrap_or_default().to_owned();
        async move {
            drop(may_answer.wait_for(|may| *may).await);
            let list = serde_json::json!({"metadata": {"resourceVersion": "1"}, "items": [{"metadata": {"name": name, "namespace": "shop"}}]});
            Ok::<_, std::convert::Infallible>(http::Response::new(Body::from(list.to_string().into_bytes())))
        }
    });
    (Client::new(service, "default"), count)
}

async fn let_all_run() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn those_who_ask_before_a_read_begins_share_it_and_those_after_share_the_next() {
    let (answer, may_answer) = watch::channel(false);
    let (client, count) = server(may_answer);
    let reads = ServiceReads::new(client);
    let ask = |namespace: &'static str| {
        let reads = reads.clone();
        tokio::spawn(async move { reads.of(namespace).await })
    };
    let mut asked = vec![ask("a"), ask("b")];
    let_all_run().await;
    assert_eq!(count.load(Relaxed), AT_ONCE);
    asked.extend((0..200).map(|_| ask("a")));
    asked.extend((0..200).map(|_| ask("c")));
    let_all_run().await;
    assert_eq!(count.load(Relaxed), AT_ONCE, "no more at once");
    answer.send_replace(true);
    for read in asked {
        assert!(read.await.unwrap().is_ok());
    }
    assert_eq!(count.load(Relaxed), 4, "one more for a, one for c");
}

#[tokio::test]
async fn a_read_that_everybody_gave_up_stands_in_nobodys_way() {
    let (answer, may_answer) = watch::channel(false);
    let (client, _) = server(may_answer);
    let reads = ServiceReads::new(client);
    let given_up = [reads.of("a"), reads.of("b"), reads.of("c")].map(|read| {
        let mut read = Box::pin(read);
        assert!((&mut read).now_or_never().is_none());
        read
    });
    drop(given_up);
    answer.send_replace(true);
    assert!(reads.of("c").await.unwrap().get("c").is_some());
}

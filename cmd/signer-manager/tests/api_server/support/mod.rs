//! What the tests on the API server share: signers running here or in the real binary, CAs, and the questions
//! that are asked of every answer.

pub(crate) mod ageing;
pub(crate) mod bundle_endpoint;
pub(crate) mod ca;
pub(crate) mod events;
pub(crate) mod fault_proxy;
pub(crate) mod http;
pub(crate) mod issued;
pub(crate) mod managed_secret;
pub(crate) mod mounted;
pub(crate) mod observed;
pub(crate) mod pool;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod rights;
pub(crate) mod running;
pub(crate) mod setup;
pub(crate) mod shipped;

use std::{future::Future, time::Duration};

use test_cluster::{BoundPod, Cluster, Error, Kubelet, NewPod, Scope, SentRequest};

/// For what takes moments, on a machine that has much else to do. A watch that fails pauses for half a minute
/// at most, and counts as working half a minute after that.
pub(crate) const SOON: Duration = Duration::from_secs(180);

/// For what is not to happen.
pub(crate) const A_WHILE: Duration = Duration::from_secs(2);

/// Runs a test in a corner of its own.
pub(crate) async fn on_cluster(test: impl AsyncFnOnce(&Scope) -> Result<(), Error>) -> Result<(), Error> {
    Cluster::connect().await?.run(test).await
}

/// Starts a pod and asks, as its kubelet, for the first certificate of its volume.
pub(crate) async fn ask(kubelet: &Kubelet, pod: NewPod) -> Result<(BoundPod, SentRequest), Error> {
    let pod = kubelet.start_pod(pod).await?;
    let request = kubelet.request(&pod, &pod.sources[0]).await?;
    Ok((pod, request))
}

/// Waits until `look` finds something; after [`SOON`], fails with what was seen last.
pub(crate) async fn eventually<T, F: Future<Output = Result<T, String>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> T {
    let began = std::time::Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if began.elapsed() > SOON => {
                panic!("waited {} s for {what}; last seen: {seen}", SOON.as_secs())
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

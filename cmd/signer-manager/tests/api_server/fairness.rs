//! A namespace in which thousands of requests wait, and whose Services flip all the time, doesn't delay
//! another's certificates.
//!
//! As a benchmark, with figures for the other namespace without and with the flood:
//! `FAIRNESS_WAITING=5000 cargo test --release -p signer-manager --test api_server fairness -- --nocapture`

use std::time::Duration;

use crate::support::{SOON, eventually, http::get, on_cluster, setup::Setup};
use futures::{StreamExt, TryStreamExt, stream};
use test_cluster::{BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, NewService, Scope};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// Certificates that the other namespace asks for, without and with the flood.
const CERTIFICATES: usize = 100;
/// Between two of them.
const PACE: Duration = Duration::from_millis(40);
/// Between two changes of Services.
const FLIP: Duration = Duration::from_millis(100);

/// How many requests wait.
fn waiting() -> usize {
    std::env::var("FAIRNESS_WAITING").ok().and_then(|count| count.parse().ok()).unwrap_or(300)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_in_one_namespace_delays_no_other() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (flooded, quiet) = (scope.namespace("flooded").await?, scope.namespace("quiet").await?);
        let name = scope.signer_name("service-dns");
        let kubelet = scope.kubelet().await?;
        let pod = |namespace: &str| {
            let pod = NewPod::new(namespace, "web").label("app", "web");
            pod.certificate(CertificateSource::new(&name, KeyType::EcdsaP256))
        };
        scope.create_service(NewService::new(&quiet, "web").selects("app", "web")).await?;
        let (waits, served) =
            (kubelet.start_pod(pod(&flooded)).await?, kubelet.start_pod(pod(&quiet)).await?);
        let manager = Setup::new().signer(&name, "kind: service-dns").start(scope);
        manager.ready().await;

        ask_often(&kubelet, &served, "without the flood").await?;
        wait_for_services(&kubelet, &waits).await?;
        eventually("the requests that wait", async || {
            let page = get(manager.http, "/metrics").await.map_err(|error| error.to_string())?.body;
            let line = format!("unfinished_requests{{signer=\"{name}\"}} {}\n", waiting());
            if page.contains(&line) { Ok(()) } else { Err(page) }
        })
        .await;
        let (end, ended) = watch::channel(false);
        let flood = flip_services(scope, &flooded, ended);
        let asked = async {
            let asked = ask_often(&kubelet, &served, "with the flood").await;
            end.send_replace(true);
            asked
        };
        let (flips, asked) = futures::join!(flood, asked);
        asked?;
        eprintln!("  {} requests waited, and Services changed {} times", waiting(), flips?);
        manager.stop().await;
        Ok(())
    })
    .await
}

/// Requests of a pod that no Service selects.
async fn wait_for_services(kubelet: &Kubelet, pod: &BoundPod) -> Result<(), Error> {
    let requests = stream::iter(0..waiting()).map(|_| kubelet.request(pod, &pod.sources[0]));
    requests.buffer_unordered(32).try_collect::<Vec<_>>().await?;
    Ok(())
}

/// Services come and go that don't select the pod, but might have. Returns how many changes there were.
async fn flip_services(
    scope: &Scope,
    namespace: &str,
    mut ended: watch::Receiver<bool>,
) -> Result<usize, Error> {
    let mut ticks = interval(FLIP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut flips = 0;
    while !*ended.borrow_and_update() {
        ticks.tick().await;
        if flips % 2 == 0 {
            scope.create_service(NewService::new(namespace, "flip").selects("app", "other")).await?;
        } else {
            scope.delete_service(namespace, "flip").await?;
        }
        flips += 1;
    }
    Ok(flips)
}

/// Asks again and again. All are issued.
async fn ask_often(kubelet: &Kubelet, pod: &BoundPod, what: &str) -> Result<(), Error> {
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ticks = stream::unfold(ticks, async |mut ticks| Some((ticks.tick().await, ticks)));
    let asked = ticks.take(CERTIFICATES).map(async |_| {
        let request = kubelet.request(pod, &pod.sources[0]).await?;
        request.outcome(SOON).await?.issued()?;
        Ok::<_, Error>(request.accepted.elapsed())
    });
    let mut latencies: Vec<Duration> = asked.buffer_unordered(CERTIFICATES).try_collect().await?;
    latencies.sort();
    eprintln!(
        "{what}: {:?} in the middle, {:?} at the 99th percentile, {:?} at most",
        latencies[CERTIFICATES / 2],
        latencies[CERTIFICATES * 99 / 100 - 1],
        latencies[CERTIFICATES - 1]
    );
    Ok(())
}

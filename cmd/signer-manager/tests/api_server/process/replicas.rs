//! Its end, its successor, and several of it at once.

use std::collections::BTreeMap;

use futures::future::join_all;
use test_cluster::{BoundPod, Error, Kubelet, NewPod, NewService, SentRequest, verify::Chain};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    process::SPIFFE,
    process::source,
    support::{
        SOON, ask,
        events::{assert_untouched, waiting},
        eventually,
        issued::issued,
        on_cluster,
        process::Process,
        setup::Setup,
    },
};

#[tokio::test]
async fn sigterm_ends_it_whatever_waits() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let mut process = Setup::new().signer(&name, "kind: service-dns").spawn(scope.cluster());
        process.ready().await;
        // a request that will be tried again some day, and a client that never finishes its question
        let (pod, request) =
            ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source(&name))).await?;
        waiting(scope, &pod.uid, &request, "WaitingForService").await?;
        let mut slow = TcpStream::connect(process.http).await.unwrap();
        slow.write_all(b"GET /live").await.unwrap();
        let _silent = TcpStream::connect(process.http).await.unwrap();

        process.terminate();
        assert_eq!(process.ended().await.code(), Some(0));
        assert_untouched(&request).await?;
        Ok(())
    })
    .await
}

/// Pods that all ask the same signer.
pub(super) async fn crowd(
    kubelet: &Kubelet,
    namespace: &str,
    name: &str,
    count: usize,
) -> Result<Vec<BoundPod>, Error> {
    let pods = (0..count).map(|i| NewPod::new(namespace, &format!("p{i}")).certificate(source(name)));
    kubelet.start_pods(pods).await
}

pub(super) async fn ask_all(kubelet: &Kubelet, pods: &[BoundPod]) -> Result<Vec<SentRequest>, Error> {
    join_all(pods.iter().map(|pod| kubelet.request(pod, &pod.sources[0]))).await.into_iter().collect()
}

/// The serial number of each request's certificate, by the request's name.
pub(super) async fn serials(
    requests: &[SentRequest],
    anchors_pem: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let mut serials = BTreeMap::new();
    for request in requests {
        let issued = request.outcome(SOON).await?.issued()?;
        let serial = Chain::new(&issued.chain_pem, anchors_pem)?.leaf().serial();
        serials.insert(request.name.clone(), serial.trim_start_matches("00").to_owned());
    }
    Ok(serials)
}

/// What the audit records of these processes say was issued, each as often as it is said.
pub(super) fn audited(processes: &[&Process]) -> Vec<(String, String)> {
    let text =
        |record: &serde_json::Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
    let records = processes.iter().flat_map(|process| process.audit("Issued"));
    let mut all: Vec<_> = records
        .map(|record| (text(&record, "request"), text(&record, "serial").trim_start_matches("00").to_owned()))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_hand_and_a_successor_does_the_rest() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("crowd").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer(&name, SPIFFE);
        let mut first = setup.spawn(scope.cluster());
        first.ready().await;
        let kubelet = scope.kubelet().await?;
        let pods = crowd(&kubelet, &namespace, &name, 150).await?;
        let asked = async {
            let requests = ask_all(&kubelet, &pods).await;
            requests.inspect(|_| eprintln!("asked"))
        };
        // in the middle of it
        let end = async {
            eventually("a first certificate", async || {
                match first.audit("Issued").len() {
                    0 => Err("none"),
                    _ => Ok(()),
                }
                .map_err(str::to_owned)
            })
            .await;
            first.terminate();
        };
        let (requests, ()) = futures::join!(asked, end);
        let requests = requests?;
        assert_eq!(first.ended().await.code(), Some(0));
        let mut second = setup.spawn(scope.cluster());
        let anchors = scope.cluster().trust_bundle(&name, SOON, |_| true).await?.anchors_pem;
        let serials = serials(&requests, &anchors).await?;
        second.terminate();
        assert_eq!(second.ended().await.code(), Some(0));
        assert_eq!(audited(&[&first, &second]), serials.into_iter().collect::<Vec<_>>());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_replicas_issue_each_certificate_once_and_speak_with_one_voice() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("crowd").await?, scope.signer_name("spiffe"));
        let dns = scope.signer_name("service-dns");
        let setup = Setup::new().signer(&name, SPIFFE).signer(&dns, "kind: service-dns");
        let mut replicas = [setup.spawn(scope.cluster()), setup.spawn(scope.cluster())];
        for replica in &replicas {
            replica.ready().await;
        }
        let kubelet = scope.kubelet().await?;
        let pods = crowd(&kubelet, &namespace, &name, 100).await?;
        let requests = ask_all(&kubelet, &pods).await?;
        let (pod, waits) =
            ask(&kubelet, NewPod::new(&namespace, "waits").label("app", "web").certificate(source(&dns)))
                .await?;
        let anchors = scope.cluster().trust_bundle(&name, SOON, |_| true).await?.anchors_pem;
        let serials = serials(&requests, &anchors).await?;

        waiting(scope, &pod.uid, &waits, "WaitingForService").await?;
        for replica in &replicas {
            eventually("both replicas to have looked", async || match replica.audit("Pending").len() {
                0 => Err("no record".to_owned()),
                _ => Ok(()),
            })
            .await;
        }
        for uid in [&waits.uid, &pod.uid] {
            let events = scope.events(&namespace, uid).await?;
            assert_eq!(events.len(), 1, "{events:?}");
        }
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        issued(scope, &waits).await?;

        for replica in &mut replicas {
            replica.terminate();
            assert_eq!(replica.ended().await.code(), Some(0));
        }
        let all = audited(&[&replicas[0], &replicas[1]]);
        let (of_waits, of_crowd): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(request, _)| *request == waits.name);
        assert_eq!((of_waits.len(), of_crowd), (1, serials.into_iter().collect()));
        Ok(())
    })
    .await
}

//! The real binary: what it says of itself, what it survives, and how it ends.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod support;

use std::{collections::BTreeMap, path::PathBuf};

use futures::future::join_all;
use support::{
    SOON, ask,
    ca::{new_authority, write_pool},
    eventually,
    http::{Page, free_address, get},
    issued::issued,
    on_cluster,
    process::{Process, signer_manager},
    proxy::Proxy,
    setup::Setup,
    told::{assert_says, assert_untouched, waiting},
};
use test_cluster::{
    BoundPod, CertificateSource, Cluster, ControlPlane, Error, KeyType, Kubelet, NewPod, NewService, Options,
    SentRequest, own_control_plane, verify::Chain,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}

#[tokio::test]
async fn livez_and_readyz_tell_who_is_up_and_what_the_others_lack() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (has, lacks) = (scope.signer_name("has-a-pool"), scope.signer_name("lacks-a-pool"));
        let setup = Setup::new().signer(&has, SPIFFE).signer_without_pool(&lacks, "kind: service-dns");
        let process = setup.spawn(scope.cluster());
        let path = setup.pool_path(&lacks);
        let path = path.display();
        let remedy =
            format!("  - {path} doesn't exist; make one with `signerctl ca-pool create --file {path}`");
        let says = [&format!("{has}: ready\n"), &format!("{lacks}: not ready\n"), &remedy];
        let page = process.readyz(|page| says.iter().all(|text| page.body.contains(*text))).await;
        assert_eq!(page.code, 503, "one signer has never been ready: {page:?}");
        let alive = Page { code: 200, body: "ok\n".into() };
        assert_eq!(get(process.http, "/livez").await.unwrap(), alive);
        assert_eq!(get(process.http, "/").await.unwrap().code, 404);

        write_pool(&setup.pool_path(&lacks), vec![new_authority("1")]);
        let page = process.ready().await;
        let mut lines: Vec<_> = page.body.lines().collect();
        lines.sort_unstable();
        let mut expected = [format!("{has}: ready"), format!("{lacks}: ready")];
        expected.sort_unstable();
        assert_eq!(lines, expected);

        // what was ready once keeps its last good pool
        std::fs::remove_file(setup.pool_path(&has)).unwrap();
        process
            .readyz(|page| page.code == 200 && page.body.contains("the last good pool stays in use"))
            .await;
        assert_eq!(get(process.http, "/livez").await.unwrap(), alive);
        Ok(())
    })
    .await
}

/// A control plane of a test's own, which comes back where it was.
struct Comeback(Options);

impl Comeback {
    /// `None` where there is only a foreign cluster.
    fn new(dir: PathBuf) -> Result<Option<Self>, Error> {
        let options = own_control_plane()?;
        Ok(options
            .map(|options| Self(Options { dir: Some(dir), port: Some(free_address().port()), ..options })))
    }

    async fn start(&self, without_pcr_api: bool) -> Result<ControlPlane, Error> {
        let options = Options { without_pcr_api, ..self.0.clone() };
        tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await.unwrap()
    }
}

async fn end(plane: ControlPlane) {
    tokio::task::spawn_blocking(move || drop(plane)).await.unwrap();
}

#[tokio::test]
async fn a_cluster_without_the_api_is_waited_for_and_so_is_its_return() -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let Some(comeback) = Comeback::new(dir.path().join("plane"))? else {
        eprintln!("skipped: needs a control plane of its own");
        return Ok(());
    };
    let plane = comeback.start(true).await?;
    let name = "without-api.example.test/spiffe";
    let setup = Setup::new().signer(name, SPIFFE);
    let mut process = setup.spawn(&Cluster::of(&plane).await?);
    let lacks_api =
        |page: &Page| page.body.contains("doesn't serve podcertificaterequests of certificates.k8s.io");
    let page = process.readyz(lacks_api).await;
    assert_eq!(page.code, 503);
    let gates = "--feature-gates=PodCertificateRequest=true,ClusterTrustBundle=true,ClusterTrustBundleProjection=true";
    let version = format!("the API server ({})", plane.kubernetes());
    assert_says(
        &page.body,
        &[&format!("{name}: not ready"), &version, gates, "--runtime-config=certificates.k8s.io/"],
    );
    assert!(process.is_running());
    end(plane).await;

    let plane = comeback.start(false).await?;
    process.ready().await;
    get_a_certificate(&plane, name).await?;
    end(plane).await;

    // an API that goes while requests are served, and an API server that is away for a while
    let plane = comeback.start(true).await?;
    process.readyz(lacks_api).await;
    end(plane).await;
    let plane = comeback.start(false).await?;
    process.ready().await;
    get_a_certificate(&plane, name).await?;
    process.terminate();
    assert_eq!(process.ended().await.code(), Some(0));
    end(plane).await;
    Ok(())
}

fn has_lost_its_watches(page: &Page, name: &str) -> bool {
    page.code == 503
        && page.body.contains(&format!("{name}: not ready"))
        && page.body.contains("  - watching ")
}

#[tokio::test]
async fn an_api_server_that_is_away_for_a_while_is_waited_for() -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let Some(comeback) = Comeback::new(dir.path().join("plane"))? else {
        eprintln!("skipped: needs a control plane of its own");
        return Ok(());
    };
    let plane = comeback.start(false).await?;
    let name = "away.example.test/service-dns";
    let setup = Setup::new().signer(name, "kind: service-dns");
    let mut process = setup.spawn(&Cluster::of(&plane).await?);
    process.ready().await;
    end(plane).await;
    process.readyz(|page| has_lost_its_watches(page, name)).await;
    assert!(process.is_running());

    // nothing happens there that a watch would tell of
    let plane = comeback.start(false).await?;
    process.readyz(|page| page.code == 200 && page.body == format!("{name}: ready\n")).await;
    process.terminate();
    assert_eq!(process.ended().await.code(), Some(0));
    end(plane).await;
    Ok(())
}

#[tokio::test]
async fn connections_that_break_are_taken_up_again() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let proxy = Proxy::start(scope.cluster()).await;
        let manager = Setup::new().signer(&name, "kind: service-dns").start_as(proxy.client());
        manager.ready().await;
        proxy.cut();
        manager.readyz(|page| has_lost_its_watches(page, &name)).await;
        // nothing happens there of which each of the watches would tell
        proxy.mend();
        manager.ready().await;
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source(&name));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

async fn get_a_certificate(plane: &ControlPlane, name: &str) -> Result<(), Error> {
    Cluster::of(plane)
        .await?
        .run(async |scope| {
            let namespace = scope.namespace("shop").await?;
            let pod = NewPod::new(&namespace, "web-0").certificate(source(name));
            let (_, request) = ask(&scope.kubelet().await?, pod).await?;
            issued(scope, &request).await.map(drop)
        })
        .await
}

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
async fn crowd(kubelet: &Kubelet, namespace: &str, name: &str, count: usize) -> Result<Vec<BoundPod>, Error> {
    let pods = (0..count).map(|i| NewPod::new(namespace, &format!("p{i}")).certificate(source(name)));
    kubelet.start_pods(pods).await
}

async fn ask_all(kubelet: &Kubelet, pods: &[BoundPod]) -> Result<Vec<SentRequest>, Error> {
    join_all(pods.iter().map(|pod| kubelet.request(pod, &pod.sources[0]))).await.into_iter().collect()
}

/// The serial number of each request's certificate, by the request's name.
async fn serials(requests: &[SentRequest], anchors_pem: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut serials = BTreeMap::new();
    for request in requests {
        let issued = request.outcome(SOON).await?.issued()?;
        let serial = Chain::new(&issued.chain_pem, anchors_pem)?.leaf().serial();
        serials.insert(request.name.clone(), serial.trim_start_matches("00").to_owned());
    }
    Ok(serials)
}

/// What the audit records of these processes say was issued, each as often as it is said.
fn audited(processes: &[&Process]) -> Vec<(String, String)> {
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

#[tokio::test]
async fn a_bad_configuration_ends_it_with_file_and_line() {
    let setup = Setup::new()
        .signer("a.example.test/a", "kind: spiffe, trustDomain: cluster.local, keyTypes: [RSA2048]");
    let setup = setup.signer("a.example.test/a", "kind: spiffy");
    let path = setup.write();
    for arguments in [&["--config"][..], &["check-config"]] {
        let output = signer_manager().args(arguments).arg(&path).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        let file = path.display();
        assert_says(
            &errors,
            &[&format!("{file}:2:"), "signers[0].keyTypes[0]", "\"RSA2048\" is no key type"],
        );
        assert_says(
            &errors,
            &[&format!("{file}:3:"), "signers[1].kind", "service-dns, spiffe or annotation"],
        );
        assert_says(&errors, &["signers[1].name", "is the name of another signer"]);
    }
}

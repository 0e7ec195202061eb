//! What a certificate costs the API server: counted from its own audit log, while thousands of Services
//! exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::support::{SOON, eventually, setup::Setup};
use kube::Client;
use test_cluster::{
    BoundPod, CertificateSource, Cluster, ControlPlane, Error, KeyType, Kubelet, Minor, NewPod, NewService,
    Options, Scope,
    audit::{self, Call},
    own_control_plane,
    verify::Chain,
};

/// Three certificates each.
const PODS: usize = 667;
const SERVICES: usize = 5000;
const NAMESPACES: usize = 10;
/// Pods that run, and ask again.
const RUNNING: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn two_calls_at_most_for_a_certificate_and_no_list() -> Result<(), Error> {
    let Some(options) = own_control_plane()? else {
        eprintln!("skipped: needs a control plane of its own");
        return Ok(());
    };
    if options.kubernetes.unwrap_or(Minor::newest()?) != Minor::newest()? {
        eprintln!("skipped: it is counted on the newest version");
        return Ok(());
    }
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.log");
    let options = Options { audit_log: Some(log.clone()), ..options };
    let plane = tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await.unwrap()?;
    let cluster = Cluster::of(&plane).await?;
    cluster.run(async |scope| measure(scope, &Audit(log)).await).await?;
    tokio::task::spawn_blocking(move || drop(plane)).await.unwrap();
    Ok(())
}

async fn measure(scope: &Scope, audit: &Audit) -> Result<(), Error> {
    let names = [("service-dns"), ("spiffe"), ("foo")].map(|path| scope.signer_name(path));
    let [dns, id, asked] = &names;
    let setup =
        Setup::new().signer(dns, "kind: service-dns").signer(id, "kind: spiffe, trustDomain: cluster.local");
    let setup = setup.signer(asked, "kind: annotation");
    let namespaces = crowded_namespaces(scope).await?;
    let kubelet = scope.kubelet().await?;

    let manager = setup.start_as(caller(scope, "first"));
    manager.ready().await;
    let (here, elsewhere) = (&namespaces[0], &namespaces[1]);
    let pods = pods(&kubelet, here, &names).await?;
    knows_a_last_pod(&kubelet, audit, elsewhere, id).await?;
    let before = audit.lists("first").await;
    let requests = burst(&kubelet, &pods, "first certificates").await?;
    let calls = audit.until_written("first", here, requests).await;
    assert_costs(&calls, &pods, 0);
    assert_eq!(audit.lists("first").await, before, "a list for a certificate");

    // running pods aren't watched: a refresh takes a look at its pod
    for pod in &pods[..RUNNING] {
        kubelet.set_phase(pod, "Running").await?;
    }
    let refreshed = burst(&kubelet, &pods[..RUNNING], "refreshes").await?;
    let calls = audit.until_written("first", here, requests + refreshed).await;
    assert_costs(&calls[requests..], &pods[..RUNNING], 1);
    assert_eq!(audit.lists("first").await, before, "a list for a certificate");
    manager.stop().await;
    assert_eq!(audit.events("first"), 0, "an event about what is issued");
    restart(scope, &setup, audit, &kubelet, &pods[..RUNNING]).await
}

/// Waits until the manager has heard of a pod that starts now, and so of all before it: until a certificate
/// for it takes no read of it.
async fn knows_a_last_pod(
    kubelet: &Kubelet,
    audit: &Audit,
    namespace: &str,
    signer_name: &str,
) -> Result<(), Error> {
    let source = CertificateSource::new(signer_name, KeyType::EcdsaP256);
    let pod = kubelet.start_pod(NewPod::new(namespace, "last").certificate(source)).await?;
    let (mut outcomes, mut reads) = (0, None);
    loop {
        kubelet.request(&pod, &pod.sources[0]).await?.outcome(SOON).await?.issued()?;
        outcomes += 1;
        let now = audit.until_written("first", namespace, outcomes).await.len() - outcomes;
        if reads.replace(now).unwrap_or_default() == now {
            return Ok(());
        }
    }
}

/// After a restart with everything pending nobody is told that anything is missing which has only not been
/// read yet.
async fn restart(
    scope: &Scope,
    setup: &Setup,
    audit: &Audit,
    kubelet: &Kubelet,
    pods: &[BoundPod],
) -> Result<(), Error> {
    let mut requests = Vec::new();
    for pod in pods {
        for source in &pod.sources {
            requests.push(kubelet.request(pod, source).await?);
        }
    }
    let manager = setup.start_as(caller(scope, "second"));
    for request in &requests {
        request.outcome(SOON).await?.issued()?;
    }
    manager.stop().await;
    let calls = audit.until_written("second", &pods[0].namespace, requests.len()).await;
    assert_costs(&calls, pods, 1);
    assert_eq!(audit.events("second"), 0);
    Ok(())
}

fn caller(scope: &Scope, name: &str) -> Client {
    scope.cluster().client_as(name, &["system:masters"]).unwrap()
}

/// Thousands of Services. One selects all pods of the first namespace; the others share a label key with
/// them, or their namespace.
async fn crowded_namespaces(scope: &Scope) -> Result<Vec<String>, Error> {
    let mut namespaces = Vec::new();
    for _ in 0..NAMESPACES {
        namespaces.push(scope.namespace("crowd").await?);
    }
    let service = |i: usize| {
        let service = NewService::new(&namespaces[i % NAMESPACES], &format!("s{i}")).headless();
        service.selects("app", if i == 0 { "web" } else { "other" }).selects("tier", "front")
    };
    scope.create_services((0..SERVICES).map(service)).await?;
    Ok(namespaces)
}

async fn pods(kubelet: &Kubelet, namespace: &str, names: &[String; 3]) -> Result<Vec<BoundPod>, Error> {
    let pod = |i| {
        let pod = NewPod::new(namespace, &format!("p{i}")).label("app", "web").label("tier", "front");
        names
            .iter()
            .map(|name| CertificateSource::new(name, KeyType::EcdsaP256))
            .fold(pod, NewPod::certificate)
    };
    kubelet.start_pods((0..PODS).map(pod)).await
}

/// Asks for all certificates of these pods at once. All are issued, none twice. Returns how many.
async fn burst(kubelet: &Kubelet, pods: &[BoundPod], what: &str) -> Result<usize, Error> {
    let wanted: Vec<_> =
        pods.iter().flat_map(|pod| pod.sources.iter().map(move |source| (pod, source))).collect();
    let burst = kubelet.burst(&wanted, 5 * SOON).await?;
    assert_eq!(burst.answered.len(), wanted.len());
    let (mut serials, mut latencies) = (BTreeSet::new(), Vec::new());
    for answered in burst.answered {
        let issued = answered.outcome.issued()?;
        // no anchors are needed to read a serial number
        let chain = Chain::new(&issued.chain_pem, &issued.chain_pem)?;
        assert_eq!(chain.leaf().public_key_der(), answered.request.key.public_key_der());
        serials.insert(chain.leaf().serial());
        latencies.push(answered.latency);
    }
    assert_eq!(serials.len(), wanted.len());
    latencies.sort();
    let (count, seconds) = (wanted.len(), burst.elapsed.as_secs_f64());
    eprintln!(
        "{what}: {count} in {seconds:.1} s, {:.0}/s; latency {:?} in the middle, {:?} at the 99th percentile",
        count as f64 / seconds,
        latencies[count / 2],
        latencies[count * 99 / 100]
    );
    Ok(count)
}

/// The API server's audit log.
struct Audit(PathBuf);

impl Audit {
    /// The finished calls of a user.
    fn of(&self, user: &str) -> Vec<Call> {
        let Self(path): &Self = self;
        let mut calls = audit::read(Path::new(path)).unwrap();
        calls.retain(|call| call.user == user);
        calls
    }

    /// The calls of a user that certificates of a namespace cost, once that many outcomes are written: in the
    /// order in which they ended.
    async fn until_written(&self, user: &str, namespace: &str, outcomes: usize) -> Vec<Call> {
        eventually("the audit log", async || {
            let mut calls = self.of(user);
            calls.retain(|call| call.namespace == namespace);
            calls.retain(|call| is_write(call) || (call.verb == "get" && call.resource == "pods"));
            let written = calls.iter().filter(|call| is_write(call)).count();
            if written >= outcomes { Ok(calls) } else { Err(format!("{written} of {outcomes} written")) }
        })
        .await
    }

    /// How many events a user has written.
    fn events(&self, user: &str) -> usize {
        self.of(user).iter().filter(|call| call.resource == "events").count()
    }

    /// How often a user has listed what. A list stands in the log a moment after its answer, but these ended
    /// long before.
    async fn lists(&self, user: &str) -> BTreeMap<String, usize> {
        // a list of one is how a watch finds out how recent the API server is, every half a minute
        audit::count(&self.of(user), |call| call.verb == "list" && !call.uri.ends_with("limit=1"))
    }
}

fn is_write(call: &Call) -> bool {
    (call.verb.as_str(), call.resource.as_str()) == ("update", "podcertificaterequests/status")
}

/// For each request one PUT that succeeds, and so many GETs of its pod, no more. Each pod has three requests.
fn assert_costs(calls: &[Call], pods: &[BoundPod], most_gets: usize) {
    let (writes, gets): (Vec<_>, Vec<_>) = calls.iter().partition(|call| is_write(call));
    eprintln!("  {} writes of outcomes, {} reads of pods", writes.len(), gets.len());
    let refused: Vec<_> = writes.iter().filter(|call| call.code != 200).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let requests: BTreeSet<_> = writes.iter().map(|call| &call.name).collect();
    assert_eq!(
        (requests.len(), writes.len()),
        (3 * pods.len(), 3 * pods.len()),
        "one write for each request"
    );
    for pod in pods {
        let of_pod = gets.iter().filter(|call| call.name == pod.name).count();
        assert!(of_pod <= 3 * most_gets, "{of_pod} reads of {}", pod.name);
    }
}

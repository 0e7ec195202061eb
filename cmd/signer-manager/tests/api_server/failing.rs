//! Whatever keeps requests from being finished is seen: on readiness, in the metrics, and in events. And it
//! goes when it is over.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::support::{
    ask,
    events::{assert_says, assert_untouched},
    eventually,
    fault_proxy::{Fate, Gate},
    http::get,
    issued::issued,
    on_cluster,
    running::Running,
    setup::Setup,
};
use axum::http::Method;
use kube::{Api, api::DeleteParams, core::DynamicObject};
use signer_core::{BoxError, Decision, Leaf, Request, Signer, SignerName};
use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope, SentRequest};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}

/// Waits until the pod's and the request's author are told.
async fn author_is_told(scope: &Scope, request: &SentRequest, pod_uid: &str) {
    for uid in [pod_uid, &request.uid] {
        eventually("the event IssuanceFailing", async || {
            let events = scope.events(&request.namespace, uid).await.unwrap();
            let is_told = events
                .iter()
                .any(|event| event.reason == "IssuanceFailing" && event.message.contains("operator"));
            if is_told { Ok(()) } else { Err(format!("{events:?}")) }
        })
        .await;
    }
}

/// Whether metrics show the problem, as this.
async fn in_metrics(manager: &Running, severity: &str, is_there: bool) {
    let labels = format!(r#"component="issuance",severity="{severity}""#);
    eventually("the metrics", async || {
        let page = get(manager.http, "/metrics").await.map_err(|error| error.to_string())?.body;
        if page.contains(&labels) == is_there { Ok(()) } else { Err(page) }
    })
    .await;
}

#[tokio::test]
async fn an_api_server_that_refuses_outcomes_is_seen_until_it_takes_them() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        for (code, says) in [
            (401, "credentials aren't accepted"),
            (403, "the verb sign on signers"),
            (422, "422 Bad: a bad day"),
        ] {
            let name = scope.signer_name("spiffe");
            let gate = Gate::open(scope.client()).await;
            let manager = Setup::new().signer(&name, SPIFFE).start_as(gate.client());
            manager.ready().await;
            gate.interfere(Method::PUT, "/podcertificaterequests/", Fate::Refused(code), usize::MAX);
            let pod = NewPod::new(&namespace, &format!("web-{code}")).certificate(source(&name));
            let (pod, request) = ask(&kubelet, pod).await?;
            let page = manager.readyz(|page| page.body.contains("can't be finished")).await;
            assert_eq!(page.code, 503, "{page:?}");
            let example = format!("1 request can't be finished, {namespace}/{}", request.name);
            assert_says(&page.body, &[&format!("{name}: not ready"), &example, says, &code.to_string()]);
            in_metrics(&manager, "error", true).await;
            author_is_told(scope, &request, &pod.uid).await;
            assert_untouched(&request).await?;
            gate.mend();
            issued(scope, &request).await?;
            assert_eq!(manager.ready().await.body, format!("{name}: ready\n"));
            in_metrics(&manager, "error", false).await;
            manager.stop().await;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_write_without_an_answer_is_seen_while_it_is_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let gate = Gate::open(scope.client()).await;
        let manager = Setup::new().signer(&name, SPIFFE).start_as(gate.client());
        manager.ready().await;
        gate.interfere(Method::PUT, "/podcertificaterequests/", Fate::Silence, 1);
        let pod = NewPod::new(&namespace, "web").certificate(source(&name));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        manager.readyz(|page| page.code == 503 && page.body.contains("can't be finished")).await;
        issued(scope, &request).await?;
        assert_eq!(manager.ready().await.body, format!("{name}: ready\n"));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_request_that_fails_among_others_is_a_warning_that_ends_with_it() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let kubelet = scope.kubelet().await?;
        let gate = Gate::open(scope.client()).await;
        let manager = Setup::new().signer(&name, SPIFFE).start_as(gate.client());
        manager.ready().await;
        let failing =
            kubelet.start_pod(NewPod::new(&namespace, "failing").certificate(source(&name))).await?;
        kubelet.set_phase(&failing, "Running").await?;
        gate.interfere(Method::GET, "/pods/failing", Fate::Refused(403), usize::MAX);
        let request = kubelet.request(&failing, &failing.sources[0]).await?;
        let others = AtomicUsize::new(0);
        // others are issued meanwhile, and when it shows
        let page = eventually("the warning", async || {
            let number = others.fetch_add(1, Ordering::Relaxed);
            let pod = NewPod::new(&namespace, &format!("web-{number}")).certificate(source(&name));
            let (_, other) = ask(&kubelet, pod).await.unwrap();
            issued(scope, &other).await.unwrap();
            let page = get(manager.http, "/readyz").await.unwrap();
            if page.body.contains("can't be finished") && page.code == 200 {
                Ok(page)
            } else {
                Err(page.body)
            }
        })
        .await;
        let what = format!("{namespace}/{} for the longest time: reading the pod", request.name);
        assert_says(&page.body, &[&format!("{name}: ready"), &what, "grant the controller get on pods"]);
        in_metrics(&manager, "warning", true).await;
        // it goes, and the warning with it
        let resource = scope.cluster().served().request_resource()?;
        let requests: Api<DynamicObject> = Api::namespaced_with(scope.client(), &namespace, &resource);
        requests.delete(&request.name, &DeleteParams::default()).await.unwrap();
        manager.readyz(|page| page.body == format!("{name}: ready\n")).await;
        manager.stop().await;
        Ok(())
    })
    .await
}

/// Decides at once, but for pods whose name says that it never does.
struct Hangs(SignerName);

impl Signer for Hangs {
    fn name(&self) -> &SignerName {
        &self.0
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        if request.pod().name.starts_with("hangs") {
            std::future::pending::<()>().await;
        }
        Ok(Decision::issue(Leaf::client().uri("https://example.com/team".parse()?)))
    }
}

#[tokio::test]
async fn a_signer_that_does_not_decide_stops_nobody_and_is_seen() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (crowded, other) = (scope.namespace("crowded").await?, scope.namespace("other").await?);
        let name = scope.signer_name("team");
        let kubelet = scope.kubelet().await?;
        let manager = Running::signer(Hangs(name.parse().unwrap()), scope.client());
        manager.ready().await;
        let pods = (0..64).map(|i| NewPod::new(&crowded, &format!("hangs-{i}")).certificate(source(&name)));
        let hanging = kubelet.start_pods(pods).await?;
        let mut requests = Vec::new();
        for pod in &hanging {
            requests.push(kubelet.request(pod, &pod.sources[0]).await?);
        }
        for namespace in [&other, &crowded] {
            let (_, good) = ask(&kubelet, NewPod::new(namespace, "good").certificate(source(&name))).await?;
            issued(scope, &good).await?;
        }
        let page = manager.readyz(|page| page.body.contains("the signer hasn't decided within 10 s")).await;
        assert_says(&page.body, &["can't be finished"]);
        author_is_told(scope, &requests[0], &hanging[0].uid).await;
        for request in &requests {
            assert_untouched(request).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

/// Panics where nobody expects a signer to do so: outside of `decide`.
struct Panics(SignerName, &'static AtomicBool);

impl Signer for Panics {
    fn name(&self) -> &SignerName {
        &self.0
    }

    async fn decide(&self, _: &Request) -> Result<Decision, BoxError> {
        Ok(Decision::issue(Leaf::client().uri("https://example.com/team".parse()?)))
    }

    fn reads_services(&self) -> bool {
        assert!(!self.1.load(Ordering::Relaxed), "a bug");
        false
    }
}

#[tokio::test]
async fn a_panic_costs_a_request_its_evaluation_and_is_seen() -> Result<(), Error> {
    static IS_BROKEN: AtomicBool = AtomicBool::new(false);
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("team"));
        let manager = Running::signer(Panics(name.parse().unwrap(), &IS_BROKEN), scope.client());
        manager.ready().await;
        IS_BROKEN.store(true, Ordering::Relaxed);
        let pod = NewPod::new(&namespace, "web").certificate(source(&name));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let page = manager.readyz(|page| page.body.contains("can't be finished")).await;
        assert_says(&page.body, &["evaluating the request panicked"]);
        assert!(!page.body.contains("a bug\n"), "a panic's message may tell anything: {page:?}");
        IS_BROKEN.store(false, Ordering::Relaxed);
        issued(scope, &request).await?;
        assert_eq!(manager.ready().await.body, format!("{name}: ready\n"));
        manager.stop().await;
        Ok(())
    })
    .await
}

//! Bad days of API servers and networks: what is late, lost or hidden never leads to a wrong word in a
//! status.

use crate::support::{
    SOON, ask,
    events::{assert_says, assert_untouched, waiting},
    fault_proxy::{Fate, Gate},
    issued::issued,
    on_cluster,
    setup::Setup,
};
use axum::http::Method;
use test_cluster::{CertificateSource, Error, KeyMaterial, KeyType, NewPod, NewService};

const SPIFFE: &str = "kind: spiffe, trustDomain: cluster.local";
const STATUS: &str = "/podcertificaterequests/";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}

#[tokio::test]
async fn whatever_goes_wrong_with_a_write_the_request_is_issued_once() -> Result<(), Error> {
    on_cluster(async |scope| {
        let kubelet = scope.kubelet().await?;
        let namespace = scope.namespace("shop").await?;
        let codes = [500, 503, 429, 422, 409].map(Fate::Refused);
        let fates = codes.into_iter().chain([Fate::AnswerLost(504)]);
        for (i, fate) in fates.enumerate() {
            let name = scope.signer_name("spiffe");
            let gate = Gate::open(scope.client()).await;
            let manager = Setup::new().signer(&name, SPIFFE).start_as(gate.client());
            gate.interfere(Method::PUT, STATUS, fate, 2);
            let (pod, request) =
                ask(&kubelet, NewPod::new(&namespace, &format!("web-{i}")).certificate(source(&name)))
                    .await?;
            issued(scope, &request).await?;
            assert_eq!(scope.events(&namespace, &pod.uid).await?, [], "{fate:?}");
            // it takes no harm either: the signer goes on, and is ready
            let (_, request) =
                ask(&kubelet, NewPod::new(&namespace, &format!("next-{i}")).certificate(source(&name)))
                    .await?;
            issued(scope, &request).await?;
            manager.ready().await;
            manager.stop().await;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_answer_that_never_comes_is_not_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let kubelet = scope.kubelet().await?;
        let pod = |pod: &str| NewPod::new(&namespace, pod).label("app", "web").certificate(source(&name));
        let (starting, running) =
            (kubelet.start_pod(pod("starting")).await?, kubelet.start_pod(pod("running")).await?);
        kubelet.set_phase(&running, "Running").await?;
        let requests = [
            kubelet.request(&starting, &starting.sources[0]).await?,
            kubelet.request(&running, &running.sources[0]).await?,
        ];
        let gate = Gate::open(scope.client()).await;
        gate.interfere(Method::GET, "/pods/running", Fate::Silence, 1);
        gate.interfere(Method::PUT, &requests[0].name, Fate::Silence, 1);
        gate.interfere(Method::POST, "/clustertrustbundles", Fate::Silence, 1);
        let manager = Setup::new().signer(&name, "kind: service-dns").start_as(gate.client());
        for request in &requests {
            request.outcome(3 * SOON).await?.issued()?;
            issued(scope, request).await?;
        }
        manager.ready().await;
        assert_eq!(gate.outstanding(), 0);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pod_that_cannot_be_read_now_is_read_later() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let kubelet = scope.kubelet().await?;
        let gate = Gate::open(scope.client()).await;
        let mut requests = Vec::new();
        for code in [500, 503, 429, 403] {
            let pod = NewPod::new(&namespace, &format!("running-{code}")).certificate(source(&name));
            let pod = kubelet.start_pod(pod).await?;
            kubelet.set_phase(&pod, "Running").await?;
            gate.interfere(Method::GET, &format!("/pods/{}", pod.name), Fate::Refused(code), 2);
            requests.push(kubelet.request(&pod, &pod.sources[0]).await?);
        }
        let manager = Setup::new().signer(&name, SPIFFE).start_as(gate.client());
        for request in &requests {
            issued(scope, request).await?;
        }
        assert_eq!(gate.outstanding(), 0);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn nothing_is_denied_or_dropped_on_what_a_watch_told_some_time_ago() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespace = scope.namespace("shop").await?;
        let (strict, foo) = (scope.signer_name("strict"), scope.signer_name("foo"));
        let setup = Setup::new().signer(&strict, "kind: service-dns, noServices: deny");
        let setup = setup.signer(&foo, "kind: annotation");
        let kubelet = scope.kubelet().await?;
        let key = format!("{foo}-duration");
        let pod = |pod: &str, name: &str| NewPod::new(&namespace, pod).certificate(source(name));
        let mended = kubelet.start_pod(pod("mended", &foo).annotation(&key, "for ever")).await?;
        let selected = kubelet.start_pod(pod("selected", &strict).label("app", "web")).await?;
        let gate = Gate::open(scope.client()).await;
        let manager = setup.start_as(gate.client());
        manager.ready().await;

        gate.stall_watches(&["/pods", "/services"]);
        kubelet.annotate(&mended, &[(&key, Some("2h"))]).await?;
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let request = kubelet.request(&mended, &mended.sources[0]).await?;
        assert_eq!(issued(scope, &request).await?.lifetime_seconds(), 7200);
        let request = kubelet.request(&selected, &selected.sources[0]).await?;
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), [format!("web.{namespace}.svc")]);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_name_without_a_service_is_not_given_on_what_a_watch_told_some_time_ago() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, foo) = (scope.namespace("shop").await?, scope.signer_name("foo"));
        let kubelet = scope.kubelet().await?;
        let gate = Gate::open(scope.client()).await;
        let manager = Setup::new().signer(&foo, "kind: annotation").start_as(gate.client());
        manager.ready().await;

        gate.stall_watches(&["/services"]);
        scope.create_service(NewService::new(&namespace, "web").selects("app", "other")).await?;
        let pod = |pod: &str| NewPod::new(&namespace, pod).certificate(source(&foo));
        let names = |pod: &str, kinds: &[&str]| -> Vec<String> {
            kinds.iter().map(|kind| format!("{pod}.{namespace}.{kind}.cluster.local")).collect()
        };
        let web = kubelet.start_pod(pod("web")).await?;
        let request = kubelet.request(&web, &web.sources[0]).await?;
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), names("web", &["pod"]));
        let batch = kubelet.start_pod(pod("batch")).await?;
        let request = kubelet.request(&batch, &batch.sources[0]).await?;
        assert_eq!(issued(scope, &request).await?.leaf().dns_names(), names("batch", &["pod", "svc"]));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_that_the_served_version_hides_is_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        if !scope.cluster().served().request_versions.contains(&"v1") {
            return Ok(()); // there is no version without the old fields
        }
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let gate = Gate::open(scope.client()).await;
        gate.interfere(Method::GET, "/apis/certificates.k8s.io/v1beta1", Fate::Refused(404), usize::MAX);
        let setup = Setup::new().signer(&name, SPIFFE);
        let manager = setup.start_as(gate.client());
        let kubelet = scope.kubelet().await?;
        let pod = kubelet.start_pod(NewPod::new(&namespace, "web-0").certificate(source(&name))).await?;
        let draft = kubelet
            .draft(&pod, &pod.sources[0])
            .version("v1beta1")
            .key_material(KeyMaterial::PublicKeyAndProof);
        let request = draft.send().await?;
        let message = waiting(scope, &pod.uid, &request, "PublicKeyMissing").await?;
        assert_says(
            &message,
            &["neither stubPKCS10Request nor pkixPublicKey", "upgrade the node's kubelet", "v1beta1"],
        );
        assert_untouched(&request).await?;
        // a new kubelet's request is none the worse for it
        issued(scope, &kubelet.request(&pod, &pod.sources[0]).await?).await?;
        manager.stop().await;
        // with v1beta1 it can be seen
        let manager = setup.start(scope);
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

//! Refreshes that are withheld: a running pod is never broken by a change of mind.

use crate::support::{
    SOON, ask,
    events::{assert_says, waiting},
    issued::issued,
    on_cluster,
    running::Running,
    setup::Setup,
};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;
use test_cluster::{
    BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, NewService, Scope, SentRequest,
};

const SERVICE_DNS: &str = "kind: service-dns";

fn source(name: &str) -> CertificateSource {
    CertificateSource::new(name, KeyType::EcdsaP256)
}

fn web(namespace: &str) -> NewService {
    NewService::new(namespace, "web").selects("app", "web")
}

/// A pod that got a certificate, and runs.
async fn running_pod(scope: &Scope, kubelet: &Kubelet, pod: NewPod) -> Result<BoundPod, Error> {
    let (pod, request) = ask(kubelet, pod).await?;
    issued(scope, &request).await?;
    kubelet.set_phase(&pod, "Running").await?;
    Ok(pod)
}

/// A refresh that is withheld for what would be that reason at a pod's start.
async fn assert_withheld(
    scope: &Scope,
    pod: &BoundPod,
    request: &SentRequest,
    reason: &str,
) -> Result<(), Error> {
    let message = waiting(scope, &pod.uid, request, "RefreshWithheld").await?;
    let kept = "the running pod keeps the certificate that it has until that expires; a new one is withheld";
    assert_says(&message, &[&format!("{kept} ({reason}): ")]);
    let denials = scope.events(&pod.namespace, &pod.uid).await?;
    assert!(denials.iter().all(|event| event.reason == "RefreshWithheld"), "{denials:?}");
    Ok(())
}

/// A configuration under which a pod gets a certificate, one under which it wouldn't, and why not.
struct ChangeOfMind {
    subject: &'static str,
    before: &'static str,
    after: &'static str,
    reason: &'static str,
}

const CHANGES_OF_MIND: [ChangeOfMind; 4] = [
    ChangeOfMind {
        subject: "grant",
        before: "kind: annotation, grants: [{namespaces: [\"*\"], serviceAccounts: [\"*\"], dnsNames: [www.example.com]}]",
        after: "kind: annotation",
        reason: "IdentityNotGranted",
    },
    ChangeOfMind {
        subject: "allow",
        before: "kind: spiffe, trustDomain: cluster.local",
        after: "kind: spiffe, trustDomain: cluster.local, allow: [{namespaces: [other], serviceAccounts: [\"*\"]}]",
        reason: "IdentityNotGranted",
    },
    ChangeOfMind {
        subject: "key-types",
        before: "kind: spiffe, trustDomain: cluster.local",
        after: "kind: spiffe, trustDomain: cluster.local, keyTypes: [ED25519]",
        reason: "UnsupportedKeyType",
    },
    ChangeOfMind {
        subject: "max-lifetime",
        before: "kind: annotation",
        after: "kind: annotation, maxLifetime: 1h",
        reason: "InvalidPodAnnotations",
    },
];

#[tokio::test]
async fn a_change_of_the_configuration_never_breaks_a_running_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
        let names: Vec<_> = CHANGES_OF_MIND.iter().map(|change| scope.signer_name(change.subject)).collect();
        let all = || names.iter().zip(&CHANGES_OF_MIND);
        let before = all().fold(Setup::new(), |setup, (name, change)| setup.signer(name, change.before));
        let after = all().fold(before.clone(), |setup, (name, change)| setup.changed(name, change.after));

        let manager = before.start(scope);
        let mut pods = Vec::new();
        for (name, change) in all() {
            let pod = NewPod::new(&namespace, change.subject).certificate(source(name));
            let pod = match change.subject {
                "grant" => pod.annotation(&format!("{name}-san"), "www.example.com"),
                "max-lifetime" => pod.annotation(&format!("{name}-duration"), "2h"),
                _ => pod,
            };
            pods.push(running_pod(scope, &kubelet, pod).await?);
        }
        manager.stop().await;

        let manager = after.start(scope);
        let mut requests = Vec::new();
        for (pod, change) in pods.iter().zip(&CHANGES_OF_MIND) {
            let request = kubelet.request(pod, &pod.sources[0]).await?;
            assert_withheld(scope, pod, &request, change.reason).await?;
            requests.push(request);
        }
        manager.stop().await;

        let manager = before.start(scope);
        for request in &requests {
            issued(scope, request).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

/// A running pod with the label app=web, which the Service `web` selects, and a manager that knows it as
/// such: it has listed both before it looks at a request.
async fn behind_a_service(
    scope: &Scope,
    kubelet: &Kubelet,
    fields: &str,
    pod: impl FnOnce(NewPod, &str) -> NewPod,
) -> Result<(Running, BoundPod), Error> {
    let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("signer"));
    let setup = Setup::new().signer(&name, fields);
    scope.create_service(web(&namespace)).await?;
    let first = setup.start(scope);
    let new = NewPod::new(&namespace, "web-0").label("app", "web");
    let pod = running_pod(scope, kubelet, pod(new, &name)).await?;
    first.stop().await;
    Ok((setup.start(scope), pod))
}

#[tokio::test]
async fn a_service_that_goes_never_breaks_a_running_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let kubelet = scope.kubelet().await?;
        let plain = |pod: NewPod, name: &str| pod.certificate(source(name));
        for (fields, reason) in [
            (SERVICE_DNS, "WaitingForService"),
            ("kind: service-dns, noServices: deny", "ServiceDoesNotSelectPod"),
        ] {
            let (manager, pod) = behind_a_service(scope, &kubelet, fields, plain).await?;
            scope.delete_service(&pod.namespace, "web").await?;
            let request = refreshed_after_the_change(scope, &kubelet, &pod).await?;
            assert_withheld(scope, &pod, &request, reason).await?;
            scope.create_service(web(&pod.namespace)).await?;
            issued(scope, &request).await?;
            manager.stop().await;
        }
        Ok(())
    })
    .await
}

/// A refresh that was decided on after the manager had heard of a change. What it hadn't heard of yet, it may
/// issue.
async fn refreshed_after_the_change(
    scope: &Scope,
    kubelet: &Kubelet,
    pod: &BoundPod,
) -> Result<SentRequest, Error> {
    loop {
        let request = kubelet.request(pod, &pod.sources[0]).await?;
        let told = scope.event(&pod.namespace, &request.uid, "RefreshWithheld", SOON);
        tokio::select! {
            told = told => return told.map(|_| request),
            outcome = request.outcome(SOON) => { outcome?.issued()?; }
        }
    }
}

#[tokio::test]
async fn a_service_that_selects_others_now_never_breaks_a_running_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let kubelet = scope.kubelet().await?;
        let named = |pod: NewPod, name: &str| {
            pod.annotation(&format!("{name}-san"), "web.${pod.namespace}.svc").certificate(source(name))
        };
        let (manager, pod) = behind_a_service(scope, &kubelet, "kind: annotation", named).await?;
        select(scope, &pod.namespace, "other").await;
        let request = refreshed_after_the_change(scope, &kubelet, &pod).await?;
        assert_withheld(scope, &pod, &request, "ServiceDoesNotSelectPod").await?;
        select(scope, &pod.namespace, "web").await;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

async fn select(scope: &Scope, namespace: &str, app: &str) {
    let services: Api<Service> = Api::namespaced(scope.client(), namespace);
    let selector = Patch::Merge(json!({"spec": {"selector": {"app": app}}}));
    services.patch("web", &PatchParams::default(), &selector).await.unwrap();
}

#[tokio::test]
async fn an_annotation_that_changes_never_breaks_a_running_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("foo"));
        let manager = Setup::new().signer(&name, "kind: annotation").start(scope);
        let kubelet = scope.kubelet().await?;
        let key = format!("{name}-duration");
        let pod = NewPod::new(&namespace, "web-0").annotation(&key, "2h").certificate(source(&name));
        let pod = running_pod(scope, &kubelet, pod).await?;
        kubelet.annotate(&pod, &[(&key, Some("for ever"))]).await?;
        let request = refreshed_after_the_change(scope, &kubelet, &pod).await?;
        assert_withheld(scope, &pod, &request, "InvalidPodAnnotations").await?;
        kubelet.annotate(&pod, &[(&key, Some("3h"))]).await?;
        assert_eq!(issued(scope, &request).await?.lifetime_seconds(), 3 * 3600);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pod_one_of_whose_containers_runs_counts_as_running() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("foo"));
        let manager = Setup::new().signer(&name, "kind: annotation").start(scope);
        let kubelet = scope.kubelet().await?;
        let key = format!("{name}-duration");
        let pod = NewPod::new(&namespace, "web-0").annotation(&key, "for ever").certificate(source(&name));
        let pod = kubelet.start_pod(pod).await?;
        run_a_container(scope, &pod).await;
        let request = kubelet.request(&pod, &pod.sources[0]).await?;
        assert_withheld(scope, &pod, &request, "InvalidPodAnnotations").await?;
        kubelet.annotate(&pod, &[(&key, Some("3h"))]).await?;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

/// The phase stays Pending, as long as another container hasn't started.
async fn run_a_container(scope: &Scope, pod: &BoundPod) {
    let state = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
    let container = json!({"name": "main", "image": "a", "imageID": "a", "ready": true, "restartCount": 0, "state": state});
    let status = Patch::Merge(json!({"status": {"phase": "Pending", "containerStatuses": [container]}}));
    let pods: Api<Pod> = Api::namespaced(scope.client(), &pod.namespace);
    pods.patch_status(&pod.name, &PatchParams::default(), &status).await.unwrap();
}

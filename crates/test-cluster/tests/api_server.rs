//! The stand-in for kubelet is taken for one by a real API server.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
    core::DynamicObject,
};
use serde_json::json;
use test_cluster::{CertificateSource, Cluster, Error, KeyMaterial, KeyType, NewPod, NewService, Outcome};

/// For what takes moments, on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(180);

#[tokio::test]
async fn requests_for_each_key_type_are_accepted() -> Result<(), Error> {
    Cluster::connect()
        .await?
        .run(async |scope| {
            let (namespace, signer) = (scope.namespace("keys").await?, scope.signer_name("any"));
            let kubelet = scope.kubelet().await?;
            let sources = KeyType::ALL.map(|key_type| CertificateSource::new(&signer, key_type));
            let pod = sources.into_iter().fold(NewPod::new(&namespace, "all"), NewPod::certificate);
            let pod = kubelet.start_pod(pod.service_account("worker")).await?;
            for source in &pod.sources {
                let request = kubelet.request(&pod, source).await?;
                let spec = &request.read().await?["spec"];
                assert_eq!(spec["signerName"], *signer);
                assert_eq!(spec["maxExpirationSeconds"], 86400);
                assert_eq!(spec["serviceAccountName"], "worker");
            }
            Ok(())
        })
        .await
}

#[tokio::test]
async fn each_served_version_takes_kubelets_request() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let source = CertificateSource::new(&scope.signer_name("any"), KeyType::EcdsaP256);
            let pod = NewPod::new(&scope.namespace("versions").await?, "one").certificate(source);
            let kubelet = scope.kubelet().await?;
            let pod = kubelet.start_pod(pod).await?;
            for version in &cluster.served().request_versions {
                let request =
                    kubelet.draft(&pod, &pod.sources[0]).version(version).send().await?.read().await?;
                assert_eq!(request["apiVersion"], format!("certificates.k8s.io/{version}"));
            }
            Ok(())
        })
        .await
}

#[tokio::test]
async fn key_material_is_what_the_versions_kubelet_sends() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let pod = NewPod::new(&scope.namespace("keys").await?, "one");
            let source = CertificateSource::new(&scope.signer_name("any"), KeyType::EcdsaP384);
            let kubelet = scope.kubelet().await?;
            let pod = kubelet.start_pod(pod.certificate(source)).await?;
            let spec = &kubelet.request(&pod, &pod.sources[0]).await?.read().await?["spec"];
            let field = match cluster.served().key_material() {
                KeyMaterial::CertificateSigningRequest => "stubPKCS10Request",
                KeyMaterial::PublicKeyAndProof => "pkixPublicKey",
            };
            assert!(spec[field].as_str().is_some_and(|key| !key.is_empty()), "{spec}");
            Ok(())
        })
        .await
}

#[tokio::test]
async fn a_node_cannot_ask_for_another_nodes_pod() -> Result<(), Error> {
    Cluster::connect()
        .await?
        .run(async |scope| {
            let namespace = scope.namespace("nodes").await?;
            let source = CertificateSource::new(&scope.signer_name("any"), KeyType::Ed25519);
            let (mine, theirs) = (scope.kubelet().await?, scope.kubelet().await?);
            let pod = mine.start_pod(NewPod::new(&namespace, "one").certificate(source)).await?;
            let own = mine.request(&pod, &pod.sources[0]).await?;
            let refusal = theirs.request(&pod, &pod.sources[0]).await.unwrap_err();
            assert_eq!(refusal.code(), Some(403), "{refusal:?}");
            assert!(format!("{refusal:?}").contains("is not running on node"), "{refusal:?}");
            own.stays_pending(Duration::from_millis(200)).await
        })
        .await
}

#[tokio::test]
async fn an_administrators_request_may_lie() -> Result<(), Error> {
    Cluster::connect()
        .await?
        .run(async |scope| {
            let namespace = scope.namespace("lies").await?;
            let source = CertificateSource::new(&scope.signer_name("any"), KeyType::EcdsaP256);
            let kubelet = scope.kubelet().await?;
            let pod = kubelet.start_pod(NewPod::new(&namespace, "one").certificate(source)).await?;
            let draft = kubelet.draft(&pod, &pod.sources[0]).with(|spec| spec.pod_name = "nobody".into());
            let request = draft.as_admin().send().await?.read().await?;
            assert_eq!(request["spec"]["podName"], "nobody");
            assert_eq!(request["metadata"]["ownerReferences"], json!(null));
            Ok(())
        })
        .await
}

#[tokio::test]
async fn a_denial_is_seen_with_its_reason() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("denied").await?;
            let source = CertificateSource::new(&scope.signer_name("any"), KeyType::EcdsaP256);
            let kubelet = scope.kubelet().await?;
            let pod = kubelet.start_pod(NewPod::new(&namespace, "one").certificate(source)).await?;
            let request = kubelet.request(&pod, &pod.sources[0]).await?;
            let denier = tokio::spawn(deny_all(cluster.requests(&namespace)?));
            let outcome = request.outcome(SOON).await?;
            denier.abort();
            assert_eq!(outcome, Outcome::Denied { reason: "Test".into(), message: "no".into() });
            Ok(())
        })
        .await
}

#[tokio::test]
async fn a_burst_ends_when_all_is_answered() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("burst").await?;
            let kubelet = scope.kubelet().await?;
            let source = CertificateSource::new(&scope.signer_name("any"), KeyType::EcdsaP256);
            let pods = (0..20).map(|i| NewPod::new(&namespace, &format!("p{i}")).certificate(source.clone()));
            let pods = kubelet.start_pods(pods).await?;
            let wanted: Vec<_> = pods.iter().map(|pod| (pod, &source)).collect();
            let denier = tokio::spawn(deny_all(cluster.requests(&namespace)?));
            let burst = kubelet.burst(&wanted, SOON).await?;
            denier.abort();
            assert_eq!(burst.answered.len(), 20);
            assert!(burst.answered.iter().all(|answered| answered.latency <= burst.elapsed));
            Ok(())
        })
        .await
}

/// A signer that answers at once.
async fn deny_all(requests: Api<DynamicObject>) -> kube::Result<()> {
    let condition = json!({"type": "Denied", "status": "True", "reason": "Test", "message": "no",
        "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let status = Patch::Merge(json!({"status": {"conditions": [condition]}}));
    loop {
        for request in requests.list(&ListParams::default()).await? {
            if request.data["status"]["conditions"].is_null() {
                requests.patch_status(&request.name_any(), &PatchParams::default(), &status).await?;
            }
        }
    }
}

#[tokio::test]
async fn pods_change_phase_and_terminate() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("phases").await?;
            scope.create_service(NewService::new(&namespace, "web").selects("app", "web").headless()).await?;
            let kubelet = scope.kubelet().await?;
            let pod = kubelet
                .start_pod(NewPod::new(&namespace, "web-0").label("app", "web").subdomain("web"))
                .await?;
            let pods: Api<Pod> = Api::namespaced(scope.client(), &namespace);
            kubelet.set_phase(&pod, "Running").await?;
            kubelet.annotate(&pod, &[("example.com/note", Some("seen"))]).await?;
            let now = pods.get("web-0").await.unwrap();
            assert_eq!(now.status.unwrap().phase.as_deref(), Some("Running"));
            assert_eq!(now.metadata.annotations.unwrap()["example.com/note"], "seen");
            kubelet.terminate(&pod).await?;
            assert!(pods.get("web-0").await.unwrap().metadata.deletion_timestamp.is_some());
            Ok(())
        })
        .await
}

#[tokio::test]
async fn a_panicking_test_leaves_no_namespace() {
    let cluster = Cluster::connect().await.unwrap();
    let (name, test) = std::sync::mpsc::channel();
    let run = async {
        cluster
            .run(async |scope| {
                name.send(scope.namespace("panic").await.unwrap()).unwrap();
                panic!("on purpose");
            })
            .await
    };
    let result: Result<(), _> = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(run)).await;
    result.unwrap_err();
    let namespaces: Api<Namespace> = Api::all(cluster.client());
    let left = namespaces.get_opt(&test.recv().unwrap()).await.unwrap();
    assert!(left.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some()));
}

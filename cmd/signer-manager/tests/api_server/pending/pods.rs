//! Pods that are missing, not bound, or gone; and what their authors hear.

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, PostParams},
};
use serde_json::{Value, json};
use test_cluster::{BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, SentRequest};

use crate::{
    pending::SERVICE_DNS,
    pending::SPIFFE,
    pending::source,
    support::{
        A_WHILE, SOON, ask,
        events::{assert_says, assert_untouched, waiting},
        issued::issued,
        on_cluster,
        setup::Setup,
    },
};

/// A request for a pod that only its name and UID tell of.
async fn request_for(kubelet: &Kubelet, like: &BoundPod, pod: &str, uid: &str) -> Result<SentRequest, Error> {
    let draft = kubelet.draft(like, &like.sources[0]).as_admin();
    draft.with(|spec| (spec.pod_name, spec.pod_uid) = (pod.into(), uid.into())).send().await
}

#[tokio::test]
async fn a_pod_that_is_missing_is_waited_for_and_another_of_its_name_is_not_it() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        let pod = kubelet.start_pod(NewPod::new(&namespace, "web-0").certificate(source(&name))).await?;
        let uid = "00000000-0000-4000-8000-000000000000";
        let request = request_for(&kubelet, &pod, "nobody", uid).await?;
        let message = waiting(scope, uid, &request, "PodNotFound").await?;
        assert_says(&message, &[&format!("the API server knows no pod nobody in namespace {namespace}")]);
        request.stays_pending(A_WHILE).await?;
        kubelet.start_pod(NewPod::new(&namespace, "nobody").certificate(source(&name))).await?;
        let (reason, message) = request.outcome(SOON).await?.denied()?;
        assert_eq!(reason, "RequestDoesNotMatchPod", "{message}");
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pod_that_is_not_bound_yet_is_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        let like = kubelet.start_pod(NewPod::new(&namespace, "web-0").certificate(source(&name))).await?;
        let pods: Api<Pod> = Api::namespaced(scope.client(), &namespace);
        let created = pods.create(&PostParams::default(), &unbound_pod("web-1", &name)).await.unwrap();
        let uid = created.uid().unwrap();
        let request = request_for(&kubelet, &like, "web-1", &uid).await?;
        let message = waiting(scope, &uid, &request, "PodNotFound").await?;
        assert_says(
            &message,
            &["the pod web-1 isn't bound to a node yet; the request claims", kubelet.node_name()],
        );
        bind(&pods, "web-1", kubelet.node_name()).await;
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

fn unbound_pod(name: &str, signer_name: &str) -> Pod {
    let source = json!({"podCertificate": {"signerName": signer_name, "keyType": "ECDSAP256", "credentialBundlePath": "a.pem"}});
    let pod = json!({
        "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "registry.invalid/main"}],
            "tolerations": [{"operator": "Exists"}],
            "volumes": [{"name": "certificates", "projected": {"sources": [source]}}],
        },
    });
    serde_json::from_value(pod).unwrap()
}

async fn bind(pods: &Api<Pod>, name: &str, node: &str) {
    let binding =
        json!({"metadata": {"name": name}, "target": {"apiVersion": "v1", "kind": "Node", "name": node}});
    let _: Value = pods.create_subresource("binding", name, &PostParams::default(), &binding).await.unwrap();
}

#[tokio::test]
async fn however_often_a_request_is_tried_its_pod_hears_once() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("service-dns"));
        let manager = Setup::new().signer(&name, SERVICE_DNS).start(scope);
        let kubelet = scope.kubelet().await?;
        let pod = NewPod::new(&namespace, "web-0").label("app", "web").certificate(source(&name));
        let (pod, first) = ask(&kubelet, pod).await?;
        manager.looks(&first, 5).await;
        // as after 15 minutes: the request is deleted, and kubelet asks again
        let requests = scope.cluster().requests(&namespace)?;
        requests.delete(&first.name, &DeleteParams::default()).await.unwrap();
        let second = kubelet.request(&pod, &pod.sources[0]).await?;
        manager.looks(&second, 3).await;
        for uid in [&first.uid, &second.uid, &pod.uid] {
            let events = scope.events(&namespace, uid).await?;
            assert_eq!(events.len(), 1, "{events:?}");
            assert_eq!((events[0].reason.as_str(), events[0].count), ("WaitingForService", 1));
        }
        assert_untouched(&second).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn terminating_and_finished_pods_are_left_alone() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer(&name, &format!("{SPIFFE}, keyTypes: [ECDSAP256]"));
        let kubelet = scope.kubelet().await?;
        let pod = |pod: &str, key_type| {
            NewPod::new(&namespace, pod).certificate(CertificateSource::new(&name, key_type))
        };
        let terminating = kubelet.start_pod(pod("terminating", KeyType::EcdsaP256)).await?;
        kubelet.terminate(&terminating).await?;
        let unsupported = kubelet.start_pod(pod("unsupported", KeyType::Ed25519)).await?;
        kubelet.terminate(&unsupported).await?;
        let mut pods = vec![terminating, unsupported];
        for phase in ["Succeeded", "Failed"] {
            let finished = kubelet.start_pod(pod(&phase.to_lowercase(), KeyType::EcdsaP256)).await?;
            kubelet.set_phase(&finished, phase).await?;
            pods.push(finished);
        }
        let mut requests = Vec::new();
        for pod in &pods {
            requests.push(kubelet.request(pod, &pod.sources[0]).await?);
        }

        let manager = setup.start(scope);
        let (_, request) = ask(&kubelet, pod("alive", KeyType::EcdsaP256)).await?;
        issued(scope, &request).await?;
        for (pod, request) in pods.iter().zip(&requests) {
            request.stays_pending(A_WHILE).await?;
            assert_untouched(request).await?;
            assert_eq!(scope.events(&namespace, &request.uid).await?, []);
            assert_eq!(scope.events(&namespace, &pod.uid).await?, []);
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

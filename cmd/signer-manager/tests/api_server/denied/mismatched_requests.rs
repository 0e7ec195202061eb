//! Requests that are not what their pod has asked for.

use test_cluster::{
    BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, PodKey, RequestSpec, Scope,
};

use crate::{
    denied::SPIFFE,
    denied::assert_denied,
    support::{on_cluster, setup::Setup},
};

/// A pod with one source and the kubelet of its node.
async fn a_pod(scope: &Scope, name: &str) -> Result<(Kubelet, BoundPod), Error> {
    let (namespace, kubelet) = (scope.namespace("shop").await?, scope.kubelet().await?);
    let source = CertificateSource::new(name, KeyType::EcdsaP256);
    let pod = kubelet
        .start_pod(NewPod::new(&namespace, "web-0").service_account("web").certificate(source))
        .await?;
    Ok((kubelet, pod))
}

#[tokio::test]
async fn a_request_that_lies_about_its_pod() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let (kubelet, pod) = a_pod(scope, &name).await?;
        let other = scope.kubelet().await?;
        let (node, node_uid) = (other.node_name().to_owned(), other.node_uid().to_owned());
        let on_other_node = move |spec: &mut RequestSpec| (spec.node_name, spec.node_uid) = (node, node_uid);
        let as_admin = |spec: &mut RequestSpec| spec.service_account_name = "cluster-admin".into();

        // NodeRestriction would refuse these, but whoever isn't a node bypasses it
        let draft = || kubelet.draft(&pod, &pod.sources[0]).as_admin();
        let request = draft().with(on_other_node).send().await?;
        let fact = format!("the pod web-0 runs on {}", kubelet.node_name());
        let parts = ["spec.nodeName is", other.node_name(), &fact, "must repeat what the API server says"];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;
        let request = draft().with(as_admin).send().await?;
        let parts = ["spec.serviceAccountName is \"cluster-admin\"", "the pod web-0 runs as web"];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_for_a_pod_that_was_replaced() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let (kubelet, pod) = a_pod(scope, &name).await?;
        let draft = kubelet.draft(&pod, &pod.sources[0]).as_admin();
        kubelet.remove(&pod).await?;
        let successor =
            NewPod::new(&pod.namespace, &pod.name).service_account("web").certificate(pod.sources[0].clone());
        let successor = kubelet.start_pod(successor).await?;
        // one that hadn't heard of the successor yet might issue to the pod that it knew
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let asked = (pod.clone(), draft.send().await?);
        let parts = [
            &format!("spec.podUID is {:?}", pod.uid),
            &format!("the pod web-0 has the UID {}", successor.uid),
        ];
        assert_denied(scope, &asked, "RequestDoesNotMatchPod", &parts.map(String::as_str)).await?;
        kubelet
            .request(&successor, &successor.sources[0])
            .await?
            .outcome(crate::support::SOON)
            .await?
            .issued()?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_that_the_pod_never_made() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (name, other) = (scope.signer_name("spiffe"), scope.signer_name("other"));
        let manager = Setup::new().signer(&name, SPIFFE).signer(&other, SPIFFE).start(scope);
        let (kubelet, pod) = a_pod(scope, &name).await?;
        let mute = kubelet.start_pod(NewPod::new(&pod.namespace, "mute").service_account("web")).await?;
        let source = pod.sources[0].clone();

        // a compromised node can do much of this: how far NodeRestriction looks at volumes depends on the
        // version
        let draft = |source: &CertificateSource| kubelet.draft(&pod, source).as_admin();
        let to_other = CertificateSource { signer_name: other.clone(), ..source.clone() };
        let asks = format!("the pod asks for {name} ECDSAP256 for 24h");
        let request = draft(&to_other).send().await?;
        let parts =
            ["no podCertificate volume source of the pod web-0", &format!("signerName {other}"), &asks];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;

        let request = draft(&source).key(PodKey::of(KeyType::Ed25519)?).send().await?;
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &["keyType ED25519", &asks])
            .await?;

        let request = kubelet
            .draft(&pod, &source)
            .with(|spec| spec.max_expiration_seconds = Some(86_401))
            .send()
            .await?;
        let parts = ["maxExpirationSeconds 86401 (24h1s)", &asks];
        assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;

        let request = kubelet.draft(&mute, &source).as_admin().send().await?;
        assert_denied(
            scope,
            &(mute, request),
            "RequestDoesNotMatchPod",
            &["the pod asks for no certificate at all"],
        )
        .await?;

        if scope.cluster().served().has_user_annotations() {
            let annotated = source.clone().user_annotation("example.com/admin", "true");
            let request = draft(&annotated).send().await?;
            let parts = ["and the 1 user annotations of the request", "with 0 user annotations"];
            assert_denied(scope, &(pod.clone(), request), "RequestDoesNotMatchPod", &parts).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_running_pod_too_is_denied_what_it_never_asked_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let (kubelet, pod) = a_pod(scope, &name).await?;
        kubelet.set_phase(&pod, "Running").await?;
        let draft =
            kubelet.draft(&pod, &pod.sources[0]).with(|spec| spec.max_expiration_seconds = Some(7200));
        let asked = (pod.clone(), draft.send().await?);
        assert_denied(scope, &asked, "RequestDoesNotMatchPod", &["maxExpirationSeconds 7200 (2h)"]).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

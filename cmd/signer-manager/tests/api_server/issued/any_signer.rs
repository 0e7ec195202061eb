//! What holds for each signer: its settings, the kinds of requests, refreshes.

use test_cluster::{CertificateSource, Error, KeyMaterial, KeyType, NewPod, NewService};

use crate::{
    issued::SPIFFE,
    support::{ask, issued::issued, on_cluster, setup::Setup},
};

#[tokio::test]
async fn the_signer_s_settings_bound_every_certificate() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let fields = format!("{SPIFFE}, maxLifetime: 2h, refreshAt: 30m, clockSkew: 0s, keyTypes: [ED25519]");
        let manager = Setup::new().signer(&name, &fields).start(scope);
        let source = CertificateSource::new(&name, KeyType::Ed25519);
        let (_, request) =
            ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let issued = issued(scope, &request).await?;
        issued.assert_times(7200, 1800);
        // its condition may be made a while after it
        assert!((-1..60).contains(&issued.backdated_seconds(&request).await?));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn names_in_a_csr_never_appear() -> Result<(), Error> {
    on_cluster(async |scope| {
        if scope.cluster().served().key_material() == KeyMaterial::PublicKeyAndProof {
            return Ok(()); // there is no CSR in this version's requests
        }
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let pod = kubelet.start_pod(NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let draft = kubelet.draft(&pod, &pod.sources[0]);
        let request = draft.csr_names("admin", &["victim.example", "192.0.2.1"]).send().await?;
        let issued = issued(scope, &request).await?;
        assert_eq!(issued.leaf().subject(), "");
        assert_eq!(issued.leaf().uris(), [format!("spiffe://cluster.local/ns/{namespace}/sa/default")]);
        assert_eq!(issued.leaf().alternative_name_count(), 1);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_kubelet_older_than_the_api_server_is_served() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        // what kubelet 1.35 sends, in the version that the signer prefers as long as it is served
        for (i, key_type) in KeyType::ALL.into_iter().enumerate() {
            let source = CertificateSource::new(&name, key_type);
            let pod =
                kubelet.start_pod(NewPod::new(&namespace, &format!("web-{i}")).certificate(source)).await?;
            let draft = kubelet.draft(&pod, &pod.sources[0]).key_material(KeyMaterial::PublicKeyAndProof);
            issued(scope, &draft.send().await?).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_request_in_another_served_version_is_answered() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        for version in scope.cluster().served().request_versions.clone() {
            let source = CertificateSource::new(&name, KeyType::EcdsaP256);
            let pod = kubelet.start_pod(NewPod::new(&namespace, version).certificate(source)).await?;
            issued(scope, &kubelet.draft(&pod, &pod.sources[0]).version(version).send().await?).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn one_pod_may_ask_several_signers() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespace = scope.namespace("shop").await?;
        let (dns, id, foo) =
            (scope.signer_name("service-dns"), scope.signer_name("spiffe"), scope.signer_name("foo"));
        let setup = Setup::new()
            .signer(&dns, "kind: service-dns")
            .signer(&id, SPIFFE)
            .signer(&foo, "kind: annotation");
        let manager = setup.start(scope);
        scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let kubelet = scope.kubelet().await?;
        let sources = [&dns, &id, &foo].map(|name| CertificateSource::new(name, KeyType::EcdsaP256));
        let pod = NewPod::new(&namespace, "web-0").label("app", "web");
        let pod = kubelet.start_pod(sources.into_iter().fold(pod, NewPod::certificate)).await?;
        let mut all = Vec::new();
        for source in &pod.sources {
            all.push(issued(scope, &kubelet.request(&pod, source).await?).await?);
        }
        assert_eq!(all[0].leaf().dns_names(), [format!("web.{namespace}.svc")]);
        assert_eq!(all[1].leaf().uris(), [format!("spiffe://cluster.local/ns/{namespace}/sa/default")]);
        assert_eq!(all[2].leaf().subject(), "CN=web-0");
        let anchors: std::collections::BTreeSet<_> =
            all.iter().map(|issued| &issued.bundle.anchors_pem).collect();
        assert_eq!(anchors.len(), 3, "each signer has a CA of its own");
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_running_pod_gets_its_next_certificate() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, SPIFFE).start(scope);
        let kubelet = scope.kubelet().await?;
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let (pod, request) = ask(&kubelet, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let first = issued(scope, &request).await?;
        kubelet.set_phase(&pod, "Running").await?;
        let next = issued(scope, &kubelet.request(&pod, &pod.sources[0]).await?).await?;
        assert_eq!(next.leaf().uris(), first.leaf().uris());
        assert_ne!(next.leaf().serial(), first.leaf().serial());
        manager.stop().await;
        Ok(())
    })
    .await
}

//! What is in them, and when they change.

use kube::api::DeleteParams;
use serde_json::json;
use signer_core::ca_pool::CaPool;
use test_cluster::{Certificate, CertificateSource, Error, KeyType, NewPod, TrustBundle};

use crate::{
    bundles::SPIFFE,
    bundles::bundle_name,
    bundles::bundle_of,
    bundles::change,
    bundles::label,
    bundles::roots,
    support::{
        SOON, ask,
        ca::{CaKey, PemCa, new_authority, write_pool},
        events::assert_says,
        http::Page,
        issued::issued,
        on_cluster,
        setup::Setup,
    },
};

#[tokio::test]
async fn a_bundle_is_published_under_the_names_that_pods_look_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (id, dns) = (scope.signer_name("spiffe"), scope.signer_name("service-dns"));
        let setup = Setup::new().signer(&id, SPIFFE).signer(&dns, "kind: service-dns");
        let manager = setup.start(scope);
        let bundle = bundle_of(scope, &id, &roots(&setup, &id)).await?;
        assert_eq!((bundle.name, bundle.signer_name), (bundle_name(&id), id.clone()));
        let labels = [
            (label(&id, "canarying"), "live".into()),
            (label(&id, "trust-domain"), "prod.example.com".into()),
            ("k8s.spiffe.io/canarying".into(), "live".into()),
            ("k8s.spiffe.io/workload-trust-domain".into(), "prod.example.com".into()),
            ("k8s.spiffe.io/peer-trust-domain".into(), "prod.example.com".into()),
        ];
        assert_eq!(bundle.labels, labels.into());
        let bundle = bundle_of(scope, &dns, &roots(&setup, &dns)).await?;
        assert_eq!(bundle.labels, [(label(&dns, "canarying"), "live".into())].into());
        assert_eq!(scope.cluster().trust_bundles(&dns).await?.len(), 1);
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn all_roots_are_published_and_the_first_ca_signs() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer_without_pool(&name, SPIFFE);
        write_pool(&setup.pool_path(&name), vec![new_authority("first"), new_authority("second")]);
        let manager = setup.start(scope);
        let bundle = bundle_of(scope, &name, &roots(&setup, &name)).await?;
        let anchors = Certificate::all(&bundle.anchors_pem)?;
        assert_eq!(anchors.len(), 2);
        let pod =
            NewPod::new(&namespace, "web-0").certificate(CertificateSource::new(&name, KeyType::EcdsaP256));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        assert_eq!(issued(scope, &request).await?.leaf().issuer_der(), anchors[0].subject_der());
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_intermediate_is_never_published() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let ca = PemCa::intermediate(CaKey::P256);
        let manager = Setup::new().signer_of(&name, SPIFFE, &ca).start(scope);
        let bundle = scope.cluster().trust_bundle(&name, SOON, |_| true).await?;
        let anchors = Certificate::all(&bundle.anchors_pem)?;
        assert_eq!(anchors.len(), 1);
        assert_eq!(anchors[0].der(), Certificate::all(&ca.root.unwrap())?[0].der());
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn drift_is_repaired_and_what_others_added_stays() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let (manager, right) = (setup.start(scope), roots(&setup, &name));
        bundle_of(scope, &name, &right).await?;
        let foreign = PemCa::root(CaKey::P256).cert;
        let labels = json!({label(&name, "canarying"): null, "example.com/team": "infra"});
        change(scope, &name, json!({"metadata": {"labels": labels}, "spec": {"trustBundle": foreign}}))
            .await?;
        let repaired = bundle_of(scope, &name, &right).await?;
        assert_eq!(repaired.labels[&label(&name, "canarying")], "live");
        assert_eq!(repaired.labels["example.com/team"], "infra");

        let bundles = scope.cluster().trust_bundle_api()?;
        bundles.delete(&bundle_name(&name), &DeleteParams::default()).await.unwrap();
        bundle_of(scope, &name, &right).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn of_replicas_that_are_configured_differently_the_last_one_labels_the_bundle() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let changed = setup.changed(&name, "kind: spiffe, trustDomain: test.example.com");
        let trust_domain = label(&name, "trust-domain");
        let old = setup.start(scope);
        old.ready().await;
        let new = changed.start(scope);
        let is_new = |bundle: &TrustBundle| bundle.labels[&trust_domain] == "test.example.com";
        scope.cluster().trust_bundle(&name, SOON, is_new).await?;
        let told = |page: &Page| page.body.contains("aren't those of this replica's configuration");
        old.readyz(|page| page.code == 200 && told(page)).await;
        new.ready().await;
        old.stop().await;
        // a label that somebody removed is repaired
        change(scope, &name, json!({"metadata": {"labels": {&trust_domain: null}}})).await?;
        let is_repaired = |bundle: &TrustBundle| {
            bundle.labels.get(&trust_domain).is_some_and(|value| value == "test.example.com")
        };
        scope.cluster().trust_bundle(&name, SOON, is_repaired).await?;
        new.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bundle_that_is_right_is_not_written() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let manager = setup.start(scope);
        manager.ready().await;
        change(scope, &name, json!({"metadata": {"labels": {"example.com/team": "infra"}}})).await?;
        manager.stop().await;
        let before = bundle_of(scope, &name, &roots(&setup, &name)).await?;
        // ready: it has compared the bundle with what it should be
        for _ in 0..2 {
            let manager = setup.start(scope);
            manager.ready().await;
            manager.stop().await;
        }
        assert_eq!(scope.cluster().trust_bundles(&name).await?, [before]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pool_that_changes_is_published_and_a_broken_one_leaves_the_last_good_one_in_use()
-> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer(&name, SPIFFE);
        let (manager, path) = (setup.start(scope), setup.pool_path(&name));
        bundle_of(scope, &name, &roots(&setup, &name)).await?;
        let first = CaPool::from_json(&std::fs::read(&path).unwrap()).unwrap().into_authorities().remove(0);
        write_pool(&path, vec![first, new_authority("2")]);
        let right = roots(&setup, &name);
        bundle_of(scope, &name, &right).await?;

        std::fs::write(&path, "{\"CAs\": [{\"ID\": \"1\"}]}").unwrap();
        let is_kept = |page: &Page| page.code == 200 && page.body.contains("the last good pool stays in use");
        let page = manager.readyz(is_kept).await;
        assert_says(
            &page.body,
            &[&format!("{name}: ready"), &path.display().to_string(), "CAs[0] (ID \"1\")"],
        );
        let pod =
            NewPod::new(&namespace, "web-0").certificate(CertificateSource::new(&name, KeyType::EcdsaP256));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        issued(scope, &request).await?;
        bundle_of(scope, &name, &right).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_signers_never_share_a_ca() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (a, b) = (scope.signer_name("a"), scope.signer_name("b"));
        let setup = Setup::new().signer(&a, SPIFFE).signer_without_pool(&b, SPIFFE);
        std::fs::copy(setup.pool_path(&a), setup.pool_path(&b)).unwrap();
        let manager = setup.start(scope);
        let page = manager.readyz(|page| page.body.contains("shares a key or a root with")).await;
        assert_eq!(page.code, 503, "{page:?}");
        let is_refused_for = format!("that of the signer {b};");
        let (refused, other) = if page.body.contains(&is_refused_for) { (&a, &b) } else { (&b, &a) };
        let why = format!(
            "shares a key or a root with that of the signer {other}; give each signer a CA of its own"
        );
        assert_says(&page.body, &[&format!("{refused}: not ready"), &why]);
        assert_eq!(scope.cluster().trust_bundles(refused).await?, []);
        // mended on the other's side
        write_pool(&setup.pool_path(other), vec![new_authority("1")]);
        manager.ready().await;
        manager.stop().await;
        Ok(())
    })
    .await
}

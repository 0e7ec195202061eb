//! A pool is overwritten with another one, or lost: what is in use, and what is published, stays good.

use std::{fs, time::Duration};

use crate::support::{
    A_WHILE, SOON,
    ageing::age_bundle,
    ca::{new_authority, subject, write_pool, write_whole},
    events::{assert_says, waiting_as},
    http::Page,
    issued::issued,
    on_cluster,
    pool::{asked, issuer, published, read, rotate},
    setup::Setup,
};
use kube::api::{Patch, PatchParams};
use serde_json::json;
use signer_core::ca_pool::{BUNDLE_PROPAGATION, CaPool};
use test_cluster::{
    Error, Scope, TrustBundle,
    verify::{Chain, Purpose},
};

const SPIFFE: &str = "kind: spiffe, trustDomain: prod.example.com";

/// As `kubectl annotate` does with `<item>-`.
async fn remove_annotation(scope: &Scope, signer_name: &str, item: &str) {
    let bundles = scope.cluster().trust_bundle_api().unwrap();
    let (domain, path) = signer_name.split_once('/').unwrap();
    let patch = json!({"metadata": {"annotations": {format!("{path}.{domain}/{item}"): null}}});
    let name = format!("{}:primary-bundle", signer_name.replace('/', ":"));
    bundles.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_pool_of_an_older_generation_changes_nothing() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let path = setup.pool_path(&name);
        rotate(&path);
        let right = fs::read(&path).unwrap();
        let pool = CaPool::from_json(&right).unwrap();
        let manager = setup.start(scope);
        manager.ready().await;
        write_pool(&path, vec![new_authority("1")]);
        manager.readyz(|page| page.code == 200 && page.body.contains("older than the one in use")).await;
        assert_eq!(issuer(scope, &name, "running").await?, subject(&pool, 0));
        manager.stop().await;
        // who doesn't know the right one any more signs nothing
        let manager = setup.start(scope);
        manager.readyz(|page| page.body.contains("waits for the pool of the bundle")).await;
        published(scope, &name, &pool).await?;
        let (_, request) = asked(scope, &name, "wrong").await?;
        request.stays_pending(A_WHILE).await?;
        write_whole(&path, &right);
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

/// As docs/ca-rotation.md has it, "A lost key".
#[tokio::test]
async fn a_lost_pool_is_replaced_while_its_certificates_stay_good() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let path = setup.pool_path(&name);
        rotate(&path);
        let manager = setup.start(scope);
        manager.ready().await;
        let (lost, day) = (read(&path), Some(Duration::from_secs(24 * 3600)));
        let chain_pem = issued(scope, &asked(scope, &name, "before").await?.1).await?.status.chain_pem;
        manager.stop().await;
        // as `signerctl ca-pool create` makes it
        let new = CaPool::beginning_with(new_authority("1"), None, day).unwrap();
        write_whole(&path, &new.to_json().unwrap());
        let manager = setup.start(scope);
        let (_, request) = asked(scope, &name, "after").await?;
        let page = manager.readyz(|page| page.body.contains("waits for the pool of the bundle")).await;
        assert_says(&page.body, &["not ready", "two minutes where kubelet mounts it"]);
        published(scope, &name, &lost).await?;
        remove_annotation(scope, &name, "generation").await;
        let has_both = |bundle: &TrustBundle| {
            let mut roots = lost.roots().into_iter().chain(new.roots());
            roots.all(|root| bundle.anchors_pem.contains(&root.to_pem()))
        };
        let bundle = scope.cluster().trust_bundle(&name, SOON, has_both).await?;
        Chain::new(&chain_pem, &bundle.anchors_pem)?.verify(Purpose::Client).unwrap();
        request.stays_pending(A_WHILE).await?;
        age_bundle(scope, &name, BUNDLE_PROPAGATION).await;
        assert_eq!(issued(scope, &request).await?.leaf().issuer_der(), subject(&new, 0));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_ca_that_is_overwritten_stays_trusted_and_the_new_one_waits_until_pods_know_it() -> Result<(), Error>
{
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let path = setup.pool_path(&name);
        let manager = setup.start(scope);
        manager.ready().await;
        let old = read(&path);
        assert_eq!(issuer(scope, &name, "before").await?, subject(&old, 0));
        write_pool(&path, vec![new_authority("1")]);
        let new = read(&path);
        let both = new.signing().root().to_pem() + &old.signing().root().to_pem();
        scope.cluster().trust_bundle(&name, SOON, |bundle| bundle.anchors_pem == both).await?;
        let (pod_uid, request) = asked(scope, &name, "after").await?;
        let spreads = ["isn't known to all pods before"];
        waiting_as(scope, &pod_uid, &request, "CertificateAuthorityUnavailable", &spreads).await?;
        // it passes, so the signer counts as ready
        let is_said = |page: &Page| page.code == 200 && page.body.contains("no certificates are issued now");
        manager.readyz(is_said).await;
        age_bundle(scope, &name, BUNDLE_PROPAGATION).await;
        let issued = issued(scope, &request).await?;
        assert_eq!(issued.leaf().issuer_der(), subject(&new, 0));
        assert_eq!(issued.bundle.anchors_pem, both);
        manager.stop().await;
        Ok(())
    })
    .await
}

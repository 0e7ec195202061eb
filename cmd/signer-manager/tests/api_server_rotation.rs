//! A pool changes: what is published, who signs, and what replicas do that hold different versions of it.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use signer_core::{CaPool, PROPAGATION, Succession};
use support::{
    A_WHILE, SOON,
    ageing::age_bundle,
    ask,
    ca::{new_authority, subject, write_pool, write_whole},
    issued::issued,
    on_cluster,
    setup::Setup,
    told::{assert_says, waiting},
};
use test_cluster::{
    CertificateSource, Error, KeyType, NewPod, Scope, SentRequest, TrustBundle,
    verify::{Chain, Purpose},
};

const SPIFFE: &str = "kind: spiffe, trustDomain: prod.example.com";

/// Longer than the keeper of a bundle waits after it has written one, before it looks again.
const BETWEEN_WRITES: Duration = Duration::from_secs(7);

fn read(path: &Path) -> CaPool {
    CaPool::from_json(&fs::read(path).unwrap()).unwrap()
}

/// Changes a pool file, as a mounted Secret changes: at once.
fn change(path: &Path, change: impl FnOnce(CaPool) -> CaPool) {
    write_whole(path, &change(read(path)).to_json().unwrap());
}

/// Adds a successor whose turn has come already: only the bundle holds it back.
fn rotate(path: &Path) {
    let now = Timestamp::now();
    let day = Some(Duration::from_secs(24 * 3600));
    let succession = Succession { signs_from: now, longest_leaf: day, predecessors_longest_leaf: day };
    change(path, |pool| pool.with_successor(new_authority("2"), succession, now).unwrap());
}

/// The same signer with a pool file of its own that says the same: a replica that learns later of changes.
fn replica(of: &Setup, signer_name: &str) -> Setup {
    let replica = Setup::new().signer_without_pool(signer_name, SPIFFE);
    fs::copy(of.pool_path(signer_name), replica.pool_path(signer_name)).unwrap();
    replica
}

async fn published(scope: &Scope, signer_name: &str, pool: &CaPool) -> Result<(), Error> {
    let anchors: String = pool.roots().into_iter().map(|root| root.to_pem()).collect();
    scope.cluster().trust_bundle(signer_name, SOON, |bundle| bundle.anchors_pem == anchors).await.map(|_| ())
}

/// As `kubectl annotate` does with `<item>-`.
async fn remove_annotation(scope: &Scope, signer_name: &str, item: &str) {
    let bundles = scope.cluster().trust_bundle_api().unwrap();
    let (domain, path) = signer_name.split_once('/').unwrap();
    let patch = json!({"metadata": {"annotations": {format!("{path}.{domain}/{item}"): null}}});
    let name = format!("{}:primary-bundle", signer_name.replace('/', ":"));
    bundles.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

async fn asked(scope: &Scope, signer_name: &str, name: &str) -> Result<(String, SentRequest), Error> {
    let namespace = scope.namespace(name).await?;
    let source = CertificateSource::new(signer_name, KeyType::EcdsaP256);
    let (pod, request) =
        ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
    Ok((pod.uid, request))
}

/// Who signs now.
async fn issuer(scope: &Scope, signer_name: &str, name: &str) -> Result<Vec<u8>, Error> {
    let (_, request) = asked(scope, signer_name, name).await?;
    Ok(issued(scope, &request).await?.leaf().issuer_der().to_vec())
}

#[tokio::test]
async fn a_successor_is_published_at_once_and_the_one_before_it_goes_on() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let manager = setup.start(scope);
        manager.ready().await;
        rotate(&setup.pool_path(&name));
        let pool = read(&setup.pool_path(&name));
        published(scope, &name, &pool).await?;
        assert_eq!(issuer(scope, &name, "after").await?, subject(&pool, 0));
        age_bundle(scope, &name, PROPAGATION).await;
        tokio::time::sleep(BETWEEN_WRITES).await;
        assert_eq!(issuer(scope, &name, "later").await?, subject(&pool, 1));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_replica_that_lags_behind_leaves_the_bundle_alone_and_signs_with_what_is_published()
-> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let new = Setup::new().signer(&name, SPIFFE);
        let old = replica(&new, &name);
        rotate(&new.pool_path(&name));
        let pool = read(&new.pool_path(&name));
        let (fast, slow) = (new.start(scope), old.start(scope));
        slow.readyz(|page| page.body.contains("waits for the pool of the bundle")).await;
        published(scope, &name, &pool).await?;
        let before = scope.cluster().trust_bundles(&name).await?;
        tokio::time::sleep(BETWEEN_WRITES).await;
        assert_eq!(scope.cluster().trust_bundles(&name).await?, before);
        fast.stop().await;
        assert_eq!(issuer(scope, &name, "slow").await?, subject(&pool, 0));
        slow.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_leaked_root_goes_at_once_and_no_replica_brings_it_back_or_signs_under_it() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let new = Setup::new().signer(&name, SPIFFE);
        let old = replica(&new, &name);
        let (fast, slow) = (new.start(scope), old.start(scope));
        fast.ready().await;
        slow.ready().await;
        change(&new.pool_path(&name), |pool| {
            pool.without_compromised("1", Some((new_authority("2"), None)), Timestamp::now()).unwrap()
        });
        let pool = read(&new.pool_path(&name));
        published(scope, &name, &pool).await?;
        let page = slow.readyz(|page| page.body.contains("waits for the pool of the bundle")).await;
        assert_says(&page.body, &["not ready", "kubectl annotate clustertrustbundle"]);
        assert_eq!(issuer(scope, &name, "both").await?, subject(&pool, 0));
        fast.stop().await;
        let (pod_uid, request) = asked(scope, &name, "slow").await?;
        let message = waiting(scope, &pod_uid, &request, "CertificateAuthorityUnavailable").await?;
        assert_says(&message, &["a newer CA pool, which doesn't have this CA any more"]);
        published(scope, &name, &pool).await?;
        // the newer pool reaches it, and it serves who waits
        fs::copy(new.pool_path(&name), old.pool_path(&name)).unwrap();
        assert_eq!(issued(scope, &request).await?.leaf().issuer_der(), subject(&pool, 0));
        slow.stop().await;
        Ok(())
    })
    .await
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
        let page = manager.readyz(|page| page.body.contains("older than the one in use")).await;
        assert_eq!(page.code, 200, "{page:?}");
        assert_eq!(issuer(scope, &name, "running").await?, subject(&pool, 0));
        manager.stop().await;
        // who doesn't know the right one any more signs nothing
        let manager = setup.start(scope);
        manager.readyz(|page| page.body.contains("not ready")).await;
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
        assert_says(&page.body, &["not ready", "what is published now stays trusted"]);
        published(scope, &name, &lost).await?;
        remove_annotation(scope, &name, "generation").await;
        let has_both = |bundle: &TrustBundle| {
            let mut roots = lost.roots().into_iter().chain(new.roots());
            roots.all(|root| bundle.anchors_pem.contains(&root.to_pem()))
        };
        let bundle = scope.cluster().trust_bundle(&name, SOON, has_both).await?;
        Chain::new(&chain_pem, &bundle.anchors_pem)?.verify(Purpose::Client).unwrap();
        request.stays_pending(A_WHILE).await?;
        age_bundle(scope, &name, PROPAGATION).await;
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
        let message = waiting(scope, &pod_uid, &request, "CertificateAuthorityUnavailable").await?;
        assert_says(&message, &["isn't known to all pods before"]);
        age_bundle(scope, &name, PROPAGATION).await;
        let issued = issued(scope, &request).await?;
        assert_eq!(issued.leaf().issuer_der(), subject(&new, 0));
        assert_eq!(issued.bundle.anchors_pem, both);
        manager.stop().await;
        Ok(())
    })
    .await
}

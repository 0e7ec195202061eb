//! A pool changes: what is published, who signs, and what replicas do that hold different versions of it.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;
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
use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope, SentRequest};

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

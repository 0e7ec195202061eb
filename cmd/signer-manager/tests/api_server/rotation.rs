//! A pool changes: what is published, who signs, and what replicas do that hold different versions of it.

use std::{fs, time::Duration};

use crate::support::{
    A_WHILE, SOON,
    ageing::{age_bundle, aged_pool},
    ca::{constrained_authority, new_authority, subject, write_whole},
    events::{assert_says, waiting},
    eventually,
    fault_proxy::{Fate, Gate},
    http::Page,
    issued::issued,
    on_cluster,
    pool::{asked, change, issuer, published, read, rotate, rotate_to},
    proxy::Proxy,
    setup::Setup,
};
use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use kube::api::DeleteParams;
use signer_core::ca_pool::BUNDLE_PROPAGATION;
use test_cluster::Error;

const SPIFFE: &str = "kind: spiffe, trustDomain: prod.example.com";

/// Longer than the keeper of a bundle waits after it has written one, before it looks again.
const BETWEEN_WRITES: Duration = Duration::from_secs(7);

/// The same signer with a pool file of its own that says the same: a replica that learns later of changes.
fn replica(of: &Setup, signer_name: &str) -> Setup {
    let replica = Setup::new().signer_without_pool(signer_name, SPIFFE);
    fs::copy(of.pool_path(signer_name), replica.pool_path(signer_name)).unwrap();
    replica
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
        age_bundle(scope, &name, BUNDLE_PROPAGATION).await;
        eventually("the successor to sign", async || match issuer(scope, &name, "later").await.unwrap() {
            issuer if issuer == subject(&pool, 1) => Ok(()),
            _ => Err("the first CA still signs".to_owned()),
        })
        .await;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_root_of_a_ca_leaves_when_its_last_certificate_has_expired_though_nobody_prunes()
-> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let path = setup.pool_path(&name);
        rotate(&path);
        let pool = read(&path);
        let manager = setup.start(scope);
        published(scope, &name, &pool).await?;
        manager.stop().await;
        let retired = pool.schedule().windows()[0].trusted_until.unwrap();
        let time: Duration =
            (retired.duration_since(Timestamp::now()) + SignedDuration::from_mins(3)).try_into().unwrap();
        write_whole(&path, &aged_pool(&fs::read(&path).unwrap(), time));
        age_bundle(scope, &name, time).await;
        let manager = setup.start(scope);
        let left = pool.authority(1).root().to_pem();
        scope.cluster().trust_bundle(&name, SOON, |bundle| bundle.anchors_pem == left).await?;
        assert_eq!(issuer(scope, &name, "after").await?, subject(&pool, 1));
        manager.ready().await;
        assert_eq!(read(&path).authorities().count(), 2, "its key stays until somebody prunes the pool");
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_successor_whose_constraints_forbid_what_is_issued_does_not_take_over() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("annotation");
        let setup = Setup::new().signer(&name, "kind: annotation");
        let path = setup.pool_path(&name);
        rotate_to(&path, constrained_authority("2", "corp.example.com"));
        let pool = read(&path);
        let manager = setup.start(scope);
        published(scope, &name, &pool).await?;
        age_bundle(scope, &name, BUNDLE_PROPAGATION).await;
        let told = |page: &Page| page.body.contains("can sign nothing that this signer issues");
        let page = manager.readyz(|page| page.code == 200 && told(page)).await;
        let why =
            "carry DNS:any-example.any-example.pod.cluster.local: it permits DNS:corp.example.com alone";
        assert_says(&page.body, &["CA \"2\"", why]);
        assert_eq!(issuer(scope, &name, "after").await?, subject(&pool, 0));
        change(&path, |pool| pool.without_compromised("1", None, Timestamp::now()).unwrap());
        manager.readyz(|page| page.code == 503 && page.body.contains("not ready\n  - CA \"2\"")).await;
        let (pod_uid, request) = asked(scope, &name, "alone").await?;
        let message = waiting(scope, &pod_uid, &request, "CertificateAuthorityUnavailable").await?;
        assert_says(&message, &["it permits DNS:corp.example.com alone"]);
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
        assert_says(&page.body, &["not ready", "two minutes where kubelet mounts it"]);
        assert_eq!(issuer(scope, &name, "both").await?, subject(&pool, 0));
        fast.stop().await;
        let (pod_uid, request) = asked(scope, &name, "slow").await?;
        let message = waiting(scope, &pod_uid, &request, "CertificateAuthorityUnavailable").await?;
        assert_says(&message, &["a newer CA pool, which doesn't have this CA any more"]);
        published(scope, &name, &pool).await?;
        // nor does it make the bundle anew
        let bundle = format!("{}:primary-bundle", name.replace('/', ":"));
        let bundles = scope.cluster().trust_bundle_api()?;
        bundles.delete(&bundle, &DeleteParams::default()).await.unwrap();
        slow.readyz(|page| page.body.contains("leaves making it anew to replicas")).await;
        tokio::time::sleep(BETWEEN_WRITES).await;
        assert!(bundles.get_opt(&bundle).await.unwrap().is_none());
        request.stays_pending(A_WHILE).await?;
        // the newer pool reaches it, and it serves who waits
        fs::copy(new.pool_path(&name), old.pool_path(&name)).unwrap();
        assert_eq!(issued(scope, &request).await?.leaf().issuer_der(), subject(&pool, 0));
        slow.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_replica_whose_watch_of_the_bundle_fails_signs_on_and_hears_of_a_leaked_root_all_the_same()
-> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let new = Setup::new().signer(&name, SPIFFE);
        let old = replica(&new, &name);
        let first = read(&new.pool_path(&name));
        let proxy = Proxy::start(scope.cluster()).await;
        let gate = Gate::open(proxy.client()).await;
        let (fast, slow) = (new.start(scope), old.start_as(gate.client()));
        fast.ready().await;
        slow.ready().await;
        fast.stop().await;
        gate.interfere(Method::GET, "/clustertrustbundles?", Fate::Refused(500), usize::MAX);
        proxy.cut();
        slow.readyz(|page| page.body.contains("watching ClusterTrustBundles")).await;
        proxy.mend();
        assert_eq!(issuer(scope, &name, "blind").await?, subject(&first, 0));
        change(&new.pool_path(&name), |pool| {
            pool.without_compromised("1", Some((new_authority("2"), None)), Timestamp::now()).unwrap()
        });
        let fast = new.start(scope);
        published(scope, &name, &read(&new.pool_path(&name))).await?;
        fast.stop().await;
        slow.readyz(|page| page.body.contains("waits for the pool of the bundle")).await;
        let (pod_uid, request) = asked(scope, &name, "leaked").await?;
        let message = waiting(scope, &pod_uid, &request, "CertificateAuthorityUnavailable").await?;
        assert_says(&message, &["a newer CA pool, which doesn't have this CA any more"]);
        slow.stop().await;
        Ok(())
    })
    .await
}

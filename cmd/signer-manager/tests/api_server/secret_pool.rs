//! A pool in a Secret that the replicas of the manager keep by themselves.

use std::time::{Duration, Instant};

use crate::support::{
    ca::{new_authority_of, subject},
    eventually,
    fault_proxy::{Fate, Gate},
    managed_secret::{ManagedSecret, data},
    on_cluster,
};
use axum::http::Method;
use k8s_openapi::ByteString;
use kube::api::DeleteParams;
use signer_core::ca_pool::{ACTIVATION_GRACE, AutomaticRotation, BUNDLE_PROPAGATION, CaPool};
use test_cluster::{Error, Scope};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often a Secret is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Waits until the replica behind this gate has looked at the Secret twice, and begins to do so again.
async fn looks_twice(gate: &Gate) {
    gate.interfere(Method::GET, "/secrets/ca", Fate::Noted, 3);
    gate.all_came().await;
}

#[tokio::test]
async fn of_three_replicas_one_fills_an_empty_secret_and_all_write_back_what_is_lost() -> Result<(), Error> {
    on_cluster(async |scope| {
        let managed = ManagedSecret::new(scope, None).await?;
        let replicas = [managed.start(), managed.start(), managed.start()];
        let first = managed.pool_of(&["1"]).await;
        let version = managed.secrets.get("ca").await.unwrap().metadata.resource_version;
        for replica in &replicas {
            // the same bundle suits all of them: they have the same pool
            replica.ready().await;
        }
        managed.published(&first).await?;
        assert_eq!(managed.secrets.get("ca").await.unwrap().metadata.resource_version, version);
        assert_eq!(managed.issuer().await?, subject(&first, 0));

        managed.put(|secret| drop(secret.data.as_mut().unwrap().remove("pool"))).await;
        assert_eq!(subject(&managed.pool_of(&["1"]).await, 0), subject(&first, 0), "emptied");
        managed.secrets.delete("ca", &DeleteParams::default()).await.unwrap();
        assert_eq!(subject(&managed.pool_of(&["1"]).await, 0), subject(&first, 0), "deleted");
        let older = CaPool::new(vec![new_authority_of("older", Duration::ZERO, DAY)]).unwrap();
        managed.put(|secret| secret.data = Some(data(&older))).await;
        assert_eq!(subject(&managed.pool_of(&["1"]).await, 0), subject(&first, 0), "overwritten");
        managed.published(&first).await?;
        for replica in replicas {
            replica.stop().await;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn three_replicas_rotate_a_ca_in_its_last_third_and_prune_it_when_it_is_gone() -> Result<(), Error> {
    on_cluster(async |scope| {
        let old = new_authority_of("1", 250 * DAY, 365 * DAY);
        let managed = ManagedSecret::new(scope, Some(&CaPool::first(old, DAY).unwrap())).await?;
        let replicas = [managed.start(), managed.start(), managed.start()];
        let both = managed.pool_of(&["1", "2"]).await;
        managed.published(&both).await?;
        assert_eq!(managed.issuer().await?, subject(&both, 0));
        managed.pass(AutomaticRotation::DEFAULT_PROPAGATION).await;
        eventually("the successor to sign", async || match managed.issuer().await.unwrap() {
            issuer if issuer == subject(&both, 1) => Ok(()),
            _ => Err("the first CA still signs".to_owned()),
        })
        .await;
        assert_eq!(subject(&managed.read().await.unwrap(), 1), subject(&both, 1), "one successor, not three");
        managed.pass(ACTIVATION_GRACE + DAY + BUNDLE_PROPAGATION).await;
        let pruned = managed.pool_of(&["2"]).await;
        managed.published(&pruned).await?;
        assert_eq!(managed.issuer().await?, subject(&both, 1));
        for replica in replicas {
            replica.stop().await;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn whoever_is_overtaken_looks_again_at_once() -> Result<(), Error> {
    on_cluster(async |scope| {
        // a machine that stalls may take as long as those who don't
        for _ in 0..3 {
            if looks_again_at_once(scope).await? {
                return Ok(());
            }
        }
        panic!("it looks again when it would have looked anyway");
    })
    .await
}

/// Whether a replica that is overtaken three times has filled the Secret before it would have looked for the
/// third time anyway.
async fn looks_again_at_once(scope: &Scope) -> Result<bool, Error> {
    let (managed, gate) = (ManagedSecret::new(scope, None).await?, Gate::open(scope.client()).await);
    gate.interfere(Method::PUT, "/secrets/ca", Fate::Refused(409), 3);
    let replica = managed.setup.start_as(gate.client());
    eventually("a first conflict", async || match gate.outstanding() {
        3 => Err("none".to_owned()),
        _ => Ok(()),
    })
    .await;
    let overtaken = Instant::now();
    let pool = managed.pool_of(&["1"]).await;
    let is_early = overtaken.elapsed() < BETWEEN_LOOKS * 5 / 2;
    assert_eq!(gate.outstanding(), 0);
    managed.published(&pool).await?;
    replica.stop().await;
    Ok(is_early)
}

/// As docs/ca-rotation.md has it, "A backup from before the last rotation".
#[tokio::test]
async fn an_older_version_that_was_put_back_before_the_start_stays_as_it_is_and_so_does_the_bundle()
-> Result<(), Error> {
    on_cluster(async |scope| {
        // its CA is in its last third
        let old = CaPool::first(new_authority_of("1", 250 * DAY, 365 * DAY), DAY).unwrap();
        let managed = ManagedSecret::new(scope, Some(&old)).await?;
        let replica = managed.start();
        let both = managed.pool_of(&["1", "2"]).await;
        managed.published(&both).await?;
        replica.stop().await;

        managed.put(|secret| secret.data = Some(data(&old))).await;
        let gate = Gate::open(scope.client()).await;
        let replica = managed.setup.start_as(gate.client());
        replica.readyz(|page| page.body.contains("waits for the pool of the bundle")).await;
        looks_twice(&gate).await;
        assert_eq!(managed.read().await.unwrap().to_json().unwrap(), old.to_json().unwrap());
        managed.published(&both).await?;
        assert_eq!(managed.issuer().await?, subject(&old, 0));
        managed.put(|secret| secret.data = Some(data(&both))).await;
        replica.readyz(|page| !page.body.contains("waits for the pool of the bundle")).await;

        replica.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_empty_secret_is_not_filled_while_a_bundle_has_roots_that_pods_may_need() -> Result<(), Error> {
    on_cluster(async |scope| {
        let pool = CaPool::first(new_authority_of("1", Duration::ZERO, DAY * 365), DAY).unwrap();
        let managed = ManagedSecret::new(scope, Some(&pool)).await?;
        let replica = managed.start();
        managed.published(&pool).await?;
        replica.stop().await;

        managed.put(|secret| secret.data = None).await;
        let replica = managed.start();
        replica.readyz(|page| page.body.contains("there is no pool in it")).await;
        managed.put(|secret| secret.data = Some(data(&pool))).await;
        replica.ready().await;
        assert_eq!(subject(&managed.read().await.unwrap(), 0), subject(&pool, 0));
        replica.stop().await;

        // unless nobody needs the old one any more
        managed.put(|secret| secret.data = None).await;
        let replica = managed.start();
        replica.readyz(|page| page.body.contains("delete the trust bundle")).await;
        let bundle = format!("{}:primary-bundle", managed.signer_name.replace('/', ":"));
        scope.cluster().trust_bundle_api()?.delete(&bundle, &DeleteParams::default()).await.unwrap();
        let anew = managed.pool_of(&["1"]).await;
        managed.published(&anew).await?;
        replica.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_pool_without_a_generation_gets_one_and_a_wrong_one_is_not_taken_for_it() -> Result<(), Error> {
    on_cluster(async |scope| {
        let uncounted =
            |cn: &str| CaPool::new(vec![new_authority_of(cn, Duration::ZERO, DAY * 365)]).unwrap();
        let right = uncounted("1");
        let (managed, gate) =
            (ManagedSecret::new(scope, Some(&right)).await?, Gate::open(scope.client()).await);
        let replica = managed.setup.start_as(gate.client());
        let counted = eventually("a generation", async || match managed.read().await? {
            pool if pool.generation() > 0 => Ok(pool),
            _ => Err("it has none".to_owned()),
        })
        .await;
        assert_eq!(subject(&counted, 0), subject(&right, 0));
        managed.put(|secret| secret.data = Some(data(&uncounted("wrong")))).await;
        assert_eq!(subject(&managed.pool_of(&["1"]).await, 0), subject(&right, 0));

        // who knows of what version of the manager it is? so it stays until somebody empties the Secret
        managed
            .put(|secret| secret.data = Some([("pool".into(), ByteString(b"none".to_vec()))].into()))
            .await;
        replica
            .readyz(|page| page.code == 200 && page.body.contains("the last good pool stays in use"))
            .await;
        looks_twice(&gate).await;
        managed.read().await.unwrap_err();
        managed.put(|secret| secret.data = Some([("pool".into(), ByteString::default())].into())).await;
        assert_eq!(subject(&managed.pool_of(&["1"]).await, 0), subject(&right, 0));
        replica.stop().await;
        Ok(())
    })
    .await
}

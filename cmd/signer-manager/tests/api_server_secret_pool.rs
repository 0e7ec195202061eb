//! A pool in a Secret that the replicas of the manager keep by themselves.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::time::Duration;

use axum::http::Method;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, PostParams},
};
use signer_core::{CaPool, CertificateAuthority, LEEWAY, PROPAGATION};
use support::{
    SOON,
    ageing::{age_bundle, aged_pool},
    ask,
    ca::{new_authority_of, subject},
    eventually,
    gate::{Fate, Gate},
    issued::issued,
    on_cluster,
    running::Running,
    setup::Setup,
};
use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope};
use tokio::time::{sleep, timeout};

const SPIFFE: &str = "kind: spiffe, trustDomain: a.example.com";
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often a Secret is looked at, and a little more.
const A_LOOK: Duration = Duration::from_secs(11);

/// A Secret, the signer whose pool it holds, and what its replicas run with.
struct Kept<'a> {
    scope: &'a Scope,
    signer_name: String,
    secrets: Api<Secret>,
    setup: Setup,
}

impl<'a> Kept<'a> {
    /// An empty Secret, as the manifests ship it, or one with this pool.
    async fn new(scope: &'a Scope, pool: Option<&CaPool>) -> Result<Self, Error> {
        let (namespace, signer_name) = (scope.namespace("ca").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer_in_secret(&signer_name, SPIFFE, &namespace, "ca");
        let secrets: Api<Secret> = Api::namespaced(scope.client(), &namespace);
        let metadata = ObjectMeta { name: Some("ca".into()), ..ObjectMeta::default() };
        let secret = Secret { metadata, data: pool.map(data), ..Secret::default() };
        secrets.create(&PostParams::default(), &secret).await.unwrap();
        Ok(Self { scope, signer_name, secrets, setup })
    }

    fn start(&self) -> Running {
        self.setup.start(self.scope)
    }

    async fn read(&self) -> Result<CaPool, String> {
        let secret = self.secrets.get_opt("ca").await.unwrap().unwrap_or_default();
        let json = secret.data.unwrap_or_default().remove("pool").unwrap_or_default();
        CaPool::from_json(&json.0).map_err(|error| error.to_string())
    }

    /// The pool, once it has these CAs.
    async fn pool_of(&self, ids: &[&str]) -> CaPool {
        eventually("those CAs in the Secret", async || {
            let pool = self.read().await?;
            let found: Vec<&str> = pool.authorities().map(CertificateAuthority::id).collect();
            if found == ids { Ok(pool) } else { Err(format!("{found:?}")) }
        })
        .await
    }

    /// Overwrites what the Secret holds.
    async fn put(&self, change: impl Fn(&mut Secret)) {
        loop {
            let mut secret = self.secrets.get("ca").await.unwrap();
            change(&mut secret);
            match self.secrets.replace("ca", &PostParams::default(), &secret).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                written => return drop(written.unwrap()),
            }
        }
    }

    /// Waits until the bundle says what the pool says.
    async fn published(&self, pool: &CaPool) -> Result<(), Error> {
        let anchors: String = pool.roots().into_iter().map(|root| root.to_pem()).collect();
        let is_it = |bundle: &test_cluster::TrustBundle| bundle.anchors_pem == anchors;
        self.scope.cluster().trust_bundle(&self.signer_name, SOON, is_it).await.map(drop)
    }

    /// Lets time pass: for the pool first, since only both together let a successor sign.
    async fn pass(&self, time: Duration) {
        self.put(|secret| {
            let pool = &mut secret.data.as_mut().unwrap().get_mut("pool").unwrap().0;
            *pool = aged_pool(pool, time);
        })
        .await;
        age_bundle(self.scope, &self.signer_name, time).await;
    }

    /// Who signs now.
    async fn issuer(&self) -> Result<Vec<u8>, Error> {
        let namespace = self.scope.namespace("web").await?;
        let source = CertificateSource::new(&self.signer_name, KeyType::EcdsaP256);
        let pod = NewPod::new(&namespace, "web-0").certificate(source);
        let (_, request) = ask(&self.scope.kubelet().await?, pod).await?;
        Ok(issued(self.scope, &request).await?.leaf().issuer_der().to_vec())
    }
}

fn data(pool: &CaPool) -> std::collections::BTreeMap<String, ByteString> {
    [("pool".to_owned(), ByteString(pool.to_json().unwrap().to_vec()))].into()
}

#[tokio::test]
async fn of_three_replicas_one_fills_an_empty_secret_and_all_write_back_what_is_lost() -> Result<(), Error> {
    on_cluster(async |scope| {
        let kept = Kept::new(scope, None).await?;
        let replicas = [kept.start(), kept.start(), kept.start()];
        let first = kept.pool_of(&["1"]).await;
        let version = kept.secrets.get("ca").await.unwrap().metadata.resource_version;
        for replica in &replicas {
            // the same bundle suits all of them: they have the same pool
            replica.ready().await;
        }
        kept.published(&first).await?;
        assert_eq!(kept.secrets.get("ca").await.unwrap().metadata.resource_version, version);
        assert_eq!(kept.issuer().await?, subject(&first, 0));

        kept.put(|secret| drop(secret.data.as_mut().unwrap().remove("pool"))).await;
        assert_eq!(subject(&kept.pool_of(&["1"]).await, 0), subject(&first, 0), "emptied");
        kept.secrets.delete("ca", &DeleteParams::default()).await.unwrap();
        assert_eq!(subject(&kept.pool_of(&["1"]).await, 0), subject(&first, 0), "deleted");
        let older = CaPool::new(vec![new_authority_of("older", Duration::ZERO, DAY)]).unwrap();
        kept.put(|secret| secret.data = Some(data(&older))).await;
        assert_eq!(subject(&kept.pool_of(&["1"]).await, 0), subject(&first, 0), "overwritten");
        kept.published(&first).await?;
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
        let kept = Kept::new(scope, Some(&CaPool::first(old, DAY).unwrap())).await?;
        let replicas = [kept.start(), kept.start(), kept.start()];
        let both = kept.pool_of(&["1", "2"]).await;
        kept.published(&both).await?;
        assert_eq!(kept.issuer().await?, subject(&both, 0));
        kept.pass(PROPAGATION).await;
        eventually("the successor to sign", async || match kept.issuer().await.unwrap() {
            issuer if issuer == subject(&both, 1) => Ok(()),
            _ => Err("the first CA still signs".to_owned()),
        })
        .await;
        assert_eq!(subject(&kept.read().await.unwrap(), 1), subject(&both, 1), "one successor, not three");
        kept.pass(LEEWAY + DAY + PROPAGATION).await;
        let pruned = kept.pool_of(&["2"]).await;
        kept.published(&pruned).await?;
        assert_eq!(kept.issuer().await?, subject(&both, 1));
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
        let (kept, gate) = (Kept::new(scope, None).await?, Gate::open(scope.client()).await);
        gate.interfere(Method::PUT, "/secrets/ca", Fate::Refused(409), 1);
        let replica = kept.setup.start_as(gate.client());
        let before_the_next_look = Duration::from_secs(9);
        let pool = timeout(before_the_next_look, kept.pool_of(&["1"])).await.expect("it must look at once");
        assert_eq!(gate.outstanding(), 0);
        kept.published(&pool).await?;
        replica.stop().await;
        Ok(())
    })
    .await
}

/// As docs/ca-rotation.md has it, "A backup from before the last rotation".
#[tokio::test]
async fn an_older_version_that_was_put_back_before_the_start_stays_as_it_is_and_so_does_the_bundle()
-> Result<(), Error> {
    on_cluster(async |scope| {
        // its CA is in its last third
        let old = CaPool::first(new_authority_of("1", 250 * DAY, 365 * DAY), DAY).unwrap();
        let kept = Kept::new(scope, Some(&old)).await?;
        let replica = kept.start();
        let both = kept.pool_of(&["1", "2"]).await;
        kept.published(&both).await?;
        replica.stop().await;

        kept.put(|secret| secret.data = Some(data(&old))).await;
        let replica = kept.start();
        replica.readyz(|page| page.body.contains("waits for the pool of the bundle")).await;
        sleep(A_LOOK * 2).await;
        assert_eq!(kept.read().await.unwrap().to_json().unwrap(), old.to_json().unwrap());
        kept.published(&both).await?;
        assert_eq!(kept.issuer().await?, subject(&old, 0));
        kept.put(|secret| secret.data = Some(data(&both))).await;
        replica.readyz(|page| !page.body.contains("waits for the pool of the bundle")).await;

        // a pool that is gone isn't replaced by one that pods don't know
        replica.stop().await;
        kept.put(|secret| secret.data = None).await;
        let replica = kept.start();
        replica.readyz(|page| page.body.contains("there is no pool in it")).await;
        kept.put(|secret| secret.data = Some(data(&both))).await;
        replica.ready().await;
        assert_eq!(subject(&kept.read().await.unwrap(), 1), subject(&both, 1));
        replica.stop().await;
        Ok(())
    })
    .await
}

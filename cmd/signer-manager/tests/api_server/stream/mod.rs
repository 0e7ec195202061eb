//! A stream of requests that never pauses, while the CA pools under it are rotated, damaged, mended, pruned,
//! and replaced in an emergency: no request is denied, none is lost, and no certificate is refused.

mod requests;

use std::{sync::Arc, time::Duration};

use crate::support::{
    SOON,
    ageing::age_bundle,
    ca::{new_authority, subject},
    http::Page,
    mounted::Mounted,
    on_cluster,
    running::Running,
    setup::Setup,
};
use jiff::Timestamp;
use requests::Stream;
use signer_core::ca_pool::{ACTIVATION_GRACE, BUNDLE_PROPAGATION, CaPool, RotationPlan};
use test_cluster::{Error, Scope};
use tokio::time::Instant;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// What each CA still has to issue before something else happens.
const A_FEW: usize = 5;

/// A signer and the pool that is mounted for it.
struct Signer {
    name: String,
    mounted: Mounted,
}

impl Signer {
    fn new(scope: &Scope, setup: Setup, path: &str, fields: &str) -> (Self, Setup) {
        let name = scope.signer_name(path);
        let setup = setup.signer_without_pool(&name, fields);
        let pool = CaPool::first(new_authority("1"), DAY).unwrap().to_json().unwrap();
        (Self { mounted: Mounted::new(&setup.pool_path(&name), &pool), name }, setup)
    }

    fn pool(&self) -> CaPool {
        CaPool::from_json(&self.mounted.read()).unwrap()
    }

    /// Swaps the pool for a changed one, and waits until the bundle says what that one has.
    async fn change(&mut self, scope: &Scope, change: impl FnOnce(CaPool) -> CaPool) {
        let pool = change(self.pool());
        self.mounted.swap(&pool.to_json().unwrap());
        let anchors: String = pool.roots().into_iter().map(|root| root.to_pem()).collect();
        let began = Instant::now();
        let is_it = |bundle: &test_cluster::TrustBundle| bundle.anchors_pem == anchors;
        scope.cluster().trust_bundle(&self.name, SOON, is_it).await.unwrap();
        eprintln!("  a changed pool is published after {} ms", began.elapsed().as_millis());
    }

    /// As `signerctl ca-pool rotate` does, a quarter of an hour ago.
    async fn rotate(&mut self, scope: &Scope) {
        let now = Timestamp::now();
        let rotation_plan = RotationPlan {
            signs_from: now,
            max_leaf_lifetime: Some(DAY),
            predecessor_max_leaf_lifetime: Some(DAY),
        };
        self.change(scope, |pool| pool.with_successor(new_authority("2"), rotation_plan, now).unwrap()).await;
    }

    /// As `signerctl ca-pool prune` does, when the last certificate of the first CA has expired.
    async fn prune(&mut self, scope: &Scope) {
        let then = Timestamp::now() + ACTIVATION_GRACE + DAY + BUNDLE_PROPAGATION;
        self.change(scope, |pool| pool.without(&["1"], then).unwrap()).await;
    }

    /// As `signerctl ca-pool rotate --emergency` does.
    async fn replace_compromised(&mut self, scope: &Scope) {
        let (new, now) = (new_authority("3"), Timestamp::now());
        self.change(scope, |pool| {
            let pool = pool.without_compromised("1", None, now).unwrap();
            pool.without_compromised("2", Some((new, Some(DAY))), now).unwrap()
        })
        .await;
    }

    /// The one of its CAs at this position.
    fn ca(&self, index: usize) -> (String, Vec<u8>) {
        (self.name.clone(), subject(&self.pool(), index))
    }
}

async fn says(manager: &Running, what: &str, is_it: impl Fn(&Page) -> bool) {
    let began = Instant::now();
    manager.readyz(|page| page.code == 200 && is_it(page)).await;
    eprintln!("  {what} is noticed after {} ms", began.elapsed().as_millis());
}

async fn live(scope: &Scope, stream: &Stream, manager: &Running, [a, b, c]: &mut [Signer; 3]) {
    stream.issues(&[a.ca(0), b.ca(0), c.ca(0)], A_FEW).await;
    futures::join!(a.rotate(scope), b.rotate(scope), c.rotate(scope));
    stream.issues(&[a.ca(0), b.ca(0), c.ca(0)], A_FEW).await;
    for signer in [&*a, b, c] {
        age_bundle(scope, &signer.name, BUNDLE_PROPAGATION).await;
    }
    stream.issues(&[a.ca(1), b.ca(1), c.ca(1)], A_FEW).await;

    let all = [a.ca(1), b.ca(1), c.ca(1)];
    let right = [a.mounted.read(), b.mounted.read(), c.mounted.read()];
    a.mounted.write_half(&right[0]);
    b.mounted.remove();
    c.mounted.swap(&CaPool::first(new_authority("of somebody else"), DAY).unwrap().to_json().unwrap());
    let problems = ["it ends too early", "doesn't exist", "older than the one in use"];
    says(manager, "a damaged pool", |page| problems.iter().all(|problem| page.body.contains(problem))).await;
    stream.issues(&all, A_FEW).await;
    for (signer, right) in [&mut *a, b, c].into_iter().zip(right) {
        signer.mounted.swap(&right);
    }
    says(manager, "a mended pool", |page| !problems.iter().any(|problem| page.body.contains(problem))).await;

    // what the first CAs issued is out of use before they go
    stream.answers_what_is_in_hand().await;
    stream.emergency(&c.name);
    futures::join!(a.prune(scope), b.prune(scope), c.replace_compromised(scope));
    stream.issues(&[a.ca(0), b.ca(0), c.ca(0)], A_FEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_whatever_happens_to_the_pools() -> Result<(), Error> {
    on_cluster(async |scope| {
        let spiffe = "kind: spiffe, trustDomain: cluster.local";
        let (a, setup) = Signer::new(scope, Setup::new(), "a", spiffe);
        let (b, setup) = Signer::new(scope, setup, "b", spiffe);
        let (c, setup) = Signer::new(scope, setup, "c", "kind: annotation");
        let manager = setup.start(scope);
        manager.ready().await;
        let names = [a.name.clone(), b.name.clone(), c.name.clone()];
        let stream = Stream::of(scope, &names).await?;
        let mut signers = [a, b, c];
        let began = Instant::now();
        let life = async {
            live(scope, &stream, &manager, &mut signers).await;
            stream.end();
        };
        let (count, ()) = futures::join!(Arc::clone(&stream).run(scope), life);
        eprintln!("  {count} requests in {} s", began.elapsed().as_secs());
        assert_eq!(stream.total(), count);
        manager.stop().await;
        Ok(())
    })
    .await
}

//! Trust bundles: published and kept right; and what is said of a CA or a permission that is missing.

mod content;
mod planted;
mod rights;

use crate::support::{SOON, setup::Setup};
use kube::api::{Patch, PatchParams};
use signer_core::ca_pool::CaPool;
use test_cluster::{Error, Scope, TrustBundle};

const SPIFFE: &str = "kind: spiffe, trustDomain: prod.example.com";

/// The name and the labels by which a bundle is found: `a.b/c` → `a.b:c:primary-bundle`, `c.a.b/<item>`.
fn bundle_name(signer_name: &str) -> String {
    format!("{}:primary-bundle", signer_name.replace('/', ":"))
}

fn label(signer_name: &str, item: &str) -> String {
    let (domain, path) = signer_name.split_once('/').unwrap();
    format!("{path}.{domain}/{item}")
}

/// The roots of the pool file as the bundle should hold them: PEM, in the pool's order.
fn roots(setup: &Setup, signer_name: &str) -> String {
    let pool = CaPool::from_json(&std::fs::read(setup.pool_path(signer_name)).unwrap()).unwrap();
    pool.roots().into_iter().map(|root| root.to_pem()).collect()
}

async fn bundle_of(scope: &Scope, signer_name: &str, anchors: &str) -> Result<TrustBundle, Error> {
    scope.cluster().trust_bundle(signer_name, SOON, |bundle| bundle.anchors_pem == anchors).await
}

async fn change(scope: &Scope, signer_name: &str, patch: serde_json::Value) -> Result<(), Error> {
    let bundles = scope.cluster().trust_bundle_api()?;
    bundles.patch(&bundle_name(signer_name), &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    Ok(())
}

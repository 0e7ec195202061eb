//! A pool that changes, and what becomes of it.

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;
use signer_core::ca_pool::{CaPool, CertificateAuthority, RotationPlan};
use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope, SentRequest};

use super::{
    SOON, ask,
    ca::{new_authority, write_whole},
    issued::issued,
};

/// The pool in a file.
pub(crate) fn read(path: &Path) -> CaPool {
    CaPool::from_json(&fs::read(path).unwrap()).unwrap()
}

/// Changes a pool file, as a mounted Secret changes: at once.
pub(crate) fn change(path: &Path, change: impl FnOnce(CaPool) -> CaPool) {
    write_whole(path, &change(read(path)).to_json().unwrap());
}

/// Adds a successor whose turn has come already: only the bundle holds it back.
pub(crate) fn rotate(path: &Path) {
    rotate_to(path, new_authority("2"));
}

/// Adds this successor, whose turn has come already.
pub(crate) fn rotate_to(path: &Path, successor: CertificateAuthority) {
    let now = Timestamp::now();
    let day = Some(Duration::from_secs(24 * 3600));
    let rotation_plan =
        RotationPlan { signs_from: now, max_leaf_lifetime: day, predecessor_max_leaf_lifetime: day };
    change(path, |pool| pool.with_successor(successor, rotation_plan, now).unwrap());
}

/// Waits until the bundle has the pool's roots and no others.
pub(crate) async fn published(scope: &Scope, signer_name: &str, pool: &CaPool) -> Result<(), Error> {
    let anchors: String = pool.roots().into_iter().map(|root| root.to_pem()).collect();
    scope.cluster().trust_bundle(signer_name, SOON, |bundle| bundle.anchors_pem == anchors).await.map(|_| ())
}

/// A pod of a namespace of its own, its UID, and its request.
pub(crate) async fn asked(
    scope: &Scope,
    signer_name: &str,
    name: &str,
) -> Result<(String, SentRequest), Error> {
    let namespace = scope.namespace(name).await?;
    let source = CertificateSource::new(signer_name, KeyType::EcdsaP256);
    let (pod, request) =
        ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
    Ok((pod.uid, request))
}

/// Who signs now.
pub(crate) async fn issuer(scope: &Scope, signer_name: &str, name: &str) -> Result<Vec<u8>, Error> {
    let (_, request) = asked(scope, signer_name, name).await?;
    Ok(issued(scope, &request).await?.leaf().issuer_der().to_vec())
}

//! A pool in a Secret that the manager keeps by itself.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

mod support;

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;
use signer_core::{CaPool, Manager, SignerOptions};
use signer_manager::{Config, config::SignerKind};
use signer_spiffe::SpiffeSigner;
use support::{eventually, on_cluster};
use test_cluster::{Error, Scope};
use tokio::task::JoinHandle;

/// A manager of one signer, until the task is aborted.
fn start(scope: &Scope, signer_name: &str, namespace: &str) -> JoinHandle<()> {
    let pool =
        format!("{{secret: {{namespace: {namespace}, name: ca}}, rotation: automatic, keyType: ED25519}}");
    let text = format!(
        "signers: [{{name: {signer_name}, kind: spiffe, trustDomain: a.example.com, caPool: {pool}}}]"
    );
    let signer = Config::parse(&text, "signers.yaml").unwrap().signers.remove(0);
    let options = SignerOptions { policy: signer.policy, ..SignerOptions::new(signer.ca_pool) };
    let SignerKind::Spiffe(config) = signer.kind else { panic!("it is of kind spiffe") };
    let manager = Manager::new(scope.client()).signer(SpiffeSigner::new(config), options);
    tokio::spawn(async move { manager.run(std::future::pending()).await.unwrap() })
}

/// The pool in the Secret, once there is one.
async fn pool(secrets: &Api<Secret>) -> CaPool {
    eventually("a pool in the Secret", async || {
        let secret = secrets.get_opt("ca").await.unwrap().unwrap_or_default();
        let json = secret.data.unwrap_or_default().remove("pool").unwrap_or_default();
        CaPool::from_json(&json.0).map_err(|error| error.to_string())
    })
    .await
}

fn root(pool: &CaPool) -> String {
    pool.signing().root().fingerprint()
}

#[tokio::test]
async fn replicas_fill_an_empty_secret_once_and_write_back_what_is_in_use_if_it_is_lost() -> Result<(), Error>
{
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("ca").await?, scope.signer_name("spiffe"));
        let secrets: Api<Secret> = Api::namespaced(scope.client(), &namespace);
        let metadata = ObjectMeta { name: Some("ca".into()), ..ObjectMeta::default() };
        secrets.create(&PostParams::default(), &Secret { metadata, ..Secret::default() }).await.unwrap();
        let replicas = [start(scope, &name, &namespace), start(scope, &name, &namespace)];

        let first = pool(&secrets).await;
        let anchors = first.signing().root().to_pem();
        scope.cluster().trust_bundle(&name, support::SOON, |bundle| bundle.anchors_pem == anchors).await?;
        // the one that lost the race to fill it reads it at its next look, 10 s later
        tokio::time::sleep(Duration::from_secs(12)).await;
        let emptied = json!([{"op": "remove", "path": "/data/pool"}]);
        let emptied = Patch::Json::<()>(serde_json::from_value(emptied).unwrap());
        secrets.patch("ca", &PatchParams::default(), &emptied).await.unwrap();
        assert_eq!(root(&pool(&secrets).await), root(&first), "emptied");
        secrets.delete("ca", &DeleteParams::default()).await.unwrap();
        assert_eq!(root(&pool(&secrets).await), root(&first), "deleted");
        scope.cluster().trust_bundle(&name, support::SOON, |bundle| bundle.anchors_pem == anchors).await?;
        replicas.iter().for_each(JoinHandle::abort);
        Ok(())
    })
    .await
}

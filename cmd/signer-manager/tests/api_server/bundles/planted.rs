//! Anchors that somebody else has written into a bundle, and bundles that somebody has deleted.

use jiff::Timestamp;
use kube::api::DeleteParams;
use serde_json::json;
use signer_core::ca_pool::CaPool;
use test_cluster::{CertificateSource, Error, KeyType, NewPod, TrustBundle};

use crate::{
    bundles::SPIFFE,
    bundles::bundle_name,
    bundles::bundle_of,
    bundles::change,
    bundles::label,
    bundles::roots,
    support::{
        SOON, ask,
        ca::{new_authority, write_whole},
        events::assert_says,
        http::{Page, get},
        on_cluster,
        rights::{User, of_every_signer, on_signer, watch_bundles},
        setup::Setup,
    },
};

const FAR: &str = "2099-01-01T00:00:00Z";

#[tokio::test]
async fn a_planted_anchor_is_told_of_runs_out_and_goes_in_an_emergency() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let (manager, path) = (setup.start(scope), setup.pool_path(&name));
        bundle_of(scope, &name, &roots(&setup, &name)).await?;
        let pool = CaPool::from_json(&std::fs::read(&path).unwrap()).unwrap();
        let planted = CaPool::new(vec![new_authority("planted")]).unwrap();
        let (own, root) = (pool.roots()[0].fingerprint(), planted.roots()[0].fingerprint());
        let long_ago = "2026-01-01T00:00:00Z";
        let claims = json!({
            label(&name, "anchors"): json!({"format": 1, "anchors": {
                &own: {"since": long_ago},
                &root: {"since": long_ago, "until": FAR, "retained": true},
            }})
            .to_string(),
        });
        let both = roots(&setup, &name) + &planted.roots()[0].to_pem();
        change(scope, &name, json!({"metadata": {"annotations": claims}, "spec": {"trustBundle": both}}))
            .await?;
        let page =
            manager.readyz(|page| page.body.contains("retains 1 anchor that no CA of the pool has")).await;
        assert_says(&page.body, &[&format!("{name}: ready"), &root, "docs/ca-rotation.md"]);
        let kept = scope.cluster().trust_bundle_api()?.get(&bundle_name(&name)).await.unwrap();
        let kept = kept.metadata.annotations.unwrap()[&label(&name, "anchors")].clone();
        assert!(kept.contains(&root) && !kept.contains(FAR), "{kept}");
        let metrics = get(manager.http, "/metrics").await.unwrap().body;
        assert_says(&metrics, &[&format!("retained_trust_anchors{{signer=\"{name}\"}} 1\n")]);
        let safe = pool.without_compromised("1", Some((new_authority("2"), None)), Timestamp::now()).unwrap();
        write_whole(&path, &safe.to_json().unwrap());
        bundle_of(scope, &name, &safe.roots()[0].to_pem()).await?;
        assert_eq!(manager.ready().await.body, format!("{name}: ready\n"));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_generation_that_no_pool_has_is_told_of_and_mended_as_documented() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let manager = setup.start(scope);
        let right = roots(&setup, &name);
        bundle_of(scope, &name, &right).await?;
        let planted = CaPool::new(vec![new_authority("planted")]).unwrap().roots()[0].to_pem();
        let generation = label(&name, "generation");
        let claims = json!({&generation: u64::MAX.to_string()});
        let both = format!("{right}{planted}");
        change(scope, &name, json!({"metadata": {"annotations": claims}, "spec": {"trustBundle": both}}))
            .await?;
        let is_told = |page: &Page| page.body.contains(&format!("was made of generation {}", u64::MAX));
        manager.readyz(is_told).await;
        change(scope, &name, json!({"metadata": {"annotations": {&generation: null}}})).await?;
        bundle_of(scope, &name, &right).await?;
        assert_eq!(manager.ready().await.body, format!("{name}: ready\n"));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_deleted_bundle_that_cannot_be_made_anew_is_warned_of_and_issuing_goes_on() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer(&name, SPIFFE);
        let first = setup.start(scope);
        bundle_of(scope, &name, &roots(&setup, &name)).await?;
        first.stop().await;
        let user = User::new(scope).await?;
        user.grant(&[of_every_signer(), vec![watch_bundles(), on_signer("sign", &name)]].concat()).await;
        let manager = setup.start_as(user.client());
        manager.ready().await;
        let bundles = scope.cluster().trust_bundle_api()?;
        bundles.delete(&bundle_name(&name), &DeleteParams::default()).await.unwrap();
        let page = manager.readyz(|page| page.body.contains("the verb attest on signers")).await;
        assert_says(&page.body, &[&format!("{name}: ready")]);
        assert_eq!(page.code, 200, "{page:?}");
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let (_, request) =
            ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        request.outcome(SOON).await?.issued()?;
        user.grant(&[on_signer("attest", &name)]).await;
        let has_it = |bundle: &TrustBundle| bundle.anchors_pem == roots(&setup, &name);
        scope.cluster().trust_bundle(&name, SOON, has_it).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

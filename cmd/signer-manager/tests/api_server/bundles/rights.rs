//! What a signer may not do.

use test_cluster::{CertificateSource, Error, KeyType, NewPod};

use crate::{
    bundles::SPIFFE,
    bundles::bundle_name,
    bundles::bundle_of,
    bundles::roots,
    support::{
        ask,
        events::{assert_says, assert_untouched},
        issued::issued,
        on_cluster,
        rights::{User, of_every_signer, on_signer, watch_bundles},
        setup::Setup,
    },
};

#[tokio::test]
async fn a_missing_attest_is_said_and_mended() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let user = User::new(scope).await?;
        user.grant(&[of_every_signer(), vec![watch_bundles(), on_signer("sign", &name)]].concat()).await;
        let setup = Setup::new().signer(&name, SPIFFE);
        let manager = setup.start_as(user.client());
        let page = manager.readyz(|page| page.body.contains("attest")).await;
        assert_eq!(page.code, 503);
        let remedy = format!("the verb attest on signers {name} of certificates.k8s.io");
        let what = format!("writing the ClusterTrustBundle {}", bundle_name(&name));
        assert_says(&page.body, &[&format!("{name}: not ready"), &what, "403", &remedy]);
        user.grant(&[on_signer("attest", &name)]).await;
        let page = manager.ready().await;
        assert_eq!(page.body, format!("{name}: ready\n"));
        bundle_of(scope, &name, &roots(&setup, &name)).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_missing_sign_is_said_and_mended() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let user = User::new(scope).await?;
        user.grant(&[of_every_signer(), vec![watch_bundles(), on_signer("attest", &name)]].concat()).await;
        let manager = Setup::new().signer(&name, SPIFFE).start_as(user.client());
        let pod =
            NewPod::new(&namespace, "web-0").certificate(CertificateSource::new(&name, KeyType::EcdsaP256));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let page = manager.readyz(|page| page.body.contains("verb sign")).await;
        assert_eq!(page.code, 503);
        let remedy = format!("update on podcertificaterequests/status and the verb sign on signers {name}");
        assert_says(
            &page.body,
            &[
                &format!("{name}: not ready"),
                "1 request can't be finished",
                "writing the outcome: the API server answers 422",
                &remedy,
            ],
        );
        assert_untouched(&request).await?;
        user.grant(&[on_signer("sign", &name)]).await;
        issued(scope, &request).await?;
        assert_eq!(manager.ready().await.body, format!("{name}: ready\n"));
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_signer_that_may_not_look_says_at_what() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("service-dns");
        let user = User::new(scope).await?;
        let setup = Setup::new().signer(&name, "kind: service-dns");
        let manager = setup.start_as(user.client());
        let all = ["PodCertificateRequests", "pods", "Services", "ClusterTrustBundles"];
        let is_said = |body: &str| {
            all.iter().all(|what| body.contains(&format!("watching {what}: the API server answers 403")))
        };
        let page = manager.readyz(|page| is_said(&page.body)).await;
        assert_eq!(page.code, 503, "{page:?}");
        let rights = vec![watch_bundles(), on_signer("sign", &name), on_signer("attest", &name)];
        user.grant(&[of_every_signer(), rights].concat()).await;
        manager.ready().await;
        manager.stop().await;
        Ok(())
    })
    .await
}

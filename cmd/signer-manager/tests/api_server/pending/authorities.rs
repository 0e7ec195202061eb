//! CAs that are missing, or can't sign.

use test_cluster::{Error, NewPod};

use crate::{
    pending::SPIFFE,
    pending::source,
    support::{
        ask,
        ca::{CaKey, PemCa, new_authority, write_pool},
        events::{assert_says, waiting},
        issued::issued,
        on_cluster,
        setup::Setup,
    },
};

#[tokio::test]
async fn a_pool_that_is_missing_is_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer_without_pool(&name, SPIFFE);
        let (manager, path) = (setup.start(scope), setup.pool_path(&name));
        let pod = NewPod::new(&namespace, "web-0").certificate(source(&name));
        let (pod, request) = ask(&scope.kubelet().await?, pod).await?;
        let message = waiting(scope, &pod.uid, &request, "CertificateAuthorityUnavailable").await?;
        let path_text = path.display().to_string();
        assert_says(
            &message,
            &[&path_text, "doesn't exist", &format!("signerctl ca-pool create --file {path_text}")],
        );
        write_pool(&path, vec![new_authority("1")]);
        issued(scope, &request).await?;
        manager.stop().await;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_expired_ca_is_waited_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer_of(&name, SPIFFE, &PemCa::expired());
        let manager = setup.start(scope);
        let pod = NewPod::new(&namespace, "web-0").certificate(source(&name));
        let (pod, request) = ask(&scope.kubelet().await?, pod).await?;
        let message = waiting(scope, &pod.uid, &request, "CertificateAuthorityUnavailable").await?;
        assert_says(
            &message,
            &[
                "can't sign any more",
                "ends at 2021-01-01T00:00:00Z",
                "must last 1h at least",
                "Replace the CA",
            ],
        );
        let page = manager.readyz(|page| page.body.contains("can't sign any more")).await;
        assert_eq!(page.code, 503, "{page:?}");
        setup.replace_ca(&name, &PemCa::root(CaKey::P256));
        issued(scope, &request).await?;
        manager.ready().await;
        manager.stop().await;
        Ok(())
    })
    .await
}

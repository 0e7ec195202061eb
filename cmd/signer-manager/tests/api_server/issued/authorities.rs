//! What each kind of CA certifies.

use test_cluster::{CertificateSource, Error, KeyType, NewPod, Scope, SentRequest, verify::Purpose};

use crate::{
    issued::SPIFFE,
    support::{
        ask,
        ca::{CaKey, PemCa},
        issued::issued,
        on_cluster,
        setup::Setup,
    },
};

/// Each key type of pods under each kind of CA, with and without an intermediate: 60 chains.
#[tokio::test]
async fn each_key_type_is_certified_by_each_kind_of_ca() -> Result<(), Error> {
    on_cluster(async |scope| {
        let namespace = scope.namespace("keys").await?;
        let mut setup = Setup::new();
        let mut sources = Vec::new();
        for ca_key in CaKey::ALL {
            for (kind, ca) in [("root", PemCa::root(ca_key)), ("intermediate", PemCa::intermediate(ca_key))] {
                let name = scope.signer_name(&format!("{kind}-{}", ca_key.label()));
                setup = setup.signer_of(&name, SPIFFE, &ca);
                sources.extend(KeyType::ALL.map(|key_type| CertificateSource::new(&name, key_type)));
            }
        }
        let manager = setup.start(scope);
        let kubelet = scope.kubelet().await?;
        let pod = kubelet
            .start_pod(sources.into_iter().fold(NewPod::new(&namespace, "all"), NewPod::certificate))
            .await?;
        let mut requests = Vec::new();
        for source in &pod.sources {
            requests.push((source, kubelet.request(&pod, source).await?));
        }
        for (source, request) in &requests {
            assert_is_certified(scope, source, request).await?;
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

async fn assert_is_certified(
    scope: &Scope,
    source: &CertificateSource,
    request: &SentRequest,
) -> Result<(), Error> {
    let issued = issued(scope, request).await?;
    let is_below_intermediate = source.signer_name.contains("/intermediate-");
    assert_eq!(issued.chain.intermediates().len(), usize::from(is_below_intermediate));
    for purpose in [Purpose::Client, Purpose::Server] {
        issued.chain.verify(purpose).unwrap_or_else(|refusal| panic!("{source:?}: {refusal}"));
    }
    Ok(())
}

#[tokio::test]
async fn the_issuer_is_the_ca_s_subject_byte_for_byte() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("odd").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer_of(&name, SPIFFE, &PemCa::odd_subject()).start(scope);
        let source = CertificateSource::new(&name, KeyType::EcdsaP256);
        let (_, request) =
            ask(&scope.kubelet().await?, NewPod::new(&namespace, "web-0").certificate(source)).await?;
        let issued = issued(scope, &request).await?;
        let issuer = issued.leaf().issuer();
        assert_eq!(issuer.matches("OU=b").count(), 2, "{issuer}");
        issued.chain.verify(Purpose::Client).unwrap();
        manager.stop().await;
        Ok(())
    })
    .await
}

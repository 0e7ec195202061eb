//! What spiffe certifies.

use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use test_cluster::{CertificateSource, Error, KeyType, NewPod, PodKey, verify::Purpose};

use crate::support::{ask, issued::issued, on_cluster, setup::Setup};

#[tokio::test]
async fn spiffe_certifies_the_service_account_for_both_ends() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let manager = Setup::new().signer(&name, "kind: spiffe, trustDomain: prod.example.com").start(scope);
        let source = CertificateSource::new(&name, KeyType::EcdsaP256).max_expiration_seconds(7200);
        let pod = NewPod::new(&namespace, "web-0").service_account("server").certificate(source);
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let issued = issued(scope, &request).await?;

        let id = format!("spiffe://prod.example.com/ns/{namespace}/sa/server");
        assert_eq!((issued.leaf().uris(), issued.leaf().alternative_name_count()), (vec![id.clone()], 1));
        assert_eq!(issued.leaf().subject(), "");
        let mut usages = issued.leaf().extended_key_usages();
        usages.sort();
        assert_eq!(usages, ["clientAuth", "serverAuth"]);
        issued.assert_times(7200, 3600);
        issued.chain.verify(Purpose::Client).unwrap();
        issued.chain.verify(Purpose::Server).unwrap();
        issued.chain.verify(Purpose::ServerNamed("web-0")).unwrap_err();
        let svid = spiffe::X509Svid::parse_from_der(issued.leaf().der(), &private_key(&request.key)).unwrap();
        assert_eq!(svid.spiffe_id().to_string(), id);
        manager.stop().await;
        Ok(())
    })
    .await
}

fn private_key(key: &PodKey) -> Vec<u8> {
    PrivatePkcs8KeyDer::from_pem_slice(key.private_key_pem().as_bytes()).unwrap().secret_pkcs8_der().to_vec()
}

//! What spiffe certifies.

use std::{fs, process::Command};

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

#[tokio::test]
async fn a_certificate_says_which_cluster_issued_it_where_that_is_configured() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("shop").await?, scope.signer_name("spiffe"));
        let fields = "kind: spiffe, trustDomain: prod.example.com, clusterIssuerURL: \"https://oidc.example.com/a\", \
                      clusterIssuerOID: 1.3.6.1.4.1.32473.1";
        let setup = Setup::new().signer(&name, fields);
        let manager = setup.start(scope);
        let pod = NewPod::new(&namespace, "web-0").certificate(CertificateSource::new(&name, KeyType::EcdsaP256));
        let (_, request) = ask(&scope.kubelet().await?, pod).await?;
        let issued = issued(scope, &request).await?;
        issued.chain.verify(Purpose::Client).unwrap();
        let file = setup.dir.path().join("leaf.pem");
        fs::write(&file, &issued.status.chain_pem).unwrap();
        let openssl = Command::new("openssl").args(["asn1parse", "-in"]).arg(&file).output().unwrap();
        let parsed = String::from_utf8(openssl.stdout).unwrap();
        let value = parsed.lines().skip_while(|line| !line.ends_with("OBJECT            :1.3.6.1.4.1.32473.1")).nth(1);
        // the tag of an IA5String, and its length
        let expected = ["161A".to_owned(), "https://oidc.example.com/a".bytes().map(|byte| format!("{byte:02X}")).collect()].concat();
        assert!(value.is_some_and(|line| line.ends_with(&format!("OCTET STRING      [HEX DUMP]:{expected}"))), "{parsed}");
        manager.stop().await;
        Ok(())
    })
    .await
}

fn private_key(key: &PodKey) -> Vec<u8> {
    PrivatePkcs8KeyDer::from_pem_slice(key.private_key_pem().as_bytes()).unwrap().secret_pkcs8_der().to_vec()
}

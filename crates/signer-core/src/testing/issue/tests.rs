use ca_pool::{CaCertificate, ExtendedKeyUsage, LeafExtension, names::SignerName};

use super::*;
use crate::{reasons, testing::RequestBuilder};

struct Fixed {
    name: SignerName,
    decision: Result<Decision, &'static str>,
    examples: Vec<Leaf>,
}

impl Signer for Fixed {
    fn name(&self) -> &SignerName {
        &self.name
    }

    async fn decide(&self, _: &Request) -> Result<Decision, BoxError> {
        Ok(self.decision.clone()?)
    }

    fn examples(&self) -> Vec<Leaf> {
        self.examples.clone()
    }
}

async fn issued(
    decision: Result<Decision, &'static str>,
    examples: Vec<Leaf>,
) -> Result<IssuedCertificate, String> {
    let name = "example.com/a";
    let signer = Fixed { name: name.parse().unwrap(), decision, examples };
    issue(&signer, &RequestBuilder::new(name).build()).await.map_err(|error| error.to_string())
}

fn server(name: &str) -> Leaf {
    Leaf::new([ExtendedKeyUsage::ServerAuth]).dns_name(name.parse().unwrap())
}

#[tokio::test]
async fn a_leaf_that_is_like_an_example_is_issued() {
    let examples =
        vec![Leaf::client().uri("https://a.example/x".parse().unwrap()), server("any-example.svc")];
    for examples in [examples, Vec::new()] {
        let issued = issued(Ok(Decision::issue(server("web.svc"))), examples).await.unwrap();
        assert!(CaCertificate::from_der("leaf", &issued.leaf_der).is_ok_and(|leaf| !leaf.is_self_issued()));
        assert_eq!(issued.chain_pem.matches("BEGIN CERTIFICATE").count(), 1);
    }
}

#[tokio::test]
async fn what_no_example_is_like_is_named() {
    let extension = LeafExtension::new("1.2.3.4", false, vec![5, 0]).unwrap();
    for (leaf, kind) in [
        (Leaf::client().dns_name("web.svc".parse().unwrap()), "(ClientAuth, DNS names)"),
        (server("web.svc").extension(extension), "(ServerAuth, DNS names, extension 1.2.3.4)"),
        (server("web.svc").uri("https://a.example/x".parse().unwrap()), "(ServerAuth, DNS names, URIs)"),
    ] {
        let error = issued(Ok(Decision::issue(leaf)), vec![server("any-example.svc")]).await.unwrap_err();
        assert!(error.contains(kind), "{kind}: {error}");
    }
}

#[tokio::test]
async fn what_is_not_issued_says_why() {
    let denied = Ok(Decision::deny(reasons::IDENTITY_NOT_GRANTED, "ask somebody else"));
    assert!(issued(denied, Vec::new()).await.unwrap_err().contains("ask somebody else"));
    assert_eq!(issued(Err("no answer"), Vec::new()).await.unwrap_err(), "the signer fails: no answer");
    let nameless = Ok(Decision::issue(Leaf::client()));
    assert!(issued(nameless, Vec::new()).await.unwrap_err().contains("name"));
}

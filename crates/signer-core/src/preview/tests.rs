use std::time::Duration;

use super::*;
use crate::{
    certificate_facts::CertificateFacts, cluster_issuer::cluster_issuer, reasons, testing::RequestBuilder,
};
use ca_pool::names::SignerName;

/// Issues the pod's name as a DNS name.
struct ByName(SignerName);

impl Signer for ByName {
    fn name(&self) -> &SignerName {
        &self.0
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        let name = format!("{}.{}.svc", request.pod().name, request.namespace());
        Ok(Decision::issue(Leaf::server().dns_name(name.parse()?)))
    }
}

fn pod() -> Pod {
    RequestBuilder::new("example.com/web").parts().1
}

async fn of(policy: &Policy, change: impl FnOnce(&mut CertificateSource)) -> Result<Preview, PreviewError> {
    let pod = pod();
    let mut source = pod.certificate_sources[0].clone();
    change(&mut source);
    let signer = ByName("example.com/web".parse().unwrap());
    let mut previewer = Previewer::new("2026-11-27T12:00:00Z".parse().unwrap()).unwrap();
    previewer
        .preview(
            &signer,
            policy,
            &pod,
            &source,
            Surroundings { services: &Services::default(), namespace: None },
        )
        .await
}

#[tokio::test]
async fn a_certificate_has_the_names_key_and_times_of_the_pod() {
    let policy = Policy { max_lifetime: Duration::from_secs(7_200), ..Policy::default() };
    for key_type in KeyType::ALL {
        let found = of(&policy, |source| source.key_type = key_type.as_str().to_owned()).await.unwrap();
        let Preview::Issued(certificate) = found else { panic!("{found:?}") };
        let facts = CertificateFacts::of_der(&certificate.leaf_der).unwrap();
        assert_eq!(facts.dns_names, ["web-0.shop.svc"]);
        assert_eq!(facts.key.key_type, Some(key_type.as_str()));
        let lifetime = certificate.not_after.duration_since(certificate.not_before);
        assert!((7_199..=7_200).contains(&lifetime.as_secs()), "{lifetime:?}");
        assert!(certificate.begin_refresh_at < certificate.not_after);
    }
}

#[tokio::test]
async fn the_policy_is_asked_first() {
    let policy = Policy { allow: Some(Vec::new()), ..Policy::default() };
    let found = of(&policy, |_| ()).await.unwrap();
    let Preview::Denied(denial) = found else { panic!("{found:?}") };
    assert_eq!(denial.reason, reasons::IDENTITY_NOT_GRANTED);
}

#[tokio::test]
async fn a_key_type_that_does_not_exist_is_named() {
    let error = of(&Policy::default(), |source| source.key_type = "RSA1024".into()).await.unwrap_err();
    assert!(error.to_string().starts_with("keyType: \"RSA1024\" is not a key type"), "{error}");
}

#[tokio::test]
async fn a_certificate_has_what_the_operator_adds() {
    let url = "https://oidc.example.com".parse().unwrap();
    let policy = Policy {
        extensions: vec![cluster_issuer("1.3.6.1.4.1.32473.1", &url).unwrap()],
        ..Policy::default()
    };
    let found = of(&policy, |_| ()).await.unwrap();
    let Preview::Issued(certificate) = found else { panic!("{found:?}") };
    let value = [&[0x16, 24][..], b"https://oidc.example.com"].concat();
    assert!(certificate.leaf_der.windows(value.len()).any(|window| window == value));
}

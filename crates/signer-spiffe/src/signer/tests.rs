use signer_core::{
    Grounds, reasons,
    testing::{RequestBuilder, issue},
};

use super::*;

const NAME: &str = "row-major.net/spiffe";

fn signer() -> SpiffeSigner {
    let trust_domain = crate::parse_trust_domain("prod.example.com").unwrap();
    SpiffeSigner::new(SpiffeConfig::new(NAME.parse().unwrap(), trust_domain).unwrap())
}

#[tokio::test]
async fn the_leaf_holds_the_id_for_both_ends_of_tls_and_nothing_else() {
    let expected = Leaf::new([ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth])
        .uri("spiffe://prod.example.com/ns/shop/sa/server".parse().unwrap());
    for request in [RequestBuilder::new(NAME), RequestBuilder::new(NAME).running()] {
        issue(&signer(), &request.clone().build()).await.unwrap();
        assert_eq!(signer().decide(&request.build()).await.unwrap(), Decision::issue(expected.clone()));
    }
}

#[tokio::test]
async fn the_pods_annotations_change_nothing() {
    let plain = signer().decide(&RequestBuilder::new(NAME).build()).await.unwrap();
    let annotated =
        RequestBuilder::new(NAME).annotation("row-major.net/spiffe-san", "evil.example.com").build();
    assert_eq!(signer().decide(&annotated).await.unwrap(), plain);
}

#[tokio::test]
async fn any_user_annotation_is_denied_for_good() {
    let request =
        RequestBuilder::new(NAME).user_annotation("row-major.net/spiffe-id", "spiffe://x/y").build();
    let Decision::Deny(denial) = signer().decide(&request).await.unwrap() else { panic!("must be denied") };
    assert_eq!(
        (denial.reason, denial.grounds),
        (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Fixed)
    );
    assert_eq!(
        denial.message,
        "user annotation \"row-major.net/spiffe-id\" is unknown to this signer; it takes none, so remove it"
    );
}

#[tokio::test]
async fn a_service_account_that_is_no_segment_is_tried_again_and_never_signed() {
    let request =
        RequestBuilder::new(NAME).pod(|pod| pod.service_account_name = "../../sa/admin".into()).build();
    assert!(signer().decide(&request).await.is_err());
}

#[test]
fn what_it_issues_is_known_before_a_pod_asks() {
    let id = "spiffe://prod.example.com/ns/any-example/sa/any-example";
    assert_eq!(signer().examples(), [svid().uri(id.parse().unwrap())]);
}

#[test]
fn the_trust_bundle_is_found_by_the_trust_domain() {
    assert_eq!(
        signer().bundle_labels(),
        BTreeMap::from([("trust-domain".into(), "prod.example.com".into())])
    );
}

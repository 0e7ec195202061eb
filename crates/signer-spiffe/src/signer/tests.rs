use signer_core::{
    Grounds,
    cluster::Service,
    reasons,
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
        BTreeMap::from([
            ("trust-domain".into(), "prod.example.com".into()),
            ("k8s.spiffe.io/canarying".into(), "live".into()),
            ("k8s.spiffe.io/workload-trust-domain".into(), "prod.example.com".into()),
            ("k8s.spiffe.io/peer-trust-domain".into(), "prod.example.com".into()),
        ])
    );
}

fn with_names() -> SpiffeSigner {
    let path = PathTemplate::parse("/${pod.serviceAccountName}/of/${pod.namespace}", None).unwrap();
    SpiffeSigner::new(signer().config.with_path(path).with_service_names(Naming::default()))
}

const ID: &str = "spiffe://prod.example.com/server/of/shop";

#[tokio::test]
async fn names_of_services_stand_beside_the_id() {
    let request = RequestBuilder::new(NAME)
        .label("app", "web")
        .services([Service::new("web", [("app", "web")]), Service::new("other", [("app", "other")])]);
    let expected = svid().uri(ID.parse().unwrap()).dns_name("web.shop.svc".parse().unwrap());
    issue(&with_names(), &request.clone().build()).await.unwrap();
    assert_eq!(with_names().decide(&request.build()).await.unwrap(), Decision::issue(expected));
}

/// Clients have an ID, and seldom a Service.
#[tokio::test]
async fn a_pod_without_a_service_has_its_id_alone_unless_it_lists_some() {
    let request = RequestBuilder::new(NAME).services([]);
    let alone = Decision::issue(svid().uri(ID.parse().unwrap()));
    issue(&with_names(), &request.clone().build()).await.unwrap();
    assert_eq!(with_names().decide(&request.clone().build()).await.unwrap(), alone);
    let listed = request.user_annotation("row-major.net/spiffe-services", "web").build();
    let Decision::Wait(wait) = with_names().decide(&listed).await.unwrap() else { panic!("must wait") };
    assert_eq!(wait.reason, reasons::WAITING_FOR_SERVICE);
}

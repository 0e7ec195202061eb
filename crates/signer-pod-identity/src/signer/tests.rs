use signer_core::testing::{RequestBuilder, issue};

use super::*;

const NAME: &str = "row-major.net/pod-identity";

fn signer(format: Format) -> PodIdentitySigner {
    PodIdentitySigner::new(PodIdentityConfig::new(NAME.parse().unwrap(), format))
}

async fn leaf(format: Format, request: RequestBuilder) -> Leaf {
    let Decision::Issue(leaf) = signer(format).decide(&request.build()).await.unwrap() else {
        panic!("issued")
    };
    *leaf
}

#[tokio::test]
async fn the_extension_has_what_was_verified_of_the_pod() {
    let leaf = leaf(Format::Kep, RequestBuilder::new(NAME)).await;
    let uid = |last: u8| format!("8a9ef1a5-6f3c-4c5d-9d07-00000000000{last}");
    let expected = PodIdentity {
        namespace: "shop".into(),
        namespace_uid: uid(5),
        service_account_name: "server".into(),
        service_account_uid: uid(4),
        pod_name: "web-0".into(),
        pod_uid: uid(1),
        node_name: "node-1".into(),
        node_uid: uid(3),
    };
    let extension = LeafExtension::new(PodIdentity::OID, false, expected.to_der().unwrap()).unwrap();
    assert_eq!(leaf, Leaf::client().nameless().extension(extension));
}

#[tokio::test]
async fn the_api_server_s_user_has_its_groups_and_uid() {
    let leaf = leaf(Format::ApiServer, RequestBuilder::new(NAME).service_account(&"a".repeat(253))).await;
    let user = format!("system:serviceaccount:shop:{}", "a".repeat(253));
    assert_eq!(leaf.common_name.unwrap().as_str(), user);
    let attribute = |oid, value: &str| SubjectAttribute::new(oid, value).unwrap();
    let expected = [
        attribute("2.5.4.10", "system:serviceaccounts"),
        attribute("2.5.4.10", "system:serviceaccounts:shop"),
        attribute("1.3.6.1.4.1.57683.2", "8a9ef1a5-6f3c-4c5d-9d07-000000000004"),
    ];
    assert_eq!(leaf.subject_attributes, expected);
    assert!(leaf.extensions.is_empty() && leaf.dns_names.is_empty() && leaf.uris.is_empty());
}

#[tokio::test]
async fn what_it_issues_is_like_its_examples_and_is_issued() {
    for format in [Format::Kep, Format::ApiServer] {
        let issued = issue(&signer(format), &RequestBuilder::new(NAME).build()).await.unwrap();
        assert!(issued.chain_pem.starts_with("-----BEGIN CERTIFICATE-----"), "{format:?}");
    }
}

#[tokio::test]
async fn annotations_are_refused() {
    let request =
        RequestBuilder::new(NAME).user_annotation("row-major.net/pod-identity-format", "kep").build();
    let Decision::Deny(denial) = signer(Format::Kep).decide(&request).await.unwrap() else {
        panic!("denied")
    };
    assert!(denial.message.contains("row-major.net/pod-identity-format"), "{}", denial.message);
}

#[test]
fn an_oid_that_certificates_have_already_is_refused() {
    let config = || PodIdentityConfig::new(NAME.parse().unwrap(), Format::Kep);
    assert_eq!(config().with_oid("1.2.3.4").unwrap().oid(), "1.2.3.4");
    assert!(config().with_oid("2.5.290.1").is_ok() && config().with_oid(PodIdentity::OID).is_ok());
    for wrong in
        ["2.5.29.17", "1", "a.b", "", "2.5.29.31", "1.3.6.1.5.5.7.1.1", "1.3.6.1.4.1.11129.2.4.2", USER_UID]
    {
        assert!(config().with_oid(wrong).is_err(), "{wrong}");
    }
}

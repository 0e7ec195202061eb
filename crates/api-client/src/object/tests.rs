use super::*;
use crate::{ClusterTrustBundle, PodCertificateRequest};

#[test]
fn an_object_without_a_name_is_unreadable_and_so_is_one_without_its_namespace() {
    for json in [r"{}", r#"{"metadata":{}}"#, r#"{"metadata":{"name":"","namespace":"shop"}}"#] {
        assert!(read_object::<PodCertificateRequest>(json.as_bytes()).is_err(), "{json}");
        assert!(read_object::<ClusterTrustBundle>(json.as_bytes()).is_err(), "{json}");
    }
    let without_namespace = br#"{"metadata":{"name":"a"}}"#;
    assert!(read_object::<PodCertificateRequest>(without_namespace).is_err());
    assert!(read_object::<ClusterTrustBundle>(without_namespace).is_ok());
}

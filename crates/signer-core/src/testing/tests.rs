use super::*;
use crate::request::{Verdict, verify};

#[test]
fn a_request_claims_what_its_pod_is() {
    let builder = RequestBuilder::new("example.com/a").namespace("acme").service_account("web").pod(|pod| {
        pod.name = "web-7".into();
        pod.uid = "uid-7".into();
        pod.node_name = "node-7".into();
    });
    let request = builder.clone().build();
    assert_eq!((request.namespace(), &*request.pod().namespace), ("acme", "acme"));
    let (claims, pod) = builder.parts();
    assert_eq!(verify(&claims, &pod), Verdict::Matches);
    assert_eq!((&*claims.pod_name, &*claims.service_account_name), ("web-7", "web"));
}

use std::convert::Infallible;

use super::*;
use crate::{PodCertificateRequest, answer::LARGEST_OBJECT};

async fn got(code: u16, body: Vec<u8>) -> kube::Result<Option<Got<PodCertificateRequest>>> {
    let service = tower::service_fn(move |_: http::Request<Body>| {
        let answer = http::Response::builder().status(code).body(Body::from(body.clone())).unwrap();
        async move { Ok::<_, Infallible>(answer) }
    });
    let path = "/apis/certificates.k8s.io/v1/namespaces/shop/podcertificaterequests".to_owned();
    let requests = Collection { client: Client::new(service, "default"), path, field_selector: None };
    get(&requests, "web-0", ReadFrom::Cache).await
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_named_and_is_not_absent() {
    let wrong = br#"{"metadata":{"name":"web-0","namespace":"shop"},"spec":"canary"}"#.to_vec();
    for body in [wrong, vec![b' '; LARGEST_OBJECT + 1]] {
        let error = got(200, body).await.unwrap_err();
        let unreadable = Unreadable::of(&error).unwrap();
        assert_eq!(
            (unreadable.kind, unreadable.name.to_string()),
            ("PodCertificateRequest", "shop/web-0".to_owned())
        );
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
    assert!(got(404, vec![]).await.unwrap().is_none());
    assert!(Unreadable::of(&got(500, vec![]).await.unwrap_err()).is_none());
}

use std::convert::Infallible;

use http::{Response, StatusCode};
use kube::client::Body;

use super::*;

/// What a reader says of the Service `web` to an API server that answers so.
async fn exists(code: u16, body: &'static str) -> kube::Result<bool> {
    let server = tower::service_fn(move |request: http::Request<Body>| async move {
        assert_eq!(request.uri(), "/api/v1/namespaces/shop/services/web");
        let mut response = Response::new(Body::from(body.as_bytes().to_vec()));
        *response.status_mut() = StatusCode::from_u16(code).unwrap();
        Ok::<_, Infallible>(response)
    });
    let reader = ClusterReader::new(Client::new(server, "default"), PodCache::new([]));
    reader.service_exists("shop", "web").await
}

#[tokio::test]
async fn only_what_the_api_server_does_not_have_is_absent() {
    assert!(!exists(404, "not found").await.unwrap());
    assert!(exists(200, r#"{"metadata":{"managedFields":"poison"}}"#).await.unwrap());
    assert!(exists(200, "what nobody can read").await.unwrap());
    for code in [401, 403, 500] {
        assert!(exists(code, "").await.is_err(), "{code}");
    }
}

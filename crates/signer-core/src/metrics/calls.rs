//! Calls to the API server: how long they take, and how they end.

use std::time::Duration;

use http::{Method, Uri};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, histogram::Histogram},
};

/// The calls of a process. Cheap to clone: clones count together.
#[derive(Clone, Debug)]
pub(crate) struct CallMetrics(pub(super) Family<Call, Histogram, fn() -> Histogram>);

/// The labels of a call. Verbs and status codes are few, so the number of series is bounded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Call {
    verb: &'static str,
    code: String,
}

/// A read takes a millisecond or two; a call without an answer times out after some seconds.
const SECONDS: [f64; 8] = [0.002, 0.005, 0.01, 0.05, 0.2, 1.0, 5.0, 15.0];

impl Default for CallMetrics {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(SECONDS)))
    }
}

impl CallMetrics {
    /// A call was answered with this status, or not at all.
    pub(crate) fn ended(&self, verb: &'static str, status: Option<u16>, after: Duration) {
        let Self(calls) = self;
        let code = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        calls.get_or_create(&Call { verb, code }).observe(after.as_secs_f64());
    }
}

/// What Kubernetes calls it, in RBAC and elsewhere:
/// <https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb>
pub(crate) fn verb(method: &Method, uri: &Uri) -> &'static str {
    let query = uri.query().unwrap_or_default();
    let is_watch = query.split('&').any(|parameter| matches!(parameter, "watch=true" | "watch=1"));
    match *method {
        Method::GET if is_watch => "watch",
        Method::GET if is_collection(uri.path()) => "list",
        Method::GET => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "other",
    }
}

/// Whether a path names a resource and none of its objects.
fn is_collection(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let resource = match parts.as_slice() {
        ["api", _version, rest @ ..] | ["apis", _, _version, rest @ ..] => rest,
        _ => return false,
    };
    matches!(resource, [_] | ["namespaces", _, _])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_those_of_rbac() {
        for (method, uri, expected) in [
            ("GET", "/api/v1/pods?watch=true&resourceVersion=7", "watch"),
            ("GET", "/api/v1/pods?limit=500", "list"),
            ("GET", "/api/v1/namespaces/shop/services?limit=500", "list"),
            ("GET", "/apis/certificates.k8s.io/v1/podcertificaterequests?limit=1", "list"),
            ("GET", "/api/v1/namespaces/shop", "get"),
            ("GET", "/api/v1/namespaces/shop/pods/web-0", "get"),
            ("GET", "/apis/certificates.k8s.io/v1/clustertrustbundles/a:b:c", "get"),
            ("GET", "/apis", "get"),
            ("GET", "/version", "get"),
            ("POST", "/api/v1/namespaces/shop/events", "create"),
            ("PUT", "/apis/certificates.k8s.io/v1/namespaces/a/podcertificaterequests/b/status", "update"),
            ("PATCH", "/api/v1/namespaces/shop/events/x", "patch"),
            ("DELETE", "/api/v1/namespaces/shop/events/x", "delete"),
            ("OPTIONS", "/", "other"),
        ] {
            assert_eq!(verb(&method.parse().unwrap(), &uri.parse().unwrap()), expected, "{method} {uri}");
        }
    }
}

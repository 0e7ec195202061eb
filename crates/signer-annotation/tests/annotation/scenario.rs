//! A signer, and requests to it.

use signer_annotation::{AnnotationSigner, AnnotationSignerConfig, Grant};
use signer_core::{
    Decision, Denial, DnsName, Grounds, Leaf, Reason, Signer, Wait,
    cluster::{Service, WorkloadSelector},
    testing::RequestBuilder,
};

pub(crate) const SIGNER: &str = "coolcert.example.com/foo";

/// A signer of the cluster `cluster.local`, without trust domain and grants.
pub(crate) fn config() -> AnnotationSignerConfig {
    AnnotationSignerConfig::new(SIGNER.parse().unwrap(), "cluster.local".parse().unwrap())
}

/// A grant to all workloads.
pub(crate) fn grant() -> Grant {
    Grant::to(WorkloadSelector::new(["*"], ["*"]))
}

/// A signer that gives all workloads these DNS names.
pub(crate) fn granting(dns_names: &[&str]) -> AnnotationSignerConfig {
    let dns_names = dns_names.iter().map(|name| name.parse().unwrap()).collect();
    AnnotationSignerConfig { grants: vec![Grant { dns_names, ..grant() }], ..config() }
}

/// A request of the pod `web-0` of namespace `shop`, which is labelled `app: web`, while there are no
/// Services.
pub(crate) fn request() -> RequestBuilder {
    RequestBuilder::new(SIGNER).label("app", "web").services([])
}

/// The same, with a user annotation.
pub(crate) fn asking(item: &str, value: &str) -> RequestBuilder {
    request().user_annotation(&format!("{SIGNER}-{item}"), value)
}

/// The same, with an annotation of the pod.
pub(crate) fn annotated(item: &str, value: &str) -> RequestBuilder {
    request().annotation(&format!("{SIGNER}-{item}"), value)
}

/// A Service that selects the pod.
pub(crate) fn selecting(name: &str) -> Service {
    Service::new(name, [("app", "web")])
}

/// A Service that selects other pods.
pub(crate) fn not_selecting(name: &str) -> Service {
    Service::new(name, [("app", "other")])
}

pub(crate) fn decide(config: &AnnotationSignerConfig, request: RequestBuilder) -> Decision {
    let signer = AnnotationSigner::new(config.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(signer.decide(&request.build())).unwrap()
}

#[track_caller]
pub(crate) fn issued(config: &AnnotationSignerConfig, request: RequestBuilder) -> Leaf {
    match decide(config, request) {
        Decision::Issue(leaf) => *leaf,
        other => panic!("not issued: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn denied(config: &AnnotationSignerConfig, request: RequestBuilder) -> Denial {
    match decide(config, request) {
        Decision::Deny(denial) => denial,
        other => panic!("not denied: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn waiting(config: &AnnotationSignerConfig, request: RequestBuilder) -> Wait {
    match decide(config, request) {
        Decision::Wait(wait) => wait,
        other => panic!("not waiting: {other:?}"),
    }
}

/// Denied with this reason and these grounds, and with all of these texts in the message.
#[track_caller]
pub(crate) fn assert_denied(
    config: &AnnotationSignerConfig,
    request: RequestBuilder,
    (reason, grounds): (Reason, Grounds),
    texts: &[&str],
) {
    let denial = denied(config, request);
    assert_eq!((&denial.reason, denial.grounds), (&reason, grounds), "{}", denial.message);
    for text in texts {
        assert!(denial.message.contains(text), "{:?} lacks {text:?}", denial.message);
    }
}

pub(crate) fn texts(names: &[DnsName]) -> Vec<&str> {
    names.iter().map(DnsName::as_str).collect()
}

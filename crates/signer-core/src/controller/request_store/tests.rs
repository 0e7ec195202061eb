use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    api::ApiResource,
    core::GroupVersionKind,
    runtime::reflector::{ObjectRef, Store},
};

use super::*;
use crate::api::{PodCertificateRequest, PodCertificateRequestSpec, PodCertificateRequestStatus};
use crate::{
    metrics::QueueMetrics,
    replicas::{ReplicaName, Replicas},
};

fn resource() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("certificates.k8s.io", "v1", "PodCertificateRequest"))
}

fn request_store() -> (RequestStore<PodCertificateRequest>, Store<PodCertificateRequest>) {
    let writer = Writer::new(resource());
    let store = writer.as_reader();
    let replicas = Replicas::alone(ReplicaName::new("a", [0; 4]));
    (RequestStore::new(writer, Arc::new(Pending::new(QueueMetrics::default(), replicas))).0, store)
}

fn request(name: &str, condition: Option<&str>) -> PodCertificateRequest {
    let mut request =
        PodCertificateRequest::new(name, &resource(), PodCertificateRequestSpec::default()).within("shop");
    let conditions = condition.map(|type_| Condition {
        type_: type_.into(),
        status: "True".into(),
        reason: "R".into(),
        message: String::new(),
        last_transition_time: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
            jiff::Timestamp::UNIX_EPOCH,
        ),
        observed_generation: None,
    });
    request.status = Some(PodCertificateRequestStatus {
        conditions: conditions.into_iter().collect(),
        ..Default::default()
    });
    request
}

fn names(keys: Vec<RequestKey>) -> Vec<String> {
    let mut names: Vec<_> = keys.into_iter().map(|key| key.name).collect();
    names.sort();
    names
}

fn is_stored(store: &Store<PodCertificateRequest>, name: &str) -> bool {
    store.get(&ObjectRef::new_with(name, resource()).within("shop")).is_some()
}

#[test]
fn a_list_is_looked_at_when_the_store_shows_it() {
    let (mut request_store, store) = request_store();
    assert!(request_store.pass(Watched::Event(Event::Init)).is_empty());
    for (name, condition) in [("a", None), ("b", Some("Issued")), ("c", None)] {
        assert!(request_store.pass(Watched::Event(Event::InitApply(request(name, condition)))).is_empty());
    }
    assert_eq!(names(request_store.pass(Watched::Event(Event::InitDone))), ["a", "c"]);
    assert!(is_stored(&store, "a") && !is_stored(&store, "b"));
}

#[test]
fn what_gets_finished_leaves_the_store() {
    let (mut request_store, store) = request_store();
    assert_eq!(names(request_store.pass(Watched::Event(Event::Apply(request("a", None))))), ["a"]);
    assert!(is_stored(&store, "a"));
    assert!(request_store.pass(Watched::Event(Event::Apply(request("a", Some("Denied"))))).is_empty());
    assert!(!is_stored(&store, "a"));
}

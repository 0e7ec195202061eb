use std::collections::HashMap;

use super::*;
use crate::observed::{ObservedRequest, Outcome};

fn now() -> Timestamp {
    "2026-11-27T20:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_mins(minutes)
}

fn pod(phase: &str, node: &str) -> ObservedPod {
    let json = serde_json::json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
        "spec": {"nodeName": node, "volumes": [{"projected": {"sources": [{"podCertificate": {"signerName": "example.com/a", "keyType": "ED25519"}}]}}]},
        "status": {"phase": phase},
    });
    api_client::object::read_object(&serde_json::to_vec(&json).unwrap()).unwrap()
}

fn request(outcome: Outcome) -> ObservedRequest {
    ObservedRequest {
        namespace: "shop".into(),
        name: "r".into(),
        created: ago(5),
        signer: "example.com/a".into(),
        pod_name: "web".into(),
        pod_uid: "u".into(),
        outcome,
    }
}

fn explained(pod: &ObservedPod, requests: &[ObservedRequest], of_pod: Vec<Event>) -> Explanation {
    let events = HashMap::new();
    let evidence = Evidence { pod, requests, events: &events, kubectl: "kubectl -n shop", now: now() };
    let certificates: Vec<_> = signers(pod).into_iter().map(|signer| evidence.state(signer)).collect();
    let warnings = warnings(of_pod, &certificates, pod.pod.phase);
    let (namespace, name) = (pod.pod.namespace.clone(), pod.pod.name.clone());
    Explanation { namespace, pod: name, certificates, warnings, unreadable: Vec::new() }
}

#[test]
fn a_pod_without_a_request_is_good_only_once_it_has_started() {
    for (phase, node, is_good, next) in [
        ("Pending", "", false, "until the scheduler has found a node"),
        ("Pending", "node-1", false, "kubectl -n shop describe pod web"),
        ("Running", "node-1", true, "audit find --pod shop/web FILE"),
        ("Succeeded", "node-1", true, "the pod has finished"),
    ] {
        let pod = pod(phase, node);
        let found = explained(&pod, &[], Vec::new());
        assert_eq!(found.is_good(&pod), is_good, "{phase} {node}");
        let text = found.shown(&pod, Look::PLAIN, now());
        assert!(text.replace("\n          ", " ").contains(next), "{text}");
    }
}

/// Kubelet's events outlast requests.
#[test]
fn a_denial_is_known_after_its_request_is_gone() {
    let pod = pod("Running", "node-1");
    // as kubelet 1.37 formats it
    let message = "IdentityNotGranted%!(EXTRA string=PodCertificateRequest shop/r was denied, reason=\"IdentityNotGranted\")";
    let denied = || vec![Event::of_test("Denied", message, ago(30))];
    let found = explained(&pod, &[], denied());
    assert!(!found.is_good(&pod));
    let text = found.shown(&pod, Look::PLAIN, now());
    assert!(text.contains("kubelet warned of the pod 30 min ago: Denied\n    IdentityNotGranted"), "{text}");
}

#[test]
fn warnings_of_other_things_and_of_before_the_last_certificate_do_not_count() {
    let issued = Outcome::Issued {
        chain: String::new(),
        not_after: None,
        begin_refresh_at: None,
        message: String::new(),
    };
    let running = pod("Running", "node-1");
    for (reason, minutes, is_shown) in [
        ("CertificateOverdueForRefresh", 6, false),
        ("CertificateOverdueForRefresh", 4, true),
        ("Unhealthy", 4, false),
        ("FailedMount", 4, false),
        ("Failed", 4, false),
    ] {
        let event = Event::of_test(reason, "m", ago(minutes));
        let found = explained(&running, &[request(issued.clone())], vec![event]);
        assert_eq!(found.warnings.len(), usize::from(is_shown), "{reason} {minutes}");
    }
    let pending = pod("Pending", "node-1");
    let found = explained(&pending, &[], vec![Event::of_test("FailedMount", "m", ago(1))]);
    assert_eq!(found.warnings.len(), 1);
}

/// A pod may ask one signer for several certificates.
#[test]
fn one_denied_certificate_is_not_hidden_by_another() {
    let mut pod = pod("Pending", "node-1");
    pod.pod.certificate_sources.push(pod.pod.certificate_sources[0].clone());
    let issued = Outcome::Issued {
        chain: String::new(),
        not_after: None,
        begin_refresh_at: None,
        message: String::new(),
    };
    let denied = Outcome::Refused { condition: "Denied".into(), reason: "R".into(), message: "m".into() };
    for outcomes in [[&issued, &denied], [&denied, &issued]] {
        let requests = outcomes.map(|outcome| request(outcome.clone()));
        let found = explained(&pod, &requests, Vec::new());
        assert_eq!(found.certificates[0].outcome, RequestOutcome::Denied);
    }
}

use super::*;
use crate::testing::RequestBuilder;

fn message(verdict: Verdict) -> String {
    match verdict {
        Verdict::Other(Decision::Deny(Denial { reason, message, grounds: Grounds::Fixed })) => {
            assert_eq!(reason, reasons::REQUEST_DOES_NOT_MATCH_POD);
            message
        }
        other => panic!("{other:?} is no denial for good"),
    }
}

#[test]
fn a_request_without_a_volume_is_told_that_only_volumes_are_served() {
    let ends = "not requests that a node's driver makes without one; mount one";
    let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
    pod.certificate_sources[0].signer_name = "example.com/b".into();
    let another = message(verify(&claims, &pod));
    assert!(another.contains("example.com/b") && another.ends_with(ends), "{another}");
    pod.certificate_sources.clear();
    let none = message(verify(&claims, &pod));
    assert!(none.contains("asks for no certificate at all. Only") && none.ends_with(ends), "{none}");
    let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
    pod.certificate_sources[0].key_type = "RSA4096".into();
    let other_key = message(verify(&claims, &pod));
    assert!(!other_key.contains("driver"), "{other_key}");
}

#[test]
fn a_pod_that_asked_matches() {
    let (claims, pod) = RequestBuilder::new("example.com/a").parts();
    assert_eq!(verify(&claims, &pod), Verdict::Matches);
}

#[test]
fn any_of_several_sources_suffices() {
    let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
    let other =
        CertificateSource { signer_name: "example.com/b".into(), ..pod.certificate_sources[0].clone() };
    pod.certificate_sources.insert(0, other);
    assert_eq!(verify(&claims, &pod), Verdict::Matches);
}

#[test]
fn each_identity_must_be_the_pods_own() {
    type Change = fn(&mut Claims);
    let changes: [(Change, &str); 5] = [
        (|claims| claims.pod_name = "other".into(), "spec.podName is \"other\""),
        (|claims| claims.namespace = "other".into(), "web-0 of namespace shop"),
        (|claims| claims.pod_uid = "other".into(), "spec.podUID is \"other\""),
        (|claims| claims.node_name = "other".into(), "spec.nodeName is \"other\""),
        (|claims| claims.service_account_name = "other".into(), "spec.serviceAccountName is \"other\""),
    ];
    for (change, expected) in changes {
        let (mut claims, pod) = RequestBuilder::new("example.com/a").parts();
        change(&mut claims);
        let message = message(verify(&claims, &pod));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn each_part_of_a_source_must_be_what_the_pod_asked_for() {
    type Change = fn(&mut CertificateSource);
    let changes: [Change; 4] = [
        |source| source.signer_name = "example.com/b".into(),
        |source| source.key_type = "RSA4096".into(),
        |source| source.max_expiration += std::time::Duration::from_secs(1),
        |source| drop(source.user_annotations.insert("a.b/c".into(), "d".into())),
    ];
    for change in changes {
        let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
        change(&mut pod.certificate_sources[0]);
        let message = message(verify(&claims, &pod));
        assert!(message.contains("no podCertificate volume source"), "{message}");
    }
}

#[test]
fn a_mirror_pod_has_no_certificate() {
    let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
    pod.is_mirror = true;
    let message = message(verify(&claims, &pod));
    assert!(message.contains("kubernetes.io/config.mirror"), "{message}");
}

#[test]
fn terminating_and_finished_pods_are_left_alone() {
    let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
    pod.is_terminating = true;
    assert_eq!(verify(&claims, &pod), Verdict::LeaveAlone);
    let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
    pod.phase = PodPhase::Finished;
    assert_eq!(verify(&claims, &pod), Verdict::LeaveAlone);
}

#[test]
fn a_pod_that_is_not_bound_yet_may_still_become_the_one() {
    let (claims, mut pod) = RequestBuilder::new("example.com/a").parts();
    pod.node_name.clear();
    let Verdict::Other(Decision::Wait(wait)) = verify(&claims, &pod) else { panic!("must wait") };
    assert_eq!(wait.reason, reasons::POD_NOT_FOUND);
}

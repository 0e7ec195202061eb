use super::*;

fn read(json: &str) -> Pod {
    crate::api::object::read_object(json.as_bytes()).unwrap()
}

#[test]
fn a_pod_without_a_name_or_a_namespace_is_unreadable() {
    for json in [r"{}", r#"{"metadata":{}}"#, r#"{"metadata":{"name":"a"}}"#] {
        assert!(crate::api::object::read_object::<Pod>(json.as_bytes()).is_err(), "{json}");
    }
}

#[test]
fn a_pending_pod_that_has_started_a_container_counts_as_running() {
    let phase = |status: &str| {
        let status = format!(r#"{{"phase":"Pending",{status}}}"#);
        read(&format!(r#"{{"metadata":{{"name":"a","namespace":"b"}},"status":{status}}}"#)).phase
    };
    let waiting = r#"{"state":{"waiting":{}},"lastState":{}}"#;
    let cases = [
        (format!(r#""initContainerStatuses":[{waiting}],"containerStatuses":[{waiting}]"#), PodPhase::Pending),
        (r#""containerStatuses":[{"state":null,"lastState":null},{}]"#.into(), PodPhase::Pending),
        // a sidecar runs
        (r#""initContainerStatuses":[{"state":{"running":{"startedAt":"9999-12-31T00:00:00Z"}}}]"#.into(), PodPhase::Running),
        // between two init containers nothing runs
        (format!(r#""initContainerStatuses":[{{"state":{{"terminated":{{"exitCode":0}}}}}},{waiting}]"#), PodPhase::Running),
        // an init container that has failed, and will be started again
        (r#""initContainerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":1}}}]"#.into(), PodPhase::Running),
    ];
    for (status, expected) in cases {
        assert_eq!(phase(&status), expected, "{status}");
    }
}

#[test]
fn a_mirror_pod_is_known_by_its_annotation() {
    assert!(!read(r#"{"metadata":{"name":"a","namespace":"b","annotations":{}}}"#).is_mirror);
    assert!(
        read(r#"{"metadata":{"name":"a","namespace":"b","annotations":{"kubernetes.io/config.mirror":""}}}"#)
            .is_mirror
    );
}

#[test]
fn only_what_counts_is_read() {
    let pod = read(
        r#"{"kind":"Pod","metadata":{"name":"web-0","namespace":"shop","uid":"u","labels":{"app":"web"},"managedFields":[{"time":"9999-12-31T00:00:00Z"}],
                "annotations":{"a":"b","kubectl.kubernetes.io/last-applied-configuration":"canary"},"deletionTimestamp":"9999-12-31T00:00:00Z"},
                "spec":{"nodeName":"n","serviceAccountName":"s","hostname":"","containers":[{"env":7}],"volumes":[{"name":"v","projected":{"sources":[
                {"secret":{}},{"podCertificate":{"signerName":"a.b/c","keyType":"ED25519","userAnnotations":{"k":"v"}}}]}},{"emptyDir":{}}]},"status":{"phase":"Running","startTime":5}}"#,
    );
    let source = CertificateSource {
        signer_name: "a.b/c".into(),
        key_type: "ED25519".into(),
        max_expiration: Duration::from_secs(86_400),
        user_annotations: [("k".to_owned(), "v".to_owned())].into(),
    };
    let expected = Pod {
        name: "web-0".into(),
        namespace: "shop".into(),
        uid: "u".into(),
        labels: [("app".to_owned(), "web".to_owned())].into(),
        annotations: [("a".to_owned(), "b".to_owned())].into(),
        node_name: "n".into(),
        service_account_name: "s".into(),
        is_terminating: true,
        phase: PodPhase::Running,
        certificate_sources: vec![source],
        ..Pod::default()
    };
    assert_eq!(pod, expected);
}

use super::*;

fn request(pod: &str, age: i64, outcome: Outcome) -> ObservedRequest {
    ObservedRequest {
        namespace: "shop".into(),
        name: format!("request-of-{pod}"),
        created: now() - SignedDuration::from_secs(age),
        signer: "example.com/a".into(),
        pod_name: pod.into(),
        pod_uid: "u".into(),
        outcome,
    }
}

fn now() -> Timestamp {
    "2026-11-27T20:00:00Z".parse().unwrap()
}

fn lines(requests: &[ObservedRequest], events: &[(&str, &str)]) -> Vec<(Severity, String)> {
    let events = events.iter().map(|(pod, reason)| {
        let name = format!("request-of-{pod}");
        (("shop".to_owned(), name), Event::of_test(reason, "why", now()))
    });
    let findings = of_listed(requests, Some(&events.collect()), now());
    findings.into_iter().map(|finding| (finding.severity, finding.text)).collect()
}

#[test]
fn requests_that_end_alike_are_one_line() {
    let denied = || Outcome::Refused {
        condition: "Denied".into(),
        reason: "IdentityNotGranted".into(),
        message: "m".into(),
    };
    let requests = [
        request("a", 400, Outcome::Pending),
        request("b", 200, Outcome::Pending),
        request("c", 100, Outcome::Pending),
        request("d", 30, denied()),
        request("e", 5, Outcome::Pending),
    ];
    let found =
        lines(&requests, &[("a", "WaitingForService"), ("b", "WaitingForService"), ("c", "IssuanceFailing")]);
    let expected = [
        (Severity::Warning, "example.com/a: 1 request denied (IdentityNotGranted), the oldest for 30 s"),
        (Severity::Bad, "example.com/a: 1 request waiting (IssuanceFailing), the oldest for 100 s"),
        (Severity::Warning, "example.com/a: 2 requests waiting (WaitingForService), the oldest for 7 min"),
    ];
    assert_eq!(found, expected.map(|(severity, text)| (severity, text.replace("100 s", "2 min"))));
}

#[test]
fn one_long_wait_makes_its_group_bad() {
    let requests = [request("a", 20, Outcome::Pending), request("b", 600, Outcome::Pending)];
    let found = lines(&requests, &[]);
    assert_eq!((found.len(), found[0].0), (1, Severity::Bad));
}

#[test]
fn silence_becomes_a_failure_after_a_minute() {
    for (age, expected) in [(5, Severity::Good), (20, Severity::Warning), (90, Severity::Bad)] {
        assert_eq!(lines(&[request("a", age, Outcome::Pending)], &[])[0].0, expected, "{age}");
    }
}

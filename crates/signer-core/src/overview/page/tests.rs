use super::*;
use crate::{
    controller::pending::{Backlog, RequestKey},
    health::{SignerReport, TaskEnd, TaskOutcome},
    overview::SignerOverview,
    replicas::ReplicaName,
    trust_bundle::Anchors,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn authority(id: &str, phase: Phase, next: Option<(NextStep, Timestamp)>) -> AuthorityOverview {
    AuthorityOverview {
        id: id.into(),
        phase,
        next,
        not_before: at("2026-01-01T00:00:00Z"),
        not_after: at("2027-01-01T00:00:00Z"),
        signs_from: Some(at("2026-03-01T00:00:00Z")),
        signs_until: at("2026-09-01T00:00:00Z"),
        trusted_until: None,
    }
}

fn signer(name: &str, problems: &[&str], warnings: &[&str]) -> SignerStatus {
    let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect();
    let name: ca_pool::names::SignerName = name.parse().unwrap();
    let report = SignerReport {
        name: name.clone(),
        problems: lines(problems),
        warnings: lines(warnings),
        notes: vec![],
    };
    let until = at("2026-07-01T00:14:00Z");
    let authorities = vec![
        authority("1", Phase::Active, Some((NextStep::Retire, until))),
        authority("2", Phase::Prepared(Some(until)), Some((NextStep::Activate, until))),
    ];
    let waiting = Duration::from_secs(3700);
    let backlog =
        Backlog { by_reason: [("WaitingForService".to_owned(), (70, waiting))].into(), ..Backlog::default() };
    SignerStatus {
        report,
        overview: Some(SignerOverview {
            name,
            authorities,
            anchors: Anchors { published: 2, foreign: 0 },
            backlog,
        }),
        others: vec![ReplicaName::new("signer-manager-b", [2; 4])],
        waiting: vec![WaitingRequest {
            key: RequestKey { namespace: "shop".into(), name: "req-x7".into() },
            pod: Some("web-0".into()),
            age: waiting,
            last_event: Some(("WaitingForService".into(), "no Service selects the pod <b>web-0</b>".into())),
        }],
        decisions: vec![Recorded {
            at: at("2026-06-30T23:59:58Z"),
            outcome: "Denied".into(),
            reason: "IdentityNotGranted".into(),
            namespace: "shop".into(),
            pod: "web-1".into(),
            message: "nobody may have \"a.example.com\"".into(),
        }],
    }
}

fn status(signers: Vec<SignerStatus>) -> Status {
    Status {
        now: at("2026-07-01T00:00:00Z"),
        machine_ahead: Some(SignedDuration::from_secs(-95)),
        replica: ReplicaName::new("signer-manager-a", [1; 4]),
        is_ready: true,
        ended: vec![],
        signers,
    }
}

#[test]
fn it_shows_signers_cas_replicas_what_waits_and_what_was_decided() {
    let page = render(&status(vec![signer("example.com/a", &[], &[])])).into_string();
    for part in [
        "<title>signer-manager: ready</title>",
        "replica signer-manager-a/01010101, version",
        "2026-07-01 00:00:00 UTC by the API server's clock (this machine's is 1 min behind)",
        "<h2>example.com/a</h2><span class=\"verdict good\">ready</span>",
        "<strong>CA 1</strong>, active<div class=\"faint\">the next one signs in 14 min</div>",
        "<strong>CA 2</strong>, prepared: trusted, not signing yet<div class=\"faint\">signs in 14 min</div>",
        "<i class=\"signs\" style=\"left:16.16%;width:50.41%\">",
        "2 trust anchors published. Replicas: signer-manager-a/01010101 (this one), signer-manager-b/02020202.",
        "<h3>70 requests wait</h3><p class=\"faint\">Shown: the oldest 1.</p>",
        "<td class=\"short\">shop</td><td class=\"short\">web-0</td><td class=\"short\">1 h 1 min</td><td>WaitingForService</td>",
        "no Service selects the pod &lt;b&gt;web-0&lt;/b&gt;",
        "<td class=\"bad\">Denied: IdentityNotGranted</td><td class=\"short\">shop</td><td class=\"short\">web-1</td>",
    ] {
        assert!(page.contains(part), "{part}\nisn't in\n{page}");
    }
    assert!(!page.contains("<script") && !page.contains("http"), "it loads nothing");
}

#[test]
fn it_says_what_is_wrong() {
    let signers = vec![
        signer("example.com/a", &["the pool file doesn't exist"], &[]),
        signer("example.com/b", &[], &[&"the bundle lags".repeat(200)]),
    ];
    let ended = vec![TaskEnd { task: "events".into(), outcome: TaskOutcome::Panicked }];
    let status = Status { is_ready: false, machine_ahead: None, ended, ..status(signers) };
    let page = render(&status).into_string();
    for part in [
        "the task &quot;events&quot; has ended: it panicked",
        "; the process ends</p>",
        "<span class=\"verdict bad\">not ready</span>",
        "clock, which isn't known yet",
        "<li class=\"bad\">the pool file doesn't exist</li>",
        "<span class=\"verdict warn\">ready, with a warning</span>",
    ] {
        assert!(page.contains(part), "{part}\nisn't in\n{page}");
    }
    assert!(!page.contains(&"the bundle lags".repeat(100)), "messages are bounded");
}

#[test]
fn before_anything_is_known_it_says_so() {
    let mut early = signer("example.com/a", &["waiting for pods"], &[]);
    early.overview.as_mut().unwrap().authorities.clear();
    (early.waiting, early.decisions) = (vec![], vec![]);
    early.overview.as_mut().unwrap().backlog = Backlog::default();
    let page = render(&status(vec![early])).into_string();
    for part in ["No CA pool is loaded.", "No requests wait", "This replica has made none yet."] {
        assert!(page.contains(part), "{part}\nisn't in\n{page}");
    }
}

#[test]
fn spans_have_their_two_greatest_units() {
    let spans = [0, 59, 60, 3599, 3600, 3660, 86_399, 90_000, 172_800, 864_000, 900_000_000];
    let texts = spans.map(|seconds| span(Duration::from_secs(seconds)));
    let expected = [
        "0 s",
        "59 s",
        "1 min",
        "59 min",
        "1 h",
        "1 h 1 min",
        "23 h 59 min",
        "1 d 1 h",
        "2 d",
        "10 d",
        "10416 d",
    ];
    assert_eq!(texts, expected);
}

use super::*;
use crate::health::{SignerReport, TaskOutcome};

/// Kubelet asks the pod's first address, of whichever family that is.
#[tokio::test]
async fn all_addresses_are_those_of_both_families() {
    let listener = TcpListener::bind(&*tried("[::]:0".parse().unwrap())).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let addresses = |text: &str| tried(text.parse().unwrap()).iter().map(ToString::to_string).collect();
    let without_ipv6: Vec<String> = addresses("[::]:80");
    assert_eq!(without_ipv6, ["[::]:80", "0.0.0.0:80"]);
    for one in ["[::1]:80", "0.0.0.0:80", "127.0.0.1:80"] {
        let tried: Vec<String> = addresses(one);
        assert_eq!(tried, [one]);
    }
}

#[test]
fn the_page_names_who_is_not_ready_and_why() {
    let signer = |name: &str, problems: &[&str], warnings: &[&str]| SignerReport {
        name: name.parse().unwrap(),
        problems: problems.iter().map(ToString::to_string).collect(),
        warnings: warnings.iter().map(ToString::to_string).collect(),
        notes: vec!["deny: 1 rule".to_owned()],
    };
    let signers = vec![
        signer("example.com/a", &[], &["the pool's file is broken"]),
        signer("example.com/b", &["there is no pool"], &[]),
    ];
    assert_eq!(
        page(&Report { is_ready: false, signers }, &[]),
        "example.com/a: ready\n  - the pool's file is broken\n  - deny: 1 rule\nexample.com/b: not ready\n  - there is no pool\n  - deny: 1 rule\n"
    );
}

#[test]
fn a_task_that_ended_is_named_before_the_signers() {
    let end = TaskEnd { task: "watch of pods".into(), outcome: TaskOutcome::Panicked };
    let report = Report { is_ready: true, signers: vec![] };
    assert_eq!(
        page(&report, &[end]),
        "process: not ready\n  - the task \"watch of pods\" has ended: it panicked; the process ends\n"
    );
}

#[test]
fn a_message_is_one_line_of_bounded_length() {
    let message = format!("no CA\nexample.com/b: ready{}", "ä".repeat(3000));
    let signers = vec![SignerReport {
        name: "example.com/a".parse().unwrap(),
        problems: vec![message],
        warnings: vec![],
        notes: vec![],
    }];
    let page = page(&Report { is_ready: false, signers }, &[]);
    let lines: Vec<_> = page.lines().collect();
    assert!(lines.len() == 2 && lines[1].starts_with("  - no CA example.com/b: readyä"), "{page}");
    assert!(lines[1].len() <= 2004 && lines[1].ends_with('…'), "{page}");
}

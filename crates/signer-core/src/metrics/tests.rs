use super::*;
use crate::health::Component;

#[test]
fn the_page_has_outcomes_times_and_what_is_wrong() {
    let health = Health::default();
    let name: SignerName = "example.com/a".parse().unwrap();
    let signer = health.signer(&name, &[Component::CertificateAuthority, Component::Pods]);
    signer.recovered(Component::Pods);
    signer.degraded(Component::Services, "once more");
    let metrics = Metrics::new(health, EndedTasks::default(), |_| {});
    metrics.deny_rules(&name, 3);
    let of_signer = metrics.of(&name);
    of_signer.issued(Duration::from_millis(3));
    of_signer.recorded("Denied", "IdentityNotGranted");
    of_signer.retried();
    of_signer.duplicate();
    let queue = of_signer.queue();
    queue.unfinished.set(2);
    queue.takeovers.inc_by(4);
    queue.live_replicas.set(3);
    metrics.events_dropped().inc();
    of_signer.retained_anchors(1);
    let page = metrics.page();
    for line in [
        r#"requests_total{signer="example.com/a",outcome="Issued",reason="Issued"} 1"#,
        r#"requests_total{signer="example.com/a",outcome="Denied",reason="IdentityNotGranted"} 1"#,
        r#"issuance_seconds_bucket{le="0.002",signer="example.com/a"} 0"#,
        r#"issuance_seconds_bucket{le="0.005",signer="example.com/a"} 1"#,
        r#"retries_total{signer="example.com/a"} 1"#,
        r#"duplicates_total{signer="example.com/a"} 1"#,
        r#"takeovers_total{signer="example.com/a"} 4"#,
        r#"live_replicas{signer="example.com/a"} 3"#,
        "events_dropped_total 1",
        r#"unfinished_requests{signer="example.com/a"} 2"#,
        r#"deny_rules{signer="example.com/a"} 3"#,
        r#"retained_trust_anchors{signer="example.com/a"} 1"#,
        r#"ready{signer="example.com/a"} 0"#,
        r#"problem{signer="example.com/a",component="certificate-authority",severity="error"} 1"#,
        r#"problem{signer="example.com/a",component="services",severity="warning"} 1"#,
    ] {
        assert!(page.contains(&format!("\n{PREFIX}_{line}\n")), "{line} isn't in\n{page}");
    }
    assert!(!page.contains("component=\"pods\"") && page.ends_with("# EOF\n"), "{page}");
}

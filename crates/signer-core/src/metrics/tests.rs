use super::*;
use crate::{
    clock::Clock,
    controller::{
        decision_log::DecisionLog,
        pending::{Pending, RequestKey},
    },
    health::Component,
    overview::{Overview, Sources},
    pool_source::PoolState,
    reasons,
    replicas::{ReplicaName, Replicas},
};
use std::collections::BTreeSet;

use ca_pool::{
    CaPool, CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType, testing::TestCa,
};
use http::header::DATE;
use jiff::Timestamp;
use tokio::sync::watch;

fn of(health: Health) -> Metrics {
    Metrics::new(health, EndedTasks::default(), |_| {})
}

#[test]
fn the_page_has_outcomes_times_and_what_is_wrong() {
    let health = Health::default();
    let name: SignerName = "example.com/a".parse().unwrap();
    let signer = health.signer(&name, &[Component::CertificateAuthority, Component::Pods]);
    signer.recovered(Component::Pods);
    signer.degraded(Component::Services, "once more");
    let metrics = of(health);
    metrics.deny_rules(&name, 3);
    let of_signer = metrics.of(&name);
    of_signer.issued(Duration::from_millis(7), Some(Duration::from_secs(3)));
    of_signer.recorded("Denied", "IdentityNotGranted");
    of_signer.retried();
    of_signer.duplicate();
    let queue = of_signer.queue();
    queue.unfinished.set(2);
    queue.takeovers.inc_by(4);
    queue.live_replicas.set(3);
    metrics.events_dropped().inc();
    of_signer.retained_anchors(1);
    of_signer.pool_reloaded(true);
    of_signer.bundle_written(false);
    of_signer.steps().decide.observe(0.0005);
    metrics.process().calls.ended("get", Some(404), Duration::from_millis(3));
    metrics.process().calls.ended("watch", None, Duration::from_secs(20));
    metrics.process().watches.restarts(Component::Services);
    metrics.process().watches.unreadable(Component::Services);
    let page = metrics.page();
    for line in [
        r#"requests_total{signer="example.com/a",outcome="Issued",reason="Issued"} 1"#,
        r#"requests_total{signer="example.com/a",outcome="Denied",reason="IdentityNotGranted"} 1"#,
        r#"issuance_seconds_bucket{le="0.005",signer="example.com/a"} 0"#,
        r#"issuance_seconds_bucket{le="0.01",signer="example.com/a"} 1"#,
        r#"latency_seconds_bucket{le="2.0",signer="example.com/a"} 0"#,
        r#"latency_seconds_bucket{le="5.0",signer="example.com/a"} 1"#,
        r#"decide_seconds_bucket{le="0.001",signer="example.com/a"} 1"#,
        r#"pool_reloads_total{signer="example.com/a",result="success"} 1"#,
        r#"bundle_writes_total{signer="example.com/a",result="failure"} 1"#,
        r#"api_call_seconds_bucket{le="0.005",verb="get",code="404"} 1"#,
        r#"api_call_seconds_count{verb="watch",code="none"} 1"#,
        r#"watch_restarts_total{component="services"} 1"#,
        r#"unreadable_objects_total{component="services"} 1"#,
        concat!(r#"build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""} 1"#),
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
    assert!(!page.contains(r#"problem{signer="example.com/a",component="pods""#), "{page}");
    assert!(page.ends_with("# EOF\n"), "{page}");
}

#[test]
fn what_the_process_uses_has_the_usual_names() {
    let page = of(Health::default()).page();
    let value = |name: &str| -> f64 {
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} isn't in\n{page}")).parse().unwrap()
    };
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert!(value("process_open_fds") >= 3.0 && value("process_threads") >= 1.0);
    assert!(value("process_cpu_seconds_total") >= 0.0 && value("process_start_time_seconds") > 1.7e9);
}

/// 20 signers have seen each reason that there is, have two CAs each and three reasons that make requests wait now, and
/// two components with a problem.
#[test]
fn twenty_signers_have_at_most_two_thousand_series() {
    let (health, ended) = (Health::default(), EndedTasks::default());
    let clock = Clock::new();
    let overview = Overview::new(clock.clone(), ReplicaName::new("a", [0; 4]), health.clone(), ended.clone());
    let further = |registry: &mut Registry| registry.register_collector(Box::new(overview.clone()));
    let metrics = Metrics::new(health.clone(), ended, further);
    let root = TestCa::root("root");
    let next = NewRoot {
        id: "next".into(),
        common_name: "next".parse().unwrap(),
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    let serial = SerialNumber::from_random([1; 16]);
    let next = CertificateAuthority::new_root(next, key, serial, Timestamp::now()).unwrap();
    let pool = CaPool::new(vec![root.authority(&[], &root), next]).unwrap();
    let pool = watch::channel(PoolState { pool: Some(pool.into()), ..PoolState::default() }).1;
    let mut all = Vec::new();
    for i in 0..20 {
        let name: SignerName = format!("example.com/signer-{i}").parse().unwrap();
        let of_health = health.signer(&name, &Component::ALL);
        Component::ALL.iter().for_each(|component| of_health.recovered(*component));
        for component in [Component::Services, Component::Clock] {
            of_health.degraded(component, "why");
        }
        let of_signer = metrics.of(&name);
        of_signer.issued(Duration::ZERO, Some(Duration::ZERO));
        reasons::OF_DENIALS.iter().for_each(|reason| of_signer.recorded("Denied", reason.as_str()));
        reasons::OF_WAITS.iter().for_each(|reason| of_signer.recorded("Pending", reason.as_str()));
        of_signer.steps().sign.observe(0.001);
        of_signer.steps().decide.observe(0.001);
        for result in [true, false] {
            of_signer.pool_reloaded(result);
            of_signer.bundle_written(result);
        }
        of_signer.retried();
        of_signer.duplicate();
        of_signer.retained_anchors(0);
        metrics.deny_rules(&name, 0);
        let replicas = Replicas::alone(ReplicaName::new("a", [0; 4]));
        let pending = std::sync::Arc::new(Pending::new(of_signer.queue(), replicas.clone()));
        for reason in &reasons::OF_WAITS[..3] {
            let key = RequestKey { namespace: "shop".into(), name: reason.as_str().into() };
            pending.arrive(&key, "u");
            assert!(pending.is_news(&key, "web-0", reason.as_str(), "why"));
        }
        let sources = Sources {
            pool: pool.clone(),
            published: watch::channel(None).1,
            replicas,
            decisions: DecisionLog::default(),
            pending: std::sync::Arc::downgrade(&pending),
        };
        overview.add(name, sources);
        all.push(pending);
    }
    metrics.process().watches.restarts(Component::Pods);
    metrics.process().watches.unreadable(Component::Pods);
    let sent = Timestamp::now();
    clock.answered(
        &[(DATE, sent.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string().parse().unwrap())]
            .into_iter()
            .collect(),
        sent,
    );
    for verb in ["get", "list", "watch", "create", "update"] {
        for code in [Some(200), Some(409), None] {
            metrics.process().calls.ended(verb, code, Duration::ZERO);
        }
    }
    let page = metrics.page();
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    assert!((1500..=2000).contains(&series), "{series}");
    assert!(page.contains(r#"ca_phase{signer="example.com/signer-3",ca="1",phase="active"} 1"#), "{page}");
    assert!(page.contains(r#"queued_requests{signer="example.com/signer-3"} 0"#), "{page}");
    is_documented(&page);
}

/// Each metric of the page is in docs/monitoring.md, and each one there is on the page.
fn is_documented(page: &str) {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/monitoring.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let (_, metrics) = docs.split_once("\n## Metrics\n").unwrap();
    let (metrics, _further) = metrics.split_once("\n## ").unwrap();
    let rows = metrics.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let named: BTreeSet<&str> = quoted
        .filter(|name| !name.contains('.'))
        .map(|name| name.split('{').next().unwrap())
        .map(|name| name.strip_suffix("_total").or(name.strip_suffix("_info")).unwrap_or(name))
        .collect();
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let there: BTreeSet<&str> = types
        .filter_map(|line| line.split(' ').next())
        .map(|name| name.strip_prefix(PREFIX).map_or(name, |name| name.trim_start_matches('_')))
        .collect();
    assert_eq!(there, named);
}

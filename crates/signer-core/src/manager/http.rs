//! `/livez`, `/readyz` and `/metrics`.

use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use super::{
    ManagerError,
    http_server::{self, LIMITS},
};
use crate::{
    health::{EndedTasks, Health, Report, TaskEnd},
    metrics::Metrics,
};
use bounded_text::{one_line, truncated};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What to listen on, the first that works. `[::]` stands for all addresses of both families, on a machine without IPv6 too.
pub(super) fn tried(address: SocketAddr) -> Vec<SocketAddr> {
    let any_v4 = (Ipv4Addr::UNSPECIFIED, address.port()).into();
    let any = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    [Some(address), any.then_some(any_v4)].into_iter().flatten().collect()
}

/// Listens there, and logs where: port 0 stands for any.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, ManagerError> {
    let bound = async {
        let listener = TcpListener::bind(&*tried(address)).await?;
        tracing::info!(address = %listener.local_addr()?, "serving /livez, /readyz and /metrics");
        Ok(listener)
    };
    bound.await.map_err(|source| ManagerError::HttpBind { address, source })
}

/// Answers. Never ends.
pub(crate) async fn serve(listener: TcpListener, health: Health, ended: EndedTasks, metrics: Metrics) {
    let scraped = move || async move { ([(CONTENT_TYPE, OPEN_METRICS)], metrics.page()) };
    let routes = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scraped));
    http_server::serve(listener, routes.with_state((health, ended)), LIMITS).await;
}

async fn readyz(State((health, ended)): State<(Health, EndedTasks)>) -> impl IntoResponse {
    let (report, ended) = (health.report(), ended.list());
    let is_ready = report.is_ready && ended.is_empty();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, page(&report, &ended))
}

/// Messages hold what others wrote, such as the API server or whoever named an object.
const LONGEST_LINE: usize = 2000;

/// One line a signer; each problem of one that isn't ready on a line of its own.
fn page(report: &Report, ended: &[TaskEnd]) -> String {
    let mut page = String::new();
    for end in ended {
        // writing to a String can't fail
        let _ = writeln!(page, "process: not ready\n  - {end}; the process ends");
    }
    for signer in &report.signers {
        let verdict = if signer.problems.is_empty() { "ready" } else { "not ready" };
        let _ = writeln!(page, "{}: {verdict}", signer.name);
        for line in signer.problems.iter().chain(&signer.warnings).chain(&signer.notes) {
            let _ = writeln!(page, "  - {}", truncated(&one_line(line), LONGEST_LINE));
        }
    }
    page
}

#[cfg(test)]
mod tests {
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
}

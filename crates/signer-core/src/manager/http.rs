//! `/livez`, `/readyz` and `/metrics`.

use std::{fmt::Write, future, io};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use crate::{
    health::{Health, Report},
    metrics::Metrics,
};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers for as long as it is polled; without a listener, nobody can ask. It waits for no client's end.
pub(crate) async fn serve(listener: Option<TcpListener>, health: Health, metrics: Metrics) -> io::Result<()> {
    let Some(listener) = listener else { return future::pending().await };
    let scraped = move || async move { ([(CONTENT_TYPE, OPEN_METRICS)], metrics.page()) };
    let routes = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(scraped));
    axum::serve(listener, routes.with_state(health)).await
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let report = health.report();
    let status = if report.is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, page(&report))
}

/// One line a signer; each problem of one that isn't ready on a line of its own.
fn page(report: &Report) -> String {
    let mut page = String::new();
    for signer in &report.signers {
        let verdict = if signer.problems.is_empty() { "ready" } else { "not ready" };
        // writing to a String can't fail
        let _ = writeln!(page, "{}: {verdict}", signer.name);
        for line in signer.problems.iter().chain(&signer.warnings) {
            let _ = writeln!(page, "  - {line}");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::SignerReport;

    #[test]
    fn the_page_names_who_is_not_ready_and_why() {
        let signer = |name: &str, problems: &[&str], warnings: &[&str]| SignerReport {
            name: name.parse().unwrap(),
            problems: problems.iter().map(ToString::to_string).collect(),
            warnings: warnings.iter().map(ToString::to_string).collect(),
        };
        let signers = vec![
            signer("example.com/a", &[], &["the pool's file is broken"]),
            signer("example.com/b", &["there is no pool"], &[]),
        ];
        assert_eq!(
            page(&Report { is_ready: false, signers }),
            "example.com/a: ready\n  - the pool's file is broken\nexample.com/b: not ready\n  - there is no pool\n"
        );
    }
}

//! `/livez`, `/readyz` and `/metrics`.

use std::{
    fmt::Write,
    future, io,
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

use crate::{
    health::{Health, Report},
    metrics::Metrics,
};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What to listen on, the first that works. `[::]` stands for all addresses of both families, on a machine without IPv6 too.
pub(super) fn tried(address: SocketAddr) -> Vec<SocketAddr> {
    let any_v4 = (Ipv4Addr::UNSPECIFIED, address.port()).into();
    let any = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    [Some(address), any.then_some(any_v4)].into_iter().flatten().collect()
}

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

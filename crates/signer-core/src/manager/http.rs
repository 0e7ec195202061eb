//! `/livez`, `/readyz`, `/metrics`, and `/` for people.

use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderName, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
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
    overview::{self, Overview},
};
use bounded_text::{one_line, truncated};

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The page is whole: it loads nothing, and nobody may frame it.
const STATUS_PAGE: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    (CACHE_CONTROL, "no-store"),
];

/// What only those should see who may know names of pods.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) metrics: Metrics,
    /// The status page is served if this is set.
    pub(crate) overview: Option<Overview>,
}

impl Pages {
    pub(super) fn routes(self) -> Router {
        let Self { metrics, overview } = self;
        let scraped = move || async move { ([(CONTENT_TYPE, OPEN_METRICS)], metrics.page()) };
        let routes = Router::new().route("/metrics", get(scraped));
        let Some(overview) = overview else { return routes };
        routes.route("/", get(move || async move { (STATUS_PAGE, overview::page(&overview)) }))
    }
}

/// What to listen on, the first that works. `[::]` stands for all addresses of both families, on a machine
/// without IPv6 too.
pub(super) fn tried(address: SocketAddr) -> Vec<SocketAddr> {
    let any_v4 = (Ipv4Addr::UNSPECIFIED, address.port()).into();
    let any = address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    [Some(address), any.then_some(any_v4)].into_iter().flatten().collect()
}

/// Listens there, and logs where: port 0 stands for any.
pub(super) async fn bind(address: SocketAddr, what: &'static str) -> Result<TcpListener, ManagerError> {
    let bound = async {
        let listener = TcpListener::bind(&*tried(address)).await?;
        tracing::info!(address = %listener.local_addr()?, "serving {what}");
        Ok(listener)
    };
    bound.await.map_err(|source| ManagerError::HttpBind { what, address, source })
}

/// Answers probes, and whoever asks for the pages, if they are here. Never ends.
pub(crate) async fn serve(listener: TcpListener, health: Health, ended: EndedTasks, pages: Option<Pages>) {
    let routes = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state((health, ended));
    let routes = pages.map(Pages::routes).into_iter().fold(routes, Router::merge);
    http_server::serve(listener, http_server::Plain, routes, LIMITS).await;
}

/// Answers `/livez`, and `/readyz` by what is said of it: whether all is well, and a page. For processes without
/// signers: a [`Manager`](super::Manager) has its own. Returns only if it can't listen.
///
/// # Errors
/// If it can't listen there.
pub async fn serve_probes(
    address: SocketAddr,
    readiness: impl Fn() -> (bool, String) + Clone + Send + Sync + 'static,
) -> Result<(), ManagerError> {
    let listener = bind(address, "probes").await?;
    let readyz = move || async move {
        let (is_ready, page) = readiness();
        (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, page)
    };
    let routes = Router::new().route("/livez", get(|| async { "ok\n" })).route("/readyz", get(readyz));
    http_server::serve(listener, http_server::Plain, routes, LIMITS).await;
    Ok(())
}

async fn readyz(State((health, ended)): State<(Health, EndedTasks)>) -> impl IntoResponse {
    let (report, ended) = (health.report(), ended.list());
    let status = if report.is_ready_with(&ended) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
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
mod tests;

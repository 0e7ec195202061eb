//! What the server answers.

use std::{path::PathBuf, time::SystemTime};

use axum::{
    Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use pod_credentials::{Credentials, Peer, SpiffeId, SpiffeRule, TrustBundle, Watched};

use crate::{html, report, status::Situation};

/// What handlers know of the server.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) credentials: Watched<Credentials>,
    pub(crate) credentials_file: PathBuf,
    pub(crate) trust: Option<(Watched<TrustBundle>, PathBuf)>,
    pub(crate) spiffe: Option<SpiffeRule>,
    pub(crate) started: SystemTime,
}

impl Served {
    pub(crate) fn new(credentials: Watched<Credentials>, credentials_file: PathBuf) -> Self {
        Self { credentials, credentials_file, trust: None, spiffe: None, started: SystemTime::now() }
    }
}

/// All pages.
pub(crate) fn over_tls(served: Served) -> Router {
    let router = Router::new().route("/", get(hello)).route("/spiffe-echo", get(spiffe_echo));
    common(router).with_state(served)
}

/// The pages that need no client certificate: kubelet has none.
pub(crate) fn for_probes(served: Served) -> Router {
    common(Router::new()).with_state(served)
}

fn common(router: Router<Served>) -> Router<Served> {
    router.route("/healthz", get(healthz)).route("/status", get(status))
}

async fn hello() -> &'static str {
    "mtls-demo: try /spiffe-echo, /status or /healthz\n"
}

async fn healthz(State(served): State<Served>) -> Response {
    match Situation::of(&served, SystemTime::now()).unready() {
        None => "ok\n".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response(),
    }
}

async fn spiffe_echo(State(served): State<Served>, ConnectInfo(peer): ConnectInfo<Peer>) -> Response {
    match identity(&served, &peer) {
        Ok(id) => format!("{id}\n").into_response(),
        Err(reason) => {
            tracing::info!("{}: /spiffe-echo: 401: {reason}", peer.address());
            (StatusCode::UNAUTHORIZED, format!("{reason}\n")).into_response()
        }
    }
}

fn identity<'a>(served: &Served, peer: &'a Peer) -> Result<&'a SpiffeId, String> {
    let rule = served.spiffe.as_ref().ok_or(
        "this server asks for no SPIFFE identity; start it with --enable-spiffe-client-support and --spiffe-trust-bundle FILE",
    )?;
    let id = peer.spiffe_id().map_err(ToString::to_string)?;
    rule.check(id).map_err(|error| error.to_string())?;
    Ok(id)
}

async fn status(State(served): State<Served>, headers: HeaderMap) -> Response {
    let report = Situation::of(&served, SystemTime::now()).report();
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        axum::response::Html(html::page(&report)).into_response()
    } else {
        report::text(&report).into_response()
    }
}

//! A SPIFFE bundle endpoint (SPIFFE Federation §5): whoever comes gets the anchors of this process's trust domains.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use kube::Client;
use spiffe_bundle::SpiffeBundle;
use tokio::{net::TcpListener, time::Instant};

use super::{
    http_server::{self, LIMITS},
    serving_certificate::{IssuerSlots, Resolver, Server, ServingCertificate, acceptor},
    supervisor::Spawner,
};
use crate::{
    api::{
        ClusterTrustBundle,
        discovery::discover,
        read::{self, Collection, ReadFrom},
    },
    federation::anchors_of_pem,
};
use ca_pool::names::SignerName;

/// Where bundles are served, and with which certificate.
#[derive(Clone, Debug)]
pub struct BundleEndpoint {
    /// The address; `[::]` stands for all.
    pub bind: SocketAddr,
    /// Its certificate.
    pub certificate: ServingCertificate,
    /// The signer of each trust domain, whose bundle is at `/<trust domain>`; that of a single one at `/` too.
    pub trust_domains: BTreeMap<String, SignerName>,
}

/// In how long whoever fetches a bundle should look again. Five times as long, a new root is published before
/// anything is signed under it.
pub const BUNDLE_REFRESH_HINT: Duration = Duration::from_secs(300);

/// How long an answer of the API server counts: fetches are minutes apart, but anybody may come.
const FRESH: Duration = Duration::from_secs(5);

const SERVER: Server = Server { name: "bundle endpoint", purpose: "bundle-endpoint" };

/// Starts the server, and what keeps its certificate.
pub(super) fn start(
    endpoint: BundleEndpoint,
    listener: TcpListener,
    client: &Client,
    slots: &mut IssuerSlots,
    tasks: &Spawner,
) {
    let resolver = slots.keep(endpoint.certificate, SERVER, tasks);
    let bundles =
        Bundles { client: client.clone(), trust_domains: endpoint.trust_domains, served: Mutex::default() };
    tasks.spawn(SERVER.name, serve(listener, resolver, Arc::new(bundles)));
}

async fn serve(listener: TcpListener, resolver: Resolver, bundles: Arc<Bundles>) {
    let acceptor = match acceptor(resolver) {
        Ok(acceptor) => acceptor,
        // not reached: the provider has suites of both versions
        Err(error) => return tracing::error!("no TLS for the bundle endpoint: {error}"),
    };
    let routes = Router::new().route("/", get(only)).route("/{trust_domain}", get(one)).with_state(bundles);
    http_server::serve(listener, acceptor, routes, LIMITS).await;
}

/// What is served, and what was.
struct Bundles {
    client: Client,
    trust_domains: BTreeMap<String, SignerName>,
    /// The last answers, and of when they are.
    served: Mutex<BTreeMap<SignerName, (Instant, Bytes)>>,
}

async fn only(State(bundles): State<Arc<Bundles>>) -> Response {
    match bundles.trust_domains.values().next() {
        Some(signer) if bundles.trust_domains.len() == 1 => bundles.answer(signer).await,
        _ => bundles.unknown(),
    }
}

async fn one(State(bundles): State<Arc<Bundles>>, Path(trust_domain): Path<String>) -> Response {
    match bundles.trust_domains.get(&trust_domain) {
        Some(signer) => bundles.answer(signer).await,
        None => bundles.unknown(),
    }
}

impl Bundles {
    fn unknown(&self) -> Response {
        let known: Vec<String> = self.trust_domains.keys().map(|domain| format!("/{domain}")).collect();
        (StatusCode::NOT_FOUND, format!("bundles are at {}\n", known.join(", "))).into_response()
    }

    /// What was served last stays while the API server doesn't answer.
    async fn answer(&self, signer: &SignerName) -> Response {
        let known = self.lock().get(signer).cloned();
        if let Some((_, json)) = known.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return found(json.clone());
        }
        match (self.read(signer).await, known) {
            (Ok(json), _) => {
                self.lock().insert(signer.clone(), (Instant::now(), json.clone()));
                found(json)
            }
            (Err(problem), Some((_, json))) => {
                tracing::warn!(%signer, "the bundle endpoint serves what it served last: {problem}");
                self.lock().insert(signer.clone(), (Instant::now(), json.clone()));
                found(json)
            }
            (Err(problem), None) => {
                tracing::warn!(%signer, "the bundle endpoint has no bundle: {problem}");
                (StatusCode::SERVICE_UNAVAILABLE, "the bundle isn't known yet; try again later\n")
                    .into_response()
            }
        }
    }

    /// As it is published: what pods trust, others shall too. It counts as the object does.
    async fn read(&self, signer: &SignerName) -> Result<Bytes, String> {
        let api = discover(&self.client).await.map_err(|error| error.to_string())?;
        let path = format!("/apis/{}/{}", api.bundles.api_version, api.bundles.plural);
        let bundles = Collection { client: self.client.clone(), path, field_selector: None };
        let got = read::get::<ClusterTrustBundle>(&bundles, &signer.bundle_name(), ReadFrom::Quorum).await;
        let got = got.map_err(|error| error.to_string())?.ok_or("it isn't published yet")?.object;
        let bundle = SpiffeBundle {
            anchors: anchors_of_pem(got.spec.trust_bundle.as_bytes())?,
            sequence: got.metadata.resource_version.and_then(|version| version.parse().ok()),
            refresh_hint: Some(BUNDLE_REFRESH_HINT),
        };
        let json = bundle.to_json().map_err(|error| error.to_string())?;
        serde_json::to_vec(&json).map(Bytes::from).map_err(|error| error.to_string())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<SignerName, (Instant, Bytes)>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn found(json: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json).into_response()
}

//! `/metrics` and the status page over TLS, authenticated and authorized by the API server.

mod authorization;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use kube::Client;
use tokio::net::TcpListener;

use self::authorization::Authorizer;
use super::{
    http::Pages,
    http_server::{self, LIMITS},
    serving_certificate::{IssuerSlots, Resolver, Server, ServingCertificate, acceptor},
    supervisor::Spawner,
};

/// Where metrics are served over TLS, and with which certificate.
#[derive(Clone, Debug)]
pub struct SecureMetrics {
    /// The address; `[::]` stands for all.
    pub bind: SocketAddr,
    /// Its certificate.
    pub certificate: ServingCertificate,
}

const SERVER: Server = Server { name: "metrics' server", purpose: "metrics" };

/// Starts the server, and what keeps its certificate.
pub(super) fn start(
    server: SecureMetrics,
    listener: TcpListener,
    pages: Pages,
    client: &Client,
    slots: &mut IssuerSlots,
    tasks: &Spawner,
) {
    let resolver = slots.keep(server.certificate, SERVER, tasks);
    tasks.spawn(SERVER.name, serve(listener, resolver, pages, client.clone()));
}

async fn serve(listener: TcpListener, resolver: Resolver, pages: Pages, client: Client) {
    let acceptor = match acceptor(resolver) {
        Ok(acceptor) => acceptor,
        // not reached: the provider has suites of both versions
        Err(error) => return tracing::error!("no TLS for metrics: {error}"),
    };
    let authorizer = Arc::new(Authorizer::new(client));
    let routes = pages.routes().layer(middleware::from_fn_with_state(authorizer, authorized));
    http_server::serve(listener, acceptor, routes, LIMITS).await;
}

async fn authorized(State(authorizer): State<Arc<Authorizer>>, request: Request, next: Next) -> Response {
    match authorizer.check(request.headers(), request.method(), request.uri().path()).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

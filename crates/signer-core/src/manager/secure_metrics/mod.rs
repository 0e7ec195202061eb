//! `/metrics` and the status page over TLS, authenticated and authorized by the API server.
//!
//! The certificate is that of files, or one of a signer of this process. It never comes from a podCertificate
//! volume: this process would have to sign it before it starts.

mod authorization;
mod certificate;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use kube::Client;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use tokio::{net::TcpListener, sync::watch};
use tokio_rustls::TlsAcceptor;

use self::{
    authorization::Authorizer,
    certificate::{Offer, Resolver},
};
use super::{
    http::Pages,
    http_server::{self, LIMITS},
    supervisor::Spawner,
};
use crate::{controller::issuer::Issuer, policy::Policy};
use ca_pool::{
    Terms,
    names::{DnsName, SignerName},
};

/// Where metrics are served over TLS, and with which certificate.
#[derive(Clone, Debug)]
pub struct SecureMetrics {
    /// The address; `[::]` stands for all.
    pub bind: SocketAddr,
    /// Its certificate.
    pub certificate: ServingCertificate,
}

/// A server's certificate.
#[derive(Clone, Debug)]
pub enum ServingCertificate {
    /// In PEM files, which are read again when they change.
    Files {
        /// The certificate, and those above it but for the root.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// Issued by a signer of this process by its policy, and renewed as that says, or when its CA leaves the pool.
    Issued {
        /// The signer.
        signer: SignerName,
        /// The name by which scrapers verify it.
        dns_name: DnsName,
    },
}

/// Where a signer leaves what issues its certificates, if this is the signer of the server's certificate.
#[derive(Clone, Debug, Default)]
pub(crate) struct IssuerSlot(Option<(SignerName, watch::Sender<Option<Offer>>)>);

impl IssuerSlot {
    /// A signer runs.
    pub(crate) fn offer(&self, signer: &SignerName, issuer: &Issuer, policy: &Policy) {
        let Self(slot) = self;
        if let Some((wanted, slot)) = slot
            && wanted == signer
        {
            let terms = policy.terms(Terms::default().requested_max);
            slot.send_replace(Some(Offer { issuer: issuer.clone(), terms }));
        }
    }
}

/// Starts the server, and what keeps its certificate.
pub(super) fn start(
    server: SecureMetrics,
    listener: TcpListener,
    pages: Pages,
    client: &Client,
    tasks: &Spawner,
) -> IssuerSlot {
    let resolver = Resolver::default();
    let slot = match server.certificate {
        ServingCertificate::Files { cert, key } => {
            tasks.spawn(
                "certificate of the metrics' server",
                certificate::follow(cert, key, resolver.clone()),
            );
            None
        }
        ServingCertificate::Issued { signer, dns_name } => {
            let (slot, offered) = watch::channel(None);
            let renew = certificate::renew(offered, signer.clone(), dns_name, resolver.clone());
            tasks.spawn("certificate of the metrics' server", renew);
            Some((signer, slot))
        }
    };
    tasks.spawn("metrics' server", serve(listener, resolver, pages, client.clone()));
    IssuerSlot(slot)
}

async fn serve(listener: TcpListener, resolver: Resolver, pages: Pages, client: Client) {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let config = match config.with_safe_default_protocol_versions() {
        Ok(config) => config.with_no_client_auth().with_cert_resolver(Arc::new(resolver)),
        // not reached: the provider has suites of both versions
        Err(error) => return tracing::error!("no TLS for metrics: {error}"),
    };
    let authorizer = Arc::new(Authorizer::new(client));
    let routes = pages.routes().layer(middleware::from_fn_with_state(authorizer, authorized));
    http_server::serve(listener, TlsAcceptor::from(Arc::new(config)), routes, LIMITS).await;
}

async fn authorized(State(authorizer): State<Arc<Authorizer>>, request: Request, next: Next) -> Response {
    match authorizer.check(request.headers(), request.method(), request.uri().path()).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

//! Where a process listens: for probes, and for those who look at metrics.

use std::net::SocketAddr;

use kube::Client;
use tokio::net::TcpListener;

use super::{
    BundleEndpoint, ManagerError, SecureMetrics, bundle_endpoint,
    http::{self, Pages},
    secure_metrics,
    serving_certificate::IssuerSlots,
    supervisor::Spawner,
};
use crate::health::{EndedTasks, Health};

/// What is bound, so that a port in use ends the process before it begins.
pub(super) struct Listeners {
    plain: Option<TcpListener>,
    secure: Option<(SecureMetrics, TcpListener)>,
    bundles: Option<(BundleEndpoint, TcpListener)>,
}

impl Listeners {
    pub(super) async fn bind(
        plain: Option<SocketAddr>,
        secure: Option<SecureMetrics>,
        bundles: Option<BundleEndpoint>,
        status_page: bool,
    ) -> Result<Self, ManagerError> {
        let pages = match (&secure, status_page) {
            (Some(_), _) => "/livez and /readyz",
            (None, true) => "/livez, /readyz, /metrics and /",
            (None, false) => "/livez, /readyz and /metrics",
        };
        let secure_pages = if status_page { "/metrics and / over TLS" } else { "/metrics over TLS" };
        let plain = match plain {
            Some(address) => Some(http::bind(address, pages).await?),
            None => None,
        };
        let secure = match secure {
            Some(server) => {
                let listener = http::bind(server.bind, secure_pages).await?;
                Some((server, listener))
            }
            None => None,
        };
        let bundles = match bundles {
            Some(endpoint) => {
                let listener = http::bind(endpoint.bind, "SPIFFE bundles over TLS").await?;
                Some((endpoint, listener))
            }
            None => None,
        };
        Ok(Self { plain, secure, bundles })
    }

    /// Starts the servers. The pages are where they are protected, and nowhere else.
    pub(super) fn serve(
        self,
        (health, ended): (Health, EndedTasks),
        pages: Pages,
        client: &Client,
        tasks: &Spawner,
    ) -> IssuerSlots {
        let Self { plain, secure, bundles } = self;
        let mut slots = IssuerSlots::default();
        if let Some((endpoint, listener)) = bundles {
            bundle_endpoint::start(endpoint, listener, client, &mut slots, tasks);
        }
        let unprotected = match secure {
            Some((server, listener)) => {
                secure_metrics::start(server, listener, pages, client, &mut slots, tasks);
                None
            }
            None => Some(pages),
        };
        if let Some(listener) = plain {
            tasks.spawn("HTTP server", http::serve(listener, health, ended, unprotected));
        }
        slots
    }
}

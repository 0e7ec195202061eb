//! Where a process listens: for probes, and for those who look at metrics.

use std::net::SocketAddr;

use kube::Client;
use tokio::net::TcpListener;

use super::{
    ManagerError, SecureMetrics,
    http::{self, Pages},
    secure_metrics::{self, IssuerSlot},
    supervisor::Spawner,
};
use crate::health::{EndedTasks, Health};

/// What is bound, so that a port in use ends the process before it begins.
pub(super) struct Listeners {
    plain: Option<TcpListener>,
    secure: Option<(SecureMetrics, TcpListener)>,
}

impl Listeners {
    pub(super) async fn bind(
        plain: Option<SocketAddr>,
        secure: Option<SecureMetrics>,
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
        Ok(Self { plain, secure })
    }

    /// Starts the servers. The pages are where they are protected, and nowhere else.
    pub(super) fn serve(
        self,
        (health, ended): (Health, EndedTasks),
        pages: Pages,
        client: &Client,
        tasks: &Spawner,
    ) -> IssuerSlot {
        let Self { plain, secure } = self;
        let (slot, unprotected) = match secure {
            Some((server, listener)) => (secure_metrics::start(server, listener, pages, client, tasks), None),
            None => (IssuerSlot::default(), Some(pages)),
        };
        if let Some(listener) = plain {
            tasks.spawn("HTTP server", http::serve(listener, health, ended, unprotected));
        }
        slot
    }
}

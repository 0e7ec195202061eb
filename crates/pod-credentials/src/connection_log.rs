//! What the log says of connections that come to nothing. Who floods a server with connections must not flood
//! its log too.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::time::Instant;

use crate::peer::{PeerError, refusal};

/// Between two lines of one kind.
const BETWEEN_LOGS: Duration = Duration::from_secs(10);

/// Why there is no TLS connection with a client.
#[derive(Debug)]
pub(crate) struct Failure {
    client: SocketAddr,
    reason: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The client has sent nothing: probes of ports do so all day.
    Silent,
    /// What has come isn't TLS, or the client has broken off or was slow. That costs it nothing.
    Broken,
    /// The client's certificate is refused.
    Refused,
}

impl Failure {
    pub(crate) fn silent(client: SocketAddr, reason: String) -> Self {
        Self { client, reason, kind: Kind::Silent }
    }

    pub(crate) fn slow(client: SocketAddr, limit: Duration) -> Self {
        Self { client, reason: format!("the handshake took longer than {limit:?}"), kind: Kind::Broken }
    }

    pub(crate) fn of_handshake(client: SocketAddr, error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let reason = match tls {
            Some(rustls::Error::NoCertificatesPresented) => PeerError::NoCertificate.to_string(),
            Some(tls) => refusal(tls).map_or_else(|| error.to_string(), ToString::to_string),
            None => error.to_string(),
        };
        let is_refused = matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
        let kind = if is_refused { Kind::Refused } else { Kind::Broken };
        Self { client, reason, kind }
    }
}

/// Logs connections that come to nothing.
#[derive(Debug, Default)]
pub(crate) struct ConnectionLog {
    broken: Limiter,
    evicted: Limiter,
}

impl ConnectionLog {
    /// There is no connection with a client.
    pub(crate) fn failed(&mut self, Failure { client, reason, kind }: &Failure) {
        match kind {
            Kind::Silent => tracing::debug!("{client}: no TLS connection: {reason}"),
            Kind::Refused => tracing::info!("{client}: no TLS connection: {reason}"),
            Kind::Broken => match self.broken.count(Instant::now()) {
                Some(1) => tracing::info!("{client}: no TLS connection: {reason}"),
                Some(count) => tracing::info!(
                    "{client}: no TLS connection: {reason}; the last of {count} clients that sent no TLS or broke off"
                ),
                None => {}
            },
        }
    }

    /// A connection was closed in favour of others.
    pub(crate) fn closed(&mut self, from: IpAddr, why: &str) {
        if let Some(count) = self.evicted.count(Instant::now()) {
            tracing::warn!(
                "{count} connections have been closed in favour of others, the last from {from}: {why}"
            );
        }
    }
}

/// Counts what isn't logged.
#[derive(Debug, Default)]
struct Limiter {
    count: u64,
    logged: Option<Instant>,
}

impl Limiter {
    /// How many there were since the last line, if one is due now.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.logged.is_some_and(|logged| now.duration_since(logged) < BETWEEN_LOGS) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests;

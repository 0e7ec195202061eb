//! TLS for `axum::serve`.

use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    select,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::peer::refusal;

/// A connection whose handshake is done.
type Connection = (TlsStream<TcpStream>, SocketAddr);

/// Such as when the process has no file descriptor left; some connection will end.
const AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(500);

/// TLS for [`axum::serve()`]: gives it connections whose handshake is done, and [`Peer`](crate::Peer) tells handlers who is at the other end. Both
/// need the feature `axum`.
///
/// Handshakes run side by side, each within a time limit, so that a slow client holds up nobody. Connections that come to nothing are logged (`tracing`)
/// with the reason, for a client is told little of it. Dropped, as `axum::serve` does when it shuts down, it closes its port and ends the handshakes that run.
///
/// ```
/// use axum::{Router, extract::ConnectInfo, routing::get};
/// use pod_credentials::{Peer, TlsListener};
///
/// async fn serve(config: rustls::ServerConfig) -> std::io::Result<()> {
///     let app = Router::new().route("/", get(|ConnectInfo(peer): ConnectInfo<Peer>| async move { format!("{peer:?}") }));
///     let listener = TlsListener::bind("[::]:8443", config).await?;
///     let end = async { drop(tokio::signal::ctrl_c().await) };
///     axum::serve(listener, app.into_make_service_with_connect_info::<Peer>()).with_graceful_shutdown(end).await
/// }
/// ```
///
/// For HTTP/2 as well, use axum's feature `http2`, and set `alpn_protocols` of the configuration to `h2` and `http/1.1`.
pub struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    handshakes: JoinSet<Option<Connection>>,
    most: usize,
    limit: Duration,
    resting_until: Instant,
}

impl TlsListener {
    /// How long a handshake may take by default. A client that takes longer doesn't mean to talk.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

    /// How many handshakes run at once by default: about as many as a core can finish within [`HANDSHAKE_TIMEOUT`](Self::HANDSHAKE_TIMEOUT) with the slowest keys.
    pub const HANDSHAKES_AT_ONCE: usize = 1024;

    /// Listens on an address. `config` is a [`server_config`](crate::server_config), or any other of rustls.
    ///
    /// # Errors
    /// If the address isn't one of this machine, or is taken.
    pub async fn bind(address: impl ToSocketAddrs, config: impl Into<Arc<ServerConfig>>) -> io::Result<Self> {
        TcpListener::bind(address).await.map(|tcp| Self::new(tcp, config))
    }

    /// Takes connections from a socket that listens already.
    #[must_use]
    pub fn new(tcp: TcpListener, config: impl Into<Arc<ServerConfig>>) -> Self {
        Self {
            tcp,
            acceptor: TlsAcceptor::from(config.into()),
            handshakes: JoinSet::new(),
            most: Self::HANDSHAKES_AT_ONCE,
            limit: Self::HANDSHAKE_TIMEOUT,
            resting_until: Instant::now(),
        }
    }

    /// Sets how long a handshake may take.
    #[must_use]
    pub fn handshake_timeout(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Sets how many handshakes run at once, one at least. Further clients wait in the kernel's queue: a burst of them is served one after the other, rather
    /// than all so slowly that all give up.
    #[must_use]
    pub fn handshakes_at_once(self, most: usize) -> Self {
        Self { most: most.max(1), ..self }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system doesn't say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    fn begin(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((tcp, client)) => {
                self.handshakes.spawn(handshake(self.acceptor.clone(), tcp, client, self.limit));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!("no connection can be accepted: {error}");
                self.resting_until = Instant::now() + AFTER_ACCEPT_ERROR;
            }
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// Nothing is lost if it is dropped and called again.
    async fn accept(&mut self) -> Connection {
        loop {
            let room = self.handshakes.len() < self.most;
            select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
                accepted = next(&self.tcp, self.resting_until), if room => self.begin(accepted),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn next(tcp: &TcpListener, resting_until: Instant) -> io::Result<(TcpStream, SocketAddr)> {
    sleep_until(resting_until).await;
    tcp.accept().await
}

async fn handshake(
    acceptor: TlsAcceptor,
    tcp: TcpStream,
    client: SocketAddr,
    limit: Duration,
) -> Option<Connection> {
    match timeout(limit, acceptor.accept(tcp)).await {
        Ok(Ok(stream)) => return Some((stream, client)),
        Ok(Err(error)) => tracing::info!("{client}: no TLS connection: {}", reason(&error)),
        Err(_) => tracing::info!("{client}: no TLS connection: the handshake took longer than {limit:?}"),
    }
    None
}

fn reason(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    tls.and_then(refusal).map_or_else(|| error.to_string(), ToString::to_string)
}

/// A client that was gone before it was accepted says nothing of the next.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl fmt::Debug for TlsListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsListener").field("tcp", &self.tcp).finish_non_exhaustive()
    }
}

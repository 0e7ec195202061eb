//! An HTTP server for probes and scrapes, bounded in connections and time.

use std::{collections::VecDeque, future::Future, io, net::IpAddr, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Connections at once. Kubelet has one or two, Prometheus one each scrape.
pub(super) const MAX_CONNECTIONS: usize = 16;

/// How long clients may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// To send the request.
    pub(super) request: Duration,
    /// For the whole exchange.
    pub(super) exchange: Duration,
}

/// Kubelet waits a second by default, Prometheus ten.
pub(super) const LIMITS: Limits =
    Limits { request: Duration::from_secs(5), exchange: Duration::from_secs(10) };

/// The pause after a connection couldn't be accepted: no file is free, say.
const PAUSE: Duration = Duration::from_millis(200);

/// What stands between a connection and HTTP.
pub(super) trait Transport: Clone + Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// An error is the client's.
    fn accept(&self, stream: TcpStream) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

impl Transport for Plain {
    type Stream = TcpStream;

    async fn accept(&self, stream: TcpStream) -> io::Result<TcpStream> {
        Ok(stream)
    }
}

impl Transport for TlsAcceptor {
    type Stream = TlsStream<TcpStream>;

    async fn accept(&self, stream: TcpStream) -> io::Result<Self::Stream> {
        Self::accept(self, stream).await
    }
}

/// Answers, one request a connection. Never ends.
pub(super) async fn serve(listener: TcpListener, transport: impl Transport, routes: Router, limits: Limits) {
    let mut connections = Connections::default();
    let mut is_failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                is_failing = false;
                connections.begin(peer.ip(), answer(stream, transport.clone(), routes.clone(), limits));
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                if !is_failing {
                    tracing::warn!("no HTTP connection can be accepted: {error}");
                }
                is_failing = true;
                sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, transport: impl Transport, routes: Router, limits: Limits) {
    let connection = async {
        // an error is the client's: it has gone, or speaks another protocol
        let Ok(stream) = transport.accept(stream).await else { return };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.request)
            .keep_alive(false)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
        let _ = connection.await;
    };
    let _ = timeout(limits.exchange, connection).await;
}

/// The client has hung up before its connection was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused)
}

/// The connections that are open. Where there are too many, a new one takes the place of the oldest of the
/// address that has the most: whoever opens many pushes out their own, and kubelet's probes are answered.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    oldest_first: VecDeque<(IpAddr, AbortHandle)>,
}

impl Connections {
    fn begin(&mut self, peer: IpAddr, connection: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.oldest_first.retain(|(_, connection)| !connection.is_finished());
        if self.oldest_first.len() >= MAX_CONNECTIONS
            && let Some((_, oldest)) = self.least_missed().and_then(|index| self.oldest_first.remove(index))
        {
            oldest.abort();
        }
        self.oldest_first.push_back((peer, self.tasks.spawn(connection)));
    }

    /// Where the oldest connection of the busiest address is.
    fn least_missed(&self) -> Option<usize> {
        let of_address = |peer: &IpAddr| self.oldest_first.iter().filter(|(other, _)| other == peer).count();
        // of equal ones the first is the oldest
        let open = self.oldest_first.iter().enumerate().rev();
        open.max_by_key(|(_, (peer, _))| of_address(peer)).map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests;

//! An HTTP server for probes and scrapes, bounded in connections and time.

use std::{collections::VecDeque, io, net::IpAddr, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
    time::{sleep, timeout},
};

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

/// Answers, one request a connection. Never ends.
pub(super) async fn serve(listener: TcpListener, routes: Router, limits: Limits) {
    let mut connections = Connections::default();
    let mut is_failing = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                is_failing = false;
                connections.begin(peer.ip(), answer(stream, routes.clone(), limits));
            }
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                if !is_failing {
                    tracing::warn!("no connection for /livez, /readyz and /metrics can be accepted: {error}");
                }
                is_failing = true;
                sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, routes: Router, limits: Limits) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request)
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    // an error is the client's: it has gone, or doesn't speak HTTP
    let _ = timeout(limits.exchange, connection).await;
}

/// The client has hung up before its connection was accepted.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused)
}

/// The connections that are open. Where there are too many, a new one takes the place of the oldest of the address that has the most: whoever opens many pushes out their own, and
/// kubelet's probes are answered.
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
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn read_all(mut client: TcpStream) -> String {
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn who_opens_many_connections_pushes_out_their_own() {
        let mut connections = Connections::default();
        let [kubelet, flood] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        connections.begin(kubelet, std::future::pending());
        for _ in 0..10 * MAX_CONNECTIONS {
            connections.begin(flood, std::future::pending());
            tokio::task::yield_now().await;
        }
        assert_eq!(connections.oldest_first.len(), MAX_CONNECTIONS);
        let (first, connection) = &connections.oldest_first[0];
        assert!(*first == kubelet && !connection.is_finished(), "{first}");
    }

    #[tokio::test]
    async fn silent_clients_keep_nobody_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/livez", get(|| async { "ok\n" }));
        let server = tokio::spawn(serve(listener, routes, LIMITS));
        let mut silent = Vec::new();
        for _ in 0..5 * MAX_CONNECTIONS {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
        // read to the end: the connection isn't kept
        let answer = read_all(client).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
        // the first of the silent ones has been hung up on, without an answer
        assert_eq!(read_all(silent.remove(0)).await, "");
        server.abort();
    }

    #[tokio::test]
    async fn a_client_that_does_not_ask_is_hung_up_on() {
        let (soon, late) = (Duration::from_millis(20), Duration::from_secs(3600));
        for limits in [Limits { request: soon, exchange: late }, Limits { request: late, exchange: soon }] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = tokio::spawn(serve(listener, Router::new(), limits));
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
            assert_eq!(read_all(client).await, "");
            server.abort();
        }
    }
}

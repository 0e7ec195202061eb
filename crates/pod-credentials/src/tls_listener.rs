//! TLS for `axum::serve`.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::serve::Listener;
use rustls::{ServerConfig, server::Acceptor};
use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    select,
    task::{AbortHandle, Id, JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, server::TlsStream};

use crate::{
    connection_log::{ConnectionLog, Failure},
    evicting_queue::{EvictingQueue, Sources, source},
};

/// A connection whose handshake is done.
type Connection = (TlsStream<TcpStream>, SocketAddr);

/// A connection whose client has sent its first message.
type Started = (StartHandshake<TcpStream>, SocketAddr);

/// Such as when the process has no file descriptor left; some connection will end.
const AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(500);

/// The same where connections were closed for it.
const AFTER_ROOM_WAS_MADE: Duration = Duration::from_millis(20);

/// So many of the handshakes at once may belong to one address.
const SHARE: usize = 4;

/// TLS for [`axum::serve()`]: gives it connections whose handshake is done, and [`Peer`](crate::Peer) tells
/// handlers who is at the other end. Both need the feature `axum`.
///
/// Handshakes run side by side, each within a time limit, so that a slow client holds up nobody. A client
/// counts only when its first message is there; of those that send nothing, the oldest are closed when they
/// are too many, those of the address with the most first. One address has a quarter of the handshakes at
/// most; its further clients wait. Connections that come to nothing are logged (`tracing`) with the reason,
/// for a client is told little of it: each whose certificate is refused, and of the others one in ten
/// seconds, with their number. Dropped, as `axum::serve` does when it shuts down, it closes its port and ends
/// the handshakes that run.
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
/// For HTTP/2 as well, use axum's feature `http2`, and set `alpn_protocols` of the configuration to `h2` and
/// `http/1.1`.
pub struct TlsListener {
    tcp: TcpListener,
    config: Arc<ServerConfig>,
    /// Clients that haven't sent their first message, and the tasks that read it.
    silent: EvictingQueue<AbortHandle>,
    hellos: JoinSet<Result<Started, Failure>>,
    /// Clients that have sent it, and wait for their turn.
    ready: EvictingQueue<Started>,
    handshakes: JoinSet<Result<Connection, Failure>>,
    running: Running,
    most: usize,
    limits: Limits,
    log: ConnectionLog,
    resting_until: Instant,
}

#[derive(Clone, Copy)]
struct Limits {
    first_message: Duration,
    handshake: Duration,
}

impl TlsListener {
    /// How long a handshake may take by default. A client that takes longer doesn't mean to talk.
    pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

    /// How long a client may take by default to send its first message, which it does at once.
    pub const FIRST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(2);

    /// How many handshakes run at once by default: about as many as a core can finish within
    /// [`HANDSHAKE_TIMEOUT`](Self::HANDSHAKE_TIMEOUT) with the slowest keys.
    pub const HANDSHAKES_AT_ONCE: usize = 1024;

    /// How many clients may be connected by default without having sent their first message.
    pub const SILENT_AT_ONCE: usize = 1024;

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
            config: config.into(),
            silent: EvictingQueue::new(Self::SILENT_AT_ONCE),
            hellos: JoinSet::new(),
            ready: EvictingQueue::new(Self::HANDSHAKES_AT_ONCE),
            handshakes: JoinSet::new(),
            running: Running::default(),
            most: Self::HANDSHAKES_AT_ONCE,
            limits: Limits { first_message: Self::FIRST_MESSAGE_TIMEOUT, handshake: Self::HANDSHAKE_TIMEOUT },
            log: ConnectionLog::default(),
            resting_until: Instant::now(),
        }
    }

    /// Sets how long a handshake may take.
    #[must_use]
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.limits.handshake = limit;
        self
    }

    /// Sets how long a client may take to send its first message. It has no longer than a handshake.
    #[must_use]
    pub fn first_message_timeout(mut self, limit: Duration) -> Self {
        self.limits.first_message = limit;
        self
    }

    /// Sets how many handshakes run at once, one at least. As many further clients wait: a burst of them is
    /// served one after the other, rather than all so slowly that all give up.
    #[must_use]
    pub fn handshakes_at_once(self, most: usize) -> Self {
        Self { most: most.max(1), ready: EvictingQueue::new(most), ..self }
    }

    /// Sets how many clients may be connected without having sent their first message, one at least. Each
    /// needs a file descriptor.
    #[must_use]
    pub fn silent_at_once(self, most: usize) -> Self {
        Self { silent: EvictingQueue::new(most), ..self }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system doesn't say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    fn accepted(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((tcp, client)) => {
                let task = self.hellos.spawn(first_message(tcp, client, self.limits));
                if let Some((from, evicted)) = self.silent.push(source(client), task) {
                    evicted.abort();
                    self.log.closed(from, "too many have sent nothing yet");
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => self.make_room(&error),
        }
    }

    /// Where file descriptors are lacking, those who say nothing give theirs.
    fn make_room(&mut self, error: &io::Error) {
        let evicted = self.silent.len().div_ceil(2);
        for (from, silent) in std::iter::from_fn(|| self.silent.evict()).take(evicted) {
            silent.abort();
            self.log.closed(from, "the system takes no more of them, and these have sent nothing yet");
        }
        if evicted == 0 {
            tracing::warn!("no connection can be accepted: {error}");
        }
        self.resting_until =
            Instant::now() + if evicted == 0 { AFTER_ACCEPT_ERROR } else { AFTER_ROOM_WAS_MADE };
    }

    fn hello_received(&mut self, done: Result<(Id, Result<Started, Failure>), JoinError>) {
        let (id, started) = self.succeeded(done);
        self.silent.take_first(|_, task| task.id() == id);
        let Some(started) = started else { return };
        if let Some((from, _closed)) = self.ready.push(source(started.1), started) {
            self.log.closed(from, "too many wait for their handshake");
        }
    }

    /// Begins the handshakes whose turn it is.
    fn start(&mut self) {
        let share = self.most.div_ceil(SHARE);
        while self.running.len() < self.most {
            let next = self.ready.take_first(|source, _| self.running.of(source) < share);
            let Some((source, (started, client))) = next else { return };
            let handshake = handshake(started, client, Arc::clone(&self.config), self.limits.handshake);
            self.running.add(self.handshakes.spawn(handshake).id(), source);
        }
    }

    fn finished(&mut self, done: Result<(Id, Result<Connection, Failure>), JoinError>) -> Option<Connection> {
        let (id, connection) = self.succeeded(done);
        self.running.remove(id);
        connection
    }

    /// What a task has brought. Why it brought nothing is logged; one that was evicted has no reason of its
    /// own.
    fn succeeded<T>(&mut self, done: Result<(Id, Result<T, Failure>), JoinError>) -> (Id, Option<T>) {
        match done {
            Ok((id, Ok(brought))) => (id, Some(brought)),
            Ok((id, Err(failure))) => {
                self.log.failed(&failure);
                (id, None)
            }
            Err(error) => (error.id(), None),
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// Nothing is lost if it is dropped and called again.
    async fn accept(&mut self) -> Connection {
        loop {
            self.start();
            select! {
                Some(done) = self.handshakes.join_next_with_id() => {
                    if let Some(connection) = self.finished(done) {
                        return connection;
                    }
                }
                Some(done) = self.hellos.join_next_with_id() => self.hello_received(done),
                accepted = next(&self.tcp, self.resting_until) => self.accepted(accepted),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Whose handshakes run.
#[derive(Debug, Default)]
struct Running {
    tasks: HashMap<Id, IpAddr>,
    sources: Sources,
}

impl Running {
    fn len(&self) -> usize {
        self.tasks.len()
    }

    fn of(&self, source: IpAddr) -> usize {
        self.sources.of(source)
    }

    fn add(&mut self, task: Id, source: IpAddr) {
        self.tasks.insert(task, source);
        self.sources.add(source);
    }

    fn remove(&mut self, task: Id) {
        if let Some(source) = self.tasks.remove(&task) {
            self.sources.remove(source);
        }
    }
}

async fn next(tcp: &TcpListener, resting_until: Instant) -> io::Result<(TcpStream, SocketAddr)> {
    sleep_until(resting_until).await;
    tcp.accept().await
}

async fn first_message(tcp: TcpStream, client: SocketAddr, limits: Limits) -> Result<Started, Failure> {
    let limit = limits.first_message.min(limits.handshake);
    match timeout(limit, LazyConfigAcceptor::new(Acceptor::default(), tcp)).await {
        Ok(Ok(started)) => Ok((started, client)),
        // probes of ports say nothing
        Ok(Err(error)) if has_hung_up(&error) => {
            Err(Failure::silent(client, "the client has hung up".to_owned()))
        }
        Err(_) => Err(Failure::silent(client, format!("no ClientHello has come within {limit:?}"))),
        Ok(Err(error)) => Err(Failure::of_handshake(client, &error)),
    }
}

fn has_hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof) || is_of_one_connection(error)
}

async fn handshake(
    started: StartHandshake<TcpStream>,
    client: SocketAddr,
    config: Arc<ServerConfig>,
    limit: Duration,
) -> Result<Connection, Failure> {
    match timeout(limit, started.into_stream(config)).await {
        Ok(Ok(stream)) => Ok((stream, client)),
        Ok(Err(error)) => Err(Failure::of_handshake(client, &error)),
        Err(_) => Err(Failure::slow(client, limit)),
    }
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

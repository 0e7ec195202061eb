//! A server on axum and its clients, within the test.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use http_body_util::BodyExt;
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use pod_credentials::{
    Certificate, Clients, Credentials, Peer, PeerRule, Servers, SpiffeRule, TlsListener, TrustBundle,
    Watched, client_config, server_config,
};
use rustls::{ClientConfig, ClientConnection, ServerConfig};
use test_cluster::pod_volume::Ca;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::support::{HOUR, Mounted, credentials, trust};

/// Waits for what must come, far longer than it takes.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(180), what).await.expect("it must come")
}

/// What a server and its clients have mounted.
pub(crate) struct Mesh {
    pub(crate) ca: Ca,
    pub(crate) of_server: Mounted<Credentials>,
    pub(crate) anchors: Mounted<TrustBundle>,
}

impl Mesh {
    pub(crate) fn new() -> Self {
        let ca = Ca::new("mesh");
        Self { of_server: credentials(ca.dns("web.shop.svc").bundle()), anchors: trust(ca.root()), ca }
    }

    /// For clients of the trust domain, and for those that show no certificate.
    pub(crate) fn server(&self) -> ServerConfig {
        let rule = PeerRule::spiffe(SpiffeRule::in_trust_domain("cluster.local".parse().unwrap()));
        let clients = Clients::optional(&self.anchors.watched, rule);
        server_config(&self.of_server.watched, clients).unwrap()
    }

    pub(crate) fn client(&self, own: Option<&Watched<Credentials>>) -> Arc<ClientConfig> {
        Arc::new(client_config(own, Servers::by_name(&self.anchors.watched)).unwrap())
    }
}

/// A server that runs until it is told to end.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// On a slow machine, honest handshakes may take long.
pub(crate) async fn listen(config: ServerConfig) -> TlsListener {
    let listener = TlsListener::bind("127.0.0.1:0", config).await.unwrap();
    listener.handshake_timeout(HOUR).first_message_timeout(HOUR)
}

pub(crate) fn serve(listener: TlsListener, app: Router) -> Running {
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel();
    let served = axum::serve(listener, app.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(async { drop(ended.await) });
    let served = tokio::spawn(async { served.await.unwrap() });
    Running { address, end: Some(end), served }
}

impl Running {
    pub(crate) fn shut_down(&mut self) {
        self.end.take().unwrap().send(()).unwrap();
    }

    pub(crate) async fn ended(self) {
        soon(self.served).await.unwrap();
    }

    /// A client that connects and says nothing.
    pub(crate) async fn silent(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A client that sends its first message, and says no more.
    pub(crate) async fn stalled(&self, config: &Arc<ClientConfig>) -> TcpStream {
        let mut hello = Vec::new();
        let name = "web.shop.svc".try_into().unwrap();
        ClientConnection::new(Arc::clone(config), name).unwrap().write_tls(&mut hello).unwrap();
        let mut tcp = self.silent().await;
        tcp.write_all(&hello).await.unwrap();
        tcp
    }
}

/// A client's connection, over which requests go one after the other.
pub(crate) struct Connection {
    pub(crate) address: SocketAddr,
    pub(crate) server_serial: String,
    sender: http1::SendRequest<String>,
    tasks: JoinSet<hyper::Result<()>>,
}

pub(crate) async fn connect(server: SocketAddr, config: &Arc<ClientConfig>) -> Connection {
    over(TcpStream::connect(server).await.unwrap(), config).await
}

/// A connection from another address of this machine than the other clients'.
pub(crate) async fn connect_from_elsewhere(server: SocketAddr, config: &Arc<ClientConfig>) -> Connection {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    over(socket.connect(server).await.unwrap(), config).await
}

async fn over(tcp: TcpStream, config: &Arc<ClientConfig>) -> Connection {
    let address = tcp.local_addr().unwrap();
    let name = "web.shop.svc".try_into().unwrap();
    let tls = soon(TlsConnector::from(Arc::clone(config)).connect(name, tcp)).await.unwrap();
    let server_serial =
        Certificate::from_der(&tls.get_ref().1.peer_certificates().unwrap()[0]).unwrap().serial;
    let (sender, connection) = http1::handshake(TokioIo::new(tls)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    Connection { address, server_serial, sender, tasks }
}

impl Connection {
    pub(crate) async fn request(&mut self, path: &str) -> hyper::Result<Response<Incoming>> {
        let request = Request::get(path).header("host", "web.shop.svc").body(String::new()).unwrap();
        self.sender.ready().await?;
        self.sender.send_request(request).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> String {
        text(self.request(path).await.unwrap()).await
    }

    /// Waits until the server has closed it.
    pub(crate) async fn closed(mut self) {
        while soon(self.tasks.join_next()).await.is_some() {}
    }
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

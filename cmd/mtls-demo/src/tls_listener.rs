//! TLS in front of axum.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A client that takes longer doesn't mean to talk.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Where the process has no file descriptor left, for example; some connection will end.
const AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(500);

/// Connections whose handshake is done. Handshakes run side by side, so that a slow client holds up nobody.
pub(crate) struct TlsListener {
    address: SocketAddr,
    connections: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    pub(crate) async fn bind(address: SocketAddr, config: ServerConfig) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (sender, connections) = mpsc::channel(16);
        tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(config)), sender));
        Ok(Self { address, connections })
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    connections: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = connections.closed() => return,
        };
        let (tcp, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("no connection can be accepted: {error}");
                sleep(AFTER_ACCEPT_ERROR).await;
                continue;
            }
        };
        let (acceptor, connections) = (acceptor.clone(), connections.clone());
        tokio::spawn(async move {
            match timeout(HANDSHAKE, acceptor.accept(tcp)).await {
                Ok(Ok(stream)) => drop(connections.send((stream, client)).await),
                Ok(Err(error)) => tracing::info!("{client}: no TLS connection: {error}"),
                Err(_) => tracing::info!("{client}: no TLS connection: it took longer than {HANDSHAKE:?}"),
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            // the accepting task ends after this listener alone, or with the runtime
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

//! A network between replicas and the API server that can be cut: bytes stop, connections stay.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::Result;

/// The way to the API server of one replica.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cut: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn to(server: String) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (cut, is_cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, is_cut) = (server.clone(), is_cut.clone());
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(&server).await else { return };
                    // small writes go out at once, as they do without a proxy
                    let _ = (client.set_nodelay(true), server.set_nodelay(true));
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(
                        forward(from_client, to_server, is_cut.clone()),
                        forward(from_server, to_client, is_cut)
                    );
                });
            }
        });
        Ok(Self { address, cut })
    }

    /// From now on nothing passes.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// What was held back passes, as after lost packets are sent again.
    pub(crate) fn mend(&self) {
        self.cut.send_replace(false);
    }
}

async fn forward(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut is_cut: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if is_cut.wait_for(|cut| !cut).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    // the other side may have gone already
    let _ = to.shutdown().await;
}

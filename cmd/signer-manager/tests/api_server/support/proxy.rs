//! A connection that breaks: what stands between the manager and the API server.

use std::net::{Ipv4Addr, SocketAddr};

use kube::{Client, Config};
use test_cluster::Cluster;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Passes connections on to a cluster's API server, as long as it isn't cut.
pub(crate) struct Proxy {
    address: SocketAddr,
    config: Config,
    is_cut: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(cluster: &Cluster) -> Self {
        let config = cluster.config();
        let url = &config.cluster_url;
        let server = (url.host().unwrap().to_owned(), url.port_u16().unwrap_or(443));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_cut, cut) = watch::channel(false);
        let task = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(pass_on(near, server.clone(), cut.clone()));
            }
        });
        Self { address, config, is_cut, task }
    }

    /// An administrator's client, through it.
    pub(crate) fn client(&self) -> Client {
        let mut config = self.config.clone();
        // the certificate is for the API server's own name
        config.tls_server_name =
            config.tls_server_name.or_else(|| config.cluster_url.host().map(ToOwned::to_owned));
        config.cluster_url = format!("https://{}", self.address).parse().unwrap();
        Client::try_from(config).unwrap()
    }

    /// Cuts all connections, and each that is tried, until it is mended.
    pub(crate) fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    pub(crate) fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}

async fn pass_on(mut near: TcpStream, server: (String, u16), mut cut: watch::Receiver<bool>) {
    let pass = async {
        let mut far = TcpStream::connect(server).await.unwrap();
        // whichever side ends it, that is its business
        drop(copy_bidirectional(&mut near, &mut far).await);
    };
    tokio::select! {
        biased;
        _ = cut.wait_for(|is_cut| *is_cut) => {}
        () = pass => {}
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

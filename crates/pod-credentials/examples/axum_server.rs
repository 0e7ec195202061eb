//! A server whose clients are workloads of one trust domain, and that tells each who it is.

use axum::{Extension, Router, routing::get};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use pod_credentials::*;
use tokio::time::{Duration, sleep, timeout};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [listen, credentials, roots] =
        std::array::from_fn(|n| std::env::args().nth(n + 1).expect("ADDRESS CREDENTIALS ROOTS"));
    let credentials = Watched::follow(CredentialFiles::bundle(credentials), DEFAULT_POLL)?;
    let roots = Watched::follow(TrustFile::new(roots), DEFAULT_POLL)?;
    let mesh = PeerRule::spiffe(SpiffeRule::in_trust_domain("cluster.local".parse()?));
    let config = server_config(&credentials, Clients::required(&roots, mesh))?;
    let tls = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let app = Router::new()
        .route("/", get(|Extension(peer): Extension<SpiffeId>| async move { format!("hello, {peer}\n") }));
    let listener = tokio::net::TcpListener::bind(listen).await?;
    loop {
        let Ok((tcp, _)) = listener.accept().await else {
            sleep(Duration::from_millis(500)).await; // no more connections can be had: some will end
            continue;
        };
        let (tls, app) = (tls.clone(), app.clone());
        tokio::spawn(async move {
            let tls = timeout(Duration::from_secs(10), tls.accept(tcp)).await.ok()?; // nobody holds one for ever
            let stream = tls.map_err(|error| eprintln!("no TLS: {error}")).ok()?;
            let peer = peer_spiffe_id(stream.get_ref().1.peer_certificates()).ok()?;
            let service = TowerToHyperService::new(app.layer(Extension(peer)));
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await
                .ok()
        });
    }
}

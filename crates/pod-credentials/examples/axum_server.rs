//! A server whose clients are workloads of one trust domain, and that tells each who it is.

use axum::{Extension, Router, routing::get};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use pod_credentials::*;

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
        let (tcp, _) = listener.accept().await?;
        let (tls, app) = (tls.clone(), app.clone());
        tokio::spawn(async move {
            let stream = tls.accept(tcp).await.map_err(|error| eprintln!("no TLS: {error}")).ok()?;
            let peer = peer_spiffe_id(stream.get_ref().1.peer_certificates()).ok()?;
            let service = TowerToHyperService::new(app.layer(Extension(peer)));
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await
                .ok()
        });
    }
}

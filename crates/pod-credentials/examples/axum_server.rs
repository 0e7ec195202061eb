//! A server whose clients are workloads of one trust domain, and that tells each who it is.

use axum::{Router, extract::ConnectInfo, http::StatusCode, routing::get};
use pod_credentials::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [listen, credentials, roots] =
        std::array::from_fn(|n| std::env::args().nth(n + 1).expect("ADDRESS CREDENTIALS ROOTS"));
    let credentials = Watched::follow(CredentialFiles::bundle(credentials), DEFAULT_POLL)?;
    let roots = Watched::follow(TrustFile::new(roots), DEFAULT_POLL)?;
    let mesh = PeerRule::spiffe(SpiffeRule::in_trust_domain(parse_trust_domain("cluster.local")?));
    let config = server_config(&credentials, Clients::required(&roots, mesh))?;
    let listener = TlsListener::bind(listen, config).await?;
    println!("listening on {}", listener.local_addr()?);
    let app = Router::new().route("/", get(hello)).into_make_service_with_connect_info::<Peer>();
    Ok(axum::serve(listener, app).await?)
}

async fn hello(ConnectInfo(peer): ConnectInfo<Peer>) -> Result<String, StatusCode> {
    let id = peer.spiffe_id().map_err(|_| StatusCode::FORBIDDEN)?;
    Ok(format!("hello, {id}\n"))
}

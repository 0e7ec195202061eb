//! A client with a certificate of its own, of a server with a DNS name.

use http_body_util::BodyExt;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use pod_credentials::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [url, credentials, roots] =
        std::array::from_fn(|n| std::env::args().nth(n + 1).expect("URL CREDENTIALS ROOTS"));
    let credentials = Watched::follow(CredentialFiles::bundle(credentials), DEFAULT_POLL)?;
    let roots = Watched::follow(TrustFile::new(roots), DEFAULT_POLL)?;
    let config = client_config(Some(&credentials), Servers::by_name(&roots))?;
    let https = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().build();
    // no pool: a connection in one outlives renewals
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build::<_, String>(https);
    loop {
        let body = client.get(url.parse()?).await?.into_body().collect().await?.to_bytes();
        print!("{}", String::from_utf8_lossy(&body));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

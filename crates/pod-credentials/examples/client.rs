//! A client with a certificate of its own, of a server with a DNS name.

use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use pod_credentials::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [address, name, credentials, roots] =
        std::array::from_fn(|n| std::env::args().nth(n + 1).expect("ADDRESS NAME CREDENTIALS ROOTS"));
    let credentials = Watched::follow(CredentialFiles::bundle(credentials), DEFAULT_POLL)?;
    let roots = Watched::follow(TrustFile::new(roots), DEFAULT_POLL)?;
    let config = std::sync::Arc::new(client_config(Some(&credentials), Servers::by_name(&roots))?);
    loop {
        let tcp = tokio::net::TcpStream::connect(&address).await?;
        let stream =
            tokio_rustls::TlsConnector::from(config.clone()).connect(name.clone().try_into()?, tcp).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = Request::get("/").header("host", &name).body(Empty::<Bytes>::new())?;
        let body = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
        print!("{}", String::from_utf8_lossy(&body));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

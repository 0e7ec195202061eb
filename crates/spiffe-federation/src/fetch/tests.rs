use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

const ID: &str = "spiffe://partner.example/bundle-endpoint";
const EMPTY: &str = r#"{"keys": [], "spiffe_sequence": 7}"#;

struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Ca {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn anchor(&self) -> CaCertificate {
        CaCertificate::from_der("test", self.certificate.der()).unwrap()
    }

    fn file(&self) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), self.certificate.pem()).unwrap();
        file
    }

    /// A server's configuration with a leaf of these names.
    fn server(&self, names: Vec<SanType>) -> ServerConfig {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap()
    }
}

fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().unwrap())
}

fn localhost() -> SanType {
    SanType::DnsName("localhost".try_into().unwrap())
}

fn response(status: &str, further: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{further}\r\n{body}", body.len())
}

/// Answers each path with its answer. Ends with the runtime of the test.
async fn serve(config: ServerConfig, answers: Vec<(&'static str, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (acceptor, answers) = (TlsAcceptor::from(Arc::new(config)), Arc::new(answers));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, answers) = (acceptor.clone(), Arc::clone(&answers));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = vec![0; 4096];
                let count = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..count]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default();
                match answers.iter().find(|(known, _)| *known == path) {
                    Some((_, answer)) => {
                        let _ = stream.write_all(answer.as_bytes()).await;
                        let _ = stream.shutdown().await;
                    }
                    None => std::future::pending().await,
                }
            });
        }
    });
    address
}

fn web(url: &str, ca_file: &Path) -> Endpoint {
    Endpoint { url: url.parse().unwrap(), profile: Profile::HttpsWeb { ca_file: Some(ca_file.to_owned()) } }
}

fn spiffe(url: &str) -> Endpoint {
    Endpoint { url: url.parse().unwrap(), profile: Profile::HttpsSpiffe { endpoint_id: ID.parse().unwrap() } }
}

async fn problem(endpoint: &Endpoint, latest: &[CaCertificate]) -> String {
    fetch(endpoint, latest, Limits::default()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_bundle_is_fetched_from_a_server_of_the_web() {
    let ca = Ca::new("web");
    let answers = vec![
        ("/bundle", response("200 OK", "", EMPTY)),
        ("/moved", response("302 Found", "location: /bundle\r\n", "")),
        ("/away", response("302 Found", "location: http://localhost/bundle\r\n", "")),
        ("/loop", response("307 Temporary Redirect", "location: /loop\r\n", "")),
        ("/none", response("404 Not Found", "", "no such thing")),
        ("/text", response("200 OK", "", "hello")),
        ("/huge", response("200 OK", "", &" ".repeat(SpiffeBundle::MAX_BYTES + 1))),
        ("/cut", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned()),
    ];
    let address = serve(ca.server(vec![localhost()]), answers).await;
    let file = ca.file();
    for path in ["/bundle", "/moved"] {
        let bundle =
            fetch(&web(&format!("{address}{path}"), file.path()), &[], Limits::default()).await.unwrap();
        assert_eq!(bundle.sequence, Some(7));
    }
    for (path, expected) in [
        ("/away", "a redirect leads to what is not the URL of a bundle endpoint: its scheme isn't https"),
        ("/loop", "more than 3 redirects"),
        ("/none", "the answer is 404 Not Found"),
        ("/text", "it isn't a SPIFFE bundle"),
        ("/huge", "1048576 are the most"),
        ("/cut", "broke off"),
    ] {
        let found = problem(&web(&format!("{address}{path}"), file.path()), &[]).await;
        assert!(found.contains(expected), "{path}: {found}");
    }
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let silent = fetch(&web(&format!("{address}/silence"), file.path()), &[], limits).await.unwrap_err();
    assert!(matches!(silent, FetchError::TooSlow(_)), "{silent}");

    let other = Ca::new("other").file();
    let found = problem(&web(&format!("{address}/bundle"), other.path()), &[]).await;
    assert!(found.contains("no connection") && found.contains("UnknownIssuer"), "{found}");
    let found = problem(&web(&format!("{address}/bundle"), Path::new("/nowhere")), &[]).await;
    assert!(found.starts_with("/nowhere can't be read"), "{found}");
}

/// A name in the certificate doesn't make up for the wrong ID, nor the right ID for another CA.
#[tokio::test]
async fn a_server_with_an_svid_is_known_by_its_id_and_the_latest_bundle() {
    let (ca, other) = (Ca::new("partner"), Ca::new("other"));
    let latest = [ca.anchor()];
    let answers = || vec![("/", response("200 OK", "", EMPTY))];
    let good = serve(ca.server(vec![uri(ID)]), answers()).await;
    assert_eq!(fetch(&spiffe(&good), &latest, Limits::default()).await.unwrap().sequence, Some(7));

    let another = serve(ca.server(vec![uri("spiffe://partner.example/web"), localhost()]), answers()).await;
    let found = problem(&spiffe(&another), &latest).await;
    assert!(found.contains("the server is spiffe://partner.example/web"), "{found}");
    let two = serve(ca.server(vec![uri(ID), uri("spiffe://partner.example/b")]), answers()).await;
    assert!(problem(&spiffe(&two), &latest).await.contains("isn't an X.509-SVID"));
    let foreign = serve(other.server(vec![uri(ID)]), answers()).await;
    let found = problem(&spiffe(&foreign), &latest).await;
    assert!(found.contains("no connection"), "{found}");
    assert!(problem(&spiffe(&good), &[]).await.contains("configure its first one"));
}

//! A bundle endpoint of another trust domain.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::PrivateKeyDer;
use signer_core::ca_pool::{
    CertificateAuthority, IssuedCertificate, Leaf, PublicKey, SerialNumber, SigningKey, SigningKeyType,
    Terms, issue,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Serves what it is given over TLS. Ends with the test.
pub(crate) struct BundleEndpoint {
    pub(crate) url: String,
    content: Arc<Mutex<String>>,
    answers: Arc<AtomicUsize>,
}

impl BundleEndpoint {
    /// Its certificate is of this CA, for 127.0.0.1 and for a SPIFFE ID.
    pub(crate) async fn start(ca: &CertificateAuthority, id: &str, content: String) -> Self {
        let (leaf, key) = issued(ca, id);
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.leaf_der.into()],
                PrivateKeyDer::Pkcs8(key.to_pkcs8().unwrap().to_vec().into()),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://127.0.0.1:{}/bundle", listener.local_addr().unwrap().port());
        let content = Arc::new(Mutex::new(content));
        let answers = Arc::new(AtomicUsize::new(0));
        let (acceptor, served) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&content));
        let count = Arc::clone(&answers);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let body = served.lock().unwrap().clone();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes()).await;
                let _ = stream.shutdown().await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { url, content, answers }
    }

    /// How often it has answered.
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    pub(crate) fn serve(&self, content: String) {
        *self.content.lock().unwrap() = content;
    }
}

/// A server's certificate for 127.0.0.1 and a SPIFFE ID.
fn issued(ca: &CertificateAuthority, id: &str) -> (IssuedCertificate, SigningKey) {
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    let public = PublicKey::from_pkix(key.spki_der()).unwrap();
    let leaf = Leaf::server().uri(id.parse().unwrap()).ip_address(Ipv4Addr::LOCALHOST.into());
    let serial = SerialNumber::from_random([3; 16]);
    (issue(&leaf, &public, &Terms::default(), ca, serial, Timestamp::now()).unwrap(), key)
}

/// The same in PEM: the chain, and the key.
pub(crate) fn certificate(ca: &CertificateAuthority, id: &str) -> (String, String) {
    let (leaf, key) = issued(ca, id);
    let key = pem_of("PRIVATE KEY", &key.to_pkcs8().unwrap());
    (leaf.chain_pem, key)
}

/// One block.
pub(crate) fn pem_of(label: &str, der: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

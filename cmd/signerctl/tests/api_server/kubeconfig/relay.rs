//! Small servers between a client and an API server: proxies, and one that speaks TLS with a certificate of
//! its own.

use std::{io, net::Ipv4Addr, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::pki::{Pair, read};

/// What a server does with a connection.
#[derive(Clone)]
pub(crate) enum Relay {
    /// `CONNECT`, and requests for whole URLs; with this user and password, if any.
    Http(Option<&'static str>),
    /// RFC 1928, with this user and password (RFC 1929), if any.
    Socks(Option<(&'static str, &'static str)>),
    /// Passes all on to a port of this machine.
    To(u16),
}

/// Serves for as long as the test runs, and returns the port.
pub(crate) async fn serve(relay: Relay, tls: Option<&Pair>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tls.map(|pair| TlsAcceptor::from(Arc::new(server_config(pair))));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (relay, acceptor) = (relay.clone(), acceptor.clone());
            tokio::spawn(async move {
                // a client that goes away is its own business
                match acceptor {
                    Some(acceptor) => drop(pass(relay, acceptor.accept(stream).await?).await),
                    None => drop(pass(relay, stream).await),
                }
                io::Result::Ok(())
            });
        }
    });
    port
}

/// Whatever certificate it is: rustls judges those that it is given for itself.
#[derive(Debug)]
struct Any(Arc<CertifiedKey>);

impl ResolvesServerCert for Any {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

fn server_config(pair: &Pair) -> ServerConfig {
    let chain = CertificateDer::pem_slice_iter(&read(&pair.certificate)).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(&read(&pair.key)).unwrap();
    let key = CertifiedKey::new(chain, any_supported_type(&key).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_no_client_auth().with_cert_resolver(Arc::new(Any(Arc::new(key))))
}

async fn pass(relay: Relay, mut near: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let (port, head) = match relay {
        Relay::To(port) => (port, Vec::new()),
        Relay::Http(user) => match http(&mut near, user).await? {
            Some(asked) => asked,
            None => return Ok(()),
        },
        Relay::Socks(user) => (socks(&mut near, user).await?, Vec::new()),
    };
    // every name is this machine's: clients leave resolving to the proxy
    let mut far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    far.write_all(&head).await?;
    copy_bidirectional(&mut near, &mut far).await?;
    Ok(())
}

/// The port that is asked for, and what goes on to it first.
async fn http(
    near: &mut (impl AsyncRead + AsyncWrite + Unpin),
    user: Option<&str>,
) -> io::Result<Option<(u16, Vec<u8>)>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(near.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    if let Some(user) = user
        && !head
            .to_ascii_lowercase()
            .contains(&format!("proxy-authorization: basic {}", STANDARD.encode(user)).to_ascii_lowercase())
    {
        near.write_all(
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        )
        .await?;
        return Ok(None);
    }
    let target = head.split(' ').nth(1).unwrap();
    let authority = target.trim_start_matches("http://").split('/').next().unwrap();
    let port = authority.rsplit_once(':').unwrap().1.parse().unwrap();
    if head.starts_with("CONNECT ") {
        near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        return Ok(Some((port, Vec::new())));
    }
    assert!(target.starts_with("http://"), "a proxy is asked for a whole URL: {target}");
    let head =
        head.replacen(&format!("http://{authority}"), "", 1).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    Ok(Some((port, head.into_bytes())))
}

async fn socks(
    near: &mut (impl AsyncRead + AsyncWrite + Unpin),
    user: Option<(&str, &str)>,
) -> io::Result<u16> {
    let refused = || io::Error::other("refused");
    let mut methods = [0; 255];
    let count = [near.read_u8().await?, near.read_u8().await?][1];
    near.read_exact(&mut methods[..usize::from(count)]).await?;
    if let Some((name, password)) = user {
        near.write_all(&[5, 2]).await?;
        near.read_u8().await?;
        for expected in [name, password] {
            let mut given = vec![0; usize::from(near.read_u8().await?)];
            near.read_exact(&mut given).await?;
            if given != expected.as_bytes() {
                near.write_all(&[1, 1]).await?;
                return Err(refused());
            }
        }
        near.write_all(&[1, 0]).await?;
    } else {
        near.write_all(&[5, 0]).await?;
    }
    let mut request = [0; 4];
    near.read_exact(&mut request).await?;
    let length = match request[3] {
        1 => 4,
        3 => usize::from(near.read_u8().await?),
        _ => return Err(refused()),
    };
    near.read_exact(&mut methods[..length]).await?;
    let port = near.read_u16().await?;
    near.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await?;
    Ok(port)
}

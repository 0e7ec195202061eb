//! Connections to an API server: directly, or through a proxy.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_timeout::TimeoutConnector;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{
            Connected, Connection, HttpConnector,
            proxy::{SocksV5, Tunnel},
        },
    },
    rt::{TokioExecutor, TokioIo},
};
use kube::client::Body;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tower::{BoxError, Service, ServiceExt as _};

use crate::{Error, proxy::Proxy, target::Target};

/// As kube's client has them.
const CONNECT: Duration = Duration::from_secs(30);
const WRITE: Duration = Duration::from_secs(295);

pub(crate) type HttpClient = Client<TimeoutConnector<HttpsConnector<Hop>>, Body>;

/// A client for this target, with connections of its own.
pub(crate) fn client(target: &Target, tls: ClientConfig, read: Duration) -> Result<HttpClient, Error> {
    let name = target.tls_server_name.as_ref().map(|name| {
        ServerName::try_from(name.clone()).map_err(|_| Error::Entry {
            entry: target.cluster.clone(),
            problem: format!("`tls-server-name` {name:?} is neither a DNS name nor an address; write the name in the API server's certificate"),
        })
    });
    let name = name.transpose()?.or_else(|| ipv4_in_ipv6(target));
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Go speaks TLS with an https proxy in the same way as with the API server
    let to_first_hop = https(tls.clone(), name.clone(), tcp);
    let connector = https(tls, name, Hop { to_first_hop, proxy: target.proxy.clone() });
    let mut connector = TimeoutConnector::new(connector);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_read_timeout(Some(read));
    connector.set_write_timeout(Some(WRITE));
    // else the time for which a connection wasn't used counts as silence
    connector.set_reset_reader_on_write(true);
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// An IPv4 address that is written as an IPv6 one (`[::ffff:10.0.0.1]`) stands in certificates as IPv4, and
/// for Go the two are equal.
fn ipv4_in_ipv6(target: &Target) -> Option<ServerName<'static>> {
    let host = target.server.uri.host()?;
    let address: Ipv6Addr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(ServerName::from(IpAddr::V4(address.to_ipv4_mapped()?)))
}

fn https<C>(tls: ClientConfig, name: Option<ServerName<'static>>, connector: C) -> HttpsConnector<C> {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    let builder = match name {
        Some(name) => builder.with_server_name_resolver(FixedServerNameResolver::new(name)),
        None => builder,
    };
    builder.enable_http1().wrap_connector(connector)
}

/// Makes connections on which the API server, or an HTTP proxy, answers.
#[derive(Clone)]
pub(crate) struct Hop {
    to_first_hop: HttpsConnector<HttpConnector>,
    proxy: Option<Proxy>,
}

impl Service<Uri> for Hop {
    type Response = HopStream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<HopStream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let Self { to_first_hop, proxy } = self.clone();
        Box::pin(async move {
            let Some(proxy) = proxy else {
                // TLS with the API server isn't this one's business
                return Ok(HopStream {
                    stream: to_first_hop.oneshot(plain(&server)?).await?,
                    is_shared: false,
                });
            };
            let shown = proxy.to_string();
            let through = |cause: BoxError| BoxError::from(ProxyError { proxy: shown.clone(), cause });
            if proxy.is_socks() {
                let mut socks = SocksV5::new(proxy.uri.clone(), TcpOnly(to_first_hop));
                if let Some((user, password)) = &proxy.user {
                    socks = socks.with_auth(user.clone(), password.to_string());
                }
                let stream =
                    socks.oneshot(with_port(&server)?).await.map_err(|error| through(error.into()))?;
                return Ok(HopStream { stream, is_shared: false });
            }
            if server.scheme() == Some(&Scheme::HTTP) {
                let stream = to_first_hop.oneshot(proxy.uri.clone()).await.map_err(through)?;
                return Ok(HopStream { stream, is_shared: true });
            }
            let mut tunnel = Tunnel::new(proxy.uri.clone(), to_first_hop);
            if let Some(authorization) = proxy.authorization() {
                tunnel = tunnel.with_auth(authorization);
            }
            let stream = tunnel.oneshot(server).await.map_err(|error| through(error.into()))?;
            Ok(HopStream { stream, is_shared: false })
        })
    }
}

/// Connects to the host of a URI of any scheme without TLS.
#[derive(Clone)]
struct TcpOnly(HttpsConnector<HttpConnector>);

impl Service<Uri> for TcpOnly {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match plain(&uri) {
            Ok(uri) => Box::pin(self.0.call(uri)),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }
}

/// The same host and port by `http`.
fn plain(uri: &Uri) -> Result<Uri, BoxError> {
    let uri = with_port(uri)?;
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    Ok(Uri::builder().scheme("http").authority(authority).path_and_query("/").build()?)
}

fn with_port(uri: &Uri) -> Result<Uri, BoxError> {
    let default = if uri.scheme() == Some(&Scheme::HTTP) { 80 } else { 443 };
    let authority = format!("{}:{}", uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(default));
    let scheme = uri.scheme_str().unwrap_or("https");
    Ok(Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build()?)
}

/// A connection; shared, if a proxy reads the requests on it and passes them on.
pub(crate) struct HopStream {
    stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    is_shared: bool,
}

impl Connection for HopStream {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.is_shared)
    }
}

impl Read for HopStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl Write for HopStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// The way through a proxy failed.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} gives no way to the API server")]
pub(crate) struct ProxyError {
    proxy: String,
    #[source]
    cause: BoxError,
}

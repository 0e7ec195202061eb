//! Who is at the other end of a connection, for handlers of axum.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, TapIo},
};
use rustls_pki_types::CertificateDer;
use spiffe_id::SpiffeId;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::{
    certificate::Certificate,
    peer::{PeerError, peer_spiffe_id},
    tls_listener::TlsListener,
};

/// Who is at the other end of a connection of a [`TlsListener`]. A handler gets it as `ConnectInfo<Peer>`, if
/// the router is served by `into_make_service_with_connect_info::<Peer>()`. It is what the handshake has
/// verified, and doesn't change while the connection lives.
///
/// ```
/// use axum::{extract::ConnectInfo, http::StatusCode};
/// use pod_credentials::Peer;
///
/// async fn hello(ConnectInfo(peer): ConnectInfo<Peer>) -> Result<String, (StatusCode, String)> {
///     let id = peer.spiffe_id().map_err(|why| (StatusCode::FORBIDDEN, format!("{why}\n")))?;
///     Ok(format!("hello, {id}\n"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Peer(Arc<Known>);

#[derive(Debug)]
struct Known {
    address: SocketAddr,
    certificate: Result<Certificate, PeerError>,
    spiffe_id: Result<SpiffeId, PeerError>,
}

impl Peer {
    /// A peer with the certificates that a handshake has verified, its own first: `peer_certificates()` of
    /// rustls. For servers that take connections by themselves, and for tests of handlers (axum's
    /// `MockConnectInfo`).
    #[must_use]
    pub fn new(address: SocketAddr, certificates: Option<&[CertificateDer<'_>]>) -> Self {
        let own = certificates.and_then(<[_]>::first).ok_or(PeerError::NoCertificate);
        let certificate = own.and_then(|der| Ok(Certificate::from_der(der)?));
        Self(Arc::new(Known { address, certificate, spiffe_id: peer_spiffe_id(certificates) }))
    }

    /// Its address. Between pods it may be that of a node or a proxy: it proves nothing.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Its SPIFFE ID. That there is one says that the server's [`PeerRule`](crate::PeerRule) has admitted it;
    /// a [`SpiffeRule`](crate::SpiffeRule) decides on more than that, such as who may do what.
    ///
    /// # Errors
    /// If it has shown no certificate, which it may where clients are [`optional`](crate::Clients::optional),
    /// or one that is no X.509-SVID.
    pub fn spiffe_id(&self) -> Result<&SpiffeId, &PeerError> {
        self.0.spiffe_id.as_ref()
    }

    /// Its certificate, with its DNS names.
    ///
    /// # Errors
    /// If it has shown none.
    pub fn certificate(&self) -> Result<&Certificate, &PeerError> {
        self.0.certificate.as_ref()
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self::new(*stream.remote_addr(), stream.io().get_ref().1.peer_certificates())
    }
}

/// For listeners with a `tap_io`.
impl<F> Connected<IncomingStream<'_, TapIo<TlsListener, F>>> for Peer
where
    F: FnMut(&mut TlsStream<TcpStream>) + Send + 'static,
{
    fn connect_info(stream: IncomingStream<'_, TapIo<TlsListener, F>>) -> Self {
        Self::new(*stream.remote_addr(), stream.io().get_ref().1.peer_certificates())
    }
}

//! Who is at the other end of a connection.

use std::net::SocketAddr;

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use rustls_pki_types::CertificateDer;

use crate::tls_listener::TlsListener;

/// A client, and the certificates by which the handshake has verified it, if it has shown any.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    certificates: Option<Vec<CertificateDer<'static>>>,
}

impl Peer {
    pub(crate) fn certificates(&self) -> Option<&[CertificateDer<'static>]> {
        self.certificates.as_deref()
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let certificates = stream.io().get_ref().1.peer_certificates();
        Self {
            address: *stream.remote_addr(),
            certificates: certificates
                .map(|all| all.iter().cloned().map(CertificateDer::into_owned).collect()),
        }
    }
}

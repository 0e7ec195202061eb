//! The certificate that is shown in each handshake: the one in use at that moment.

use std::sync::Arc;

use rustls::{
    SignatureScheme,
    client::ResolvesClientCert,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{credentials::Credentials, watched::Watched};

#[derive(Debug)]
pub(crate) struct Presented(pub(crate) Watched<Credentials>);

impl Presented {
    fn now(&self) -> Option<Arc<CertifiedKey>> {
        self.0.current().map(|credentials| Arc::clone(credentials.certified_key()))
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.now()
    }
}

impl ResolvesClientCert for Presented {
    /// A pod has one certificate for a purpose. Whether the server takes it, the server says, and more clearly than its list of CAs does.
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.now()
    }

    fn has_certs(&self) -> bool {
        self.0.current().is_some()
    }
}

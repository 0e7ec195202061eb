//! The certificate that is shown in each handshake: the one in use at that moment.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    SignatureScheme,
    client::ResolvesClientCert,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::{
    credentials::Credentials,
    watched::{NotReady, Watched},
};

#[derive(Debug)]
pub(crate) struct Presented {
    credentials: Watched<Credentials>,
    /// Why there was nothing to show the last time.
    logged: Mutex<Option<NotReady>>,
}

impl Presented {
    pub(crate) fn new(credentials: &Watched<Credentials>) -> Self {
        Self { credentials: credentials.clone(), logged: Mutex::default() }
    }

    /// rustls can't be told why there is nothing to show, and so neither end's error says it. It is logged,
    /// once for each reason: an attacker makes as many handshakes as they like.
    fn now(&self) -> Option<Arc<CertifiedKey>> {
        let ready = self.credentials.ready();
        let not_ready = ready.as_ref().err().cloned();
        let last = std::mem::replace(
            &mut *self.logged.lock().unwrap_or_else(PoisonError::into_inner),
            not_ready.clone(),
        );
        if let Some(not_ready) = not_ready.filter(|now| last.as_ref() != Some(now)) {
            tracing::warn!("a handshake fails, or goes on without a certificate of ours: {not_ready}");
        }
        ready.ok().map(|credentials| Arc::clone(credentials.certified_key()))
    }
}

impl ResolvesServerCert for Presented {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.now()
    }
}

impl ResolvesClientCert for Presented {
    /// A pod has one certificate for a purpose. Whether the server takes it, the server says, and more
    /// clearly than its list of CAs does.
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.now()
    }

    fn has_certs(&self) -> bool {
        self.credentials.current().is_some()
    }
}

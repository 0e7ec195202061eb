//! What a signer runs with.

use crate::{federation::Federation, handle::SignerHandle, policy::Policy};
use ca_pool::PoolSource;

/// What a signer runs with.
#[derive(Clone, Debug)]
pub struct SignerOptions {
    /// Where its CA pool comes from.
    pub ca_pool: PoolSource,
    /// What the operator has settled.
    pub policy: Policy,
    /// The trust domains whose bundles are published, each in a ClusterTrustBundle of its own.
    pub federation: Option<Federation>,
    /// By what the signer speaks to the core, if it does.
    pub handle: SignerHandle,
}

impl SignerOptions {
    /// The default policy, with this CA pool.
    #[must_use]
    pub fn new(ca_pool: PoolSource) -> Self {
        Self { ca_pool, policy: Policy::default(), federation: None, handle: SignerHandle::new() }
    }
}

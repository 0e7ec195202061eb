//! What a signer runs with.

use super::SecretPool;
use crate::{handle::SignerHandle, policy::Policy};
use ca_pool::{AutomaticRotation, PoolSource};

/// What a signer runs with.
#[derive(Clone, Debug)]
pub struct SignerOptions {
    /// Where its CA pool comes from.
    pub ca_pool: PoolOrigin,
    /// What the operator has settled.
    pub policy: Policy,
    /// By what the signer speaks to the core, if it does.
    pub handle: SignerHandle,
}

impl SignerOptions {
    /// The default policy, with this CA pool.
    #[must_use]
    pub fn new(ca_pool: impl Into<PoolOrigin>) -> Self {
        Self { ca_pool: ca_pool.into(), policy: Policy::default(), handle: SignerHandle::new() }
    }
}

/// Where a signer's CA pool comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolOrigin {
    /// Files, as Secrets are mounted. The process needs no permission for Secrets.
    Files(PoolSource),
    /// A Secret, which the process reads itself, and keeps if wanted.
    Secret(SecretPool),
}

impl PoolOrigin {
    /// How the pool is rotated automatically, if it is.
    pub(super) fn automatic_rotation(&self) -> Option<&AutomaticRotation> {
        match self {
            Self::Files(_) => None,
            Self::Secret(secret) => secret.automatic_rotation.as_ref(),
        }
    }
}

impl From<PoolSource> for PoolOrigin {
    fn from(source: PoolSource) -> Self {
        Self::Files(source)
    }
}

impl From<SecretPool> for PoolOrigin {
    fn from(secret: SecretPool) -> Self {
        Self::Secret(secret)
    }
}

//! Each signer has a CA of its own: where one trusts another's key, that one vouches for its names.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};

use ca_pool::names::SignerName;
use ca_pool::{CaCertificate, CaPool, CertificateAuthority};

/// What the pools in use have, and whose they are. Cheap to clone: clones see the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims(Arc<Mutex<HashMap<SignerName, Claim>>>);

/// The keys of one signer's pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claim {
    /// Those of its CAs, up to their roots.
    own: HashSet<Fingerprint>,
    /// Those that its pods trust: of its roots, and of others that its operator has listed.
    trusted: HashSet<Fingerprint>,
}

/// SHA-256 of a public key.
type Fingerprint = [u8; 32];

impl Claims {
    /// Makes this the signer's claim, in place of the one that it had.
    ///
    /// # Errors
    /// The name of the signer whose claim it contradicts; nothing is changed then.
    pub(crate) fn claim(&self, signer: &SignerName, claim: Claim) -> Result<(), SignerName> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let other = claims.iter().find(|(owner, other)| *owner != signer && claim.contradicts(other));
        if let Some((other, _)) = other {
            return Err(other.clone());
        }
        claims.insert(signer.clone(), claim);
        Ok(())
    }
}

impl Claim {
    pub(crate) fn of(pool: &CaPool) -> Self {
        let own = pool.authorities().flat_map(CertificateAuthority::certificates);
        let all = |certificates: &mut dyn Iterator<Item = &CaCertificate>| {
            certificates.map(|certificate| sha256(certificate.spki_der())).collect()
        };
        Self { own: all(&mut own.into_iter()), trusted: all(&mut pool.roots().into_iter()) }
    }

    /// A root of somebody else's, which both trust, gives neither the other's names.
    fn contradicts(&self, other: &Self) -> bool {
        let trusts = |one: &Self, other: &Self| !one.trusted.is_disjoint(&other.own);
        trusts(self, other) || trusts(other, self) || !self.own.is_disjoint(&other.own)
    }
}

fn sha256(bytes: &[u8]) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest(&SHA256, bytes).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests;

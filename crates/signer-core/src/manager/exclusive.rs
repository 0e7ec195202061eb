//! Each signer has a CA of its own: two that share a key or a root would vouch for each other's names.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};

use crate::{authority::CaCertificate, ca_pool::CaPool, signer_name::SignerName};

/// The fingerprints of the keys and roots in use, and whose they are. Cheap to clone: clones see the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots(Arc<Mutex<HashMap<Fingerprint, SignerName>>>);

/// SHA-256 of a root certificate or a public key.
pub(crate) type Fingerprint = [u8; 32];

impl Roots {
    /// Makes these the signer's, in place of those that it had.
    ///
    /// # Errors
    /// The name of the signer that has one of them already; nothing is changed then.
    pub(crate) fn claim(&self, signer: &SignerName, fingerprints: &[Fingerprint]) -> Result<(), SignerName> {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let other = fingerprints
            .iter()
            .filter_map(|fingerprint| owners.get(fingerprint))
            .find(|owner| *owner != signer);
        if let Some(other) = other {
            return Err(other.clone());
        }
        owners.retain(|_, owner| owner != signer);
        owners.extend(fingerprints.iter().map(|fingerprint| (*fingerprint, signer.clone())));
        Ok(())
    }
}

/// The fingerprints of all keys and roots of a pool.
pub(crate) fn fingerprints(pool: &CaPool) -> Vec<Fingerprint> {
    let keys = pool.authorities().map(|authority| authority.key().spki_der());
    let roots = pool.roots().into_iter().map(CaCertificate::der);
    keys.chain(roots).map(sha256).collect()
}

fn sha256(bytes: &[u8]) -> Fingerprint {
    let mut fingerprint = Fingerprint::default();
    fingerprint.copy_from_slice(digest(&SHA256, bytes).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_second_hears_whose_it_is() {
        let (a, b): (SignerName, SignerName) = ("e.com/a".parse().unwrap(), "e.com/b".parse().unwrap());
        let roots = Roots::default();
        assert_eq!(roots.claim(&a, &[[1; 32], [2; 32]]), Ok(()));
        assert_eq!(roots.claim(&b, &[[3; 32], [2; 32]]), Err(a.clone()));
        assert_eq!(roots.claim(&a, &[[1; 32]]), Ok(()));
        assert_eq!(roots.claim(&b, &[[3; 32], [2; 32]]), Ok(()));
    }
}

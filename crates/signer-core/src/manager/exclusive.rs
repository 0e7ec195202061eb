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
mod tests {
    use super::*;

    fn claim(own: &[u8], trusted: &[u8]) -> Claim {
        let of = |keys: &[u8]| keys.iter().map(|key| [*key; 32]).collect();
        Claim { own: of(own), trusted: of(trusted) }
    }

    #[test]
    fn who_comes_second_hears_whose_it_is() {
        let (a, b): (SignerName, SignerName) = ("e.com/a".parse().unwrap(), "e.com/b".parse().unwrap());
        let claims = Claims::default();
        assert_eq!(claims.claim(&a, claim(&[1, 2], &[2])), Ok(()));
        assert_eq!(claims.claim(&b, claim(&[3, 2], &[2])), Err(a.clone()));
        assert_eq!(claims.claim(&a, claim(&[1], &[1])), Ok(()));
        assert_eq!(claims.claim(&b, claim(&[3, 2], &[2])), Ok(()));
    }

    #[test]
    fn neither_trusts_what_the_other_signs_with_and_both_may_trust_a_third() {
        for (first, second, is_fine) in [
            (claim(&[1], &[1, 9]), claim(&[2], &[2, 9]), true),
            (claim(&[1], &[1]), claim(&[2], &[2, 1]), false),
            (claim(&[1], &[1, 2]), claim(&[2], &[2]), false),
            (claim(&[1, 9], &[9]), claim(&[2, 9], &[9]), false),
            (claim(&[1, 5], &[5]), claim(&[1, 6], &[6]), false),
        ] {
            assert_eq!(!first.contradicts(&second), is_fine, "{first:?} {second:?}");
            assert_eq!(!second.contradicts(&first), is_fine, "{second:?} {first:?}");
        }
    }
}

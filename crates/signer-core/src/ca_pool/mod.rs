//! CA pools: the authorities of one signer, as they are kept in files and Secrets.

mod error;
mod json;
mod pem_blocks;
mod pem_files;
mod source;
mod watch;

use std::fmt;

use serde_json::{Map, Value};

pub use self::{
    error::{PoolEntry, PoolError},
    source::{PoolBytes, PoolSource, PoolSourceError},
    watch::{DEFAULT_POLL, PoolState, watch_pool},
};
use crate::authority::{CaCertificate, CertificateAuthority};

/// The certificate authorities of one signer: one signs, and the roots of all are published as trust anchors.
pub struct CaPool {
    members: Vec<Member>,
    /// Fields of the JSON format that aren't known here; they are kept for whoever does know them.
    further: Map<String, Value>,
}

struct Member {
    authority: CertificateAuthority,
    further: Map<String, Value>,
}

impl CaPool {
    /// The most bytes of one input: a pool file, or one of the PEM files.
    pub const MAX_INPUT_BYTES: usize = 1024 * 1024;
    /// The most authorities of one pool.
    pub const MAX_AUTHORITIES: usize = 32;
    /// The most certificates that are looked at for one authority.
    pub const MAX_CERTIFICATES: usize = 32;
    /// The longest ID, in characters.
    pub const MAX_ID_CHARACTERS: usize = 64;

    /// Makes a pool. The first authority signs.
    ///
    /// # Errors
    /// If there is none or more than [`MAX_AUTHORITIES`](Self::MAX_AUTHORITIES), or if two have the same ID or key.
    pub fn new(authorities: Vec<CertificateAuthority>) -> Result<Self, PoolError> {
        let members = authorities.into_iter().map(|authority| Member { authority, further: Map::new() });
        Self::of_members(members.collect(), Map::new())
    }

    /// The authority that signs.
    #[must_use]
    pub fn signing(&self) -> &CertificateAuthority {
        // `of_members` lets no empty pool be.
        &self.members[0].authority
    }

    /// All authorities, in the order of the pool.
    pub fn authorities(&self) -> impl Iterator<Item = &CertificateAuthority> {
        self.members.iter().map(|member| &member.authority)
    }

    /// The trust anchors: the roots of all authorities, each once.
    #[must_use]
    pub fn roots(&self) -> Vec<&CaCertificate> {
        let mut roots: Vec<&CaCertificate> = Vec::new();
        for root in self.authorities().map(CertificateAuthority::root) {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        roots
    }

    fn of_members(members: Vec<Member>, further: Map<String, Value>) -> Result<Self, PoolError> {
        check_count(members.len())?;
        for (position, later) in members.iter().enumerate() {
            for (index, earlier) in members[..position].iter().enumerate() {
                check_differ((index, &earlier.authority), (position, &later.authority))?;
            }
        }
        Ok(Self { members, further })
    }
}

fn check_count(found: usize) -> Result<(), PoolError> {
    match found {
        0 => Err(PoolError::Empty),
        found if found > CaPool::MAX_AUTHORITIES => Err(PoolError::TooManyAuthorities { found }),
        _ => Ok(()),
    }
}

fn check_differ(
    (index, earlier): (usize, &CertificateAuthority),
    (position, later): (usize, &CertificateAuthority),
) -> Result<(), PoolError> {
    let entries = || (PoolEntry::new(index, earlier.id()), PoolEntry::new(position, later.id()));
    if earlier.id() == later.id() {
        let (first, second) = entries();
        return Err(PoolError::SameId { first, second });
    }
    if earlier.key().spki_der() == later.key().spki_der() {
        let (first, second) = entries();
        return Err(PoolError::SameKey { first, second });
    }
    Ok(())
}

impl fmt::Debug for CaPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Fields that aren't known may hold anything, so they don't print.
        let Self { members, further: _ } = self;
        let authorities: Vec<&CertificateAuthority> =
            members.iter().map(|Member { authority, further: _ }| authority).collect();
        f.debug_struct("CaPool").field("authorities", &authorities).finish_non_exhaustive()
    }
}

//! CA pools: the authorities of one signer, as they are kept in files and Secrets.

mod assessment;
mod automatic_rotation;
mod constraint_violation;
mod error;
mod fitness;
mod foreign;
mod json;
mod pem_files;
mod revocation;
mod rotation;
mod rotation_error;
mod schedule;
mod secret_values;
mod signing_ca;
mod source;
mod warnings;

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::schedule::{Recorded, Retirement};
pub use self::{
    assessment::Assessment,
    automatic_rotation::{AutomaticRotation, AutomaticRotationError, Due, NewCaMaterial},
    constraint_violation::{ConstraintViolation, Finding},
    error::{PoolEntry, PoolError},
    fitness::{Fitness, Objection, Rejection},
    pem_files::PemNames,
    revocation::ReplacementCa,
    rotation::RotationPlan,
    rotation_error::RotationError,
    schedule::{
        ACTIVATION_GRACE, BUNDLE_PROPAGATION, MAX_LEAF_LIFETIME, NextStep, Phase, Schedule, SigningWindow,
        near,
    },
    secret_values::{SecretContent, SecretValues},
    signing_ca::{NoSigningCa, RootPublication, SigningCa},
    source::{PoolBytes, PoolSource, PoolSourceError, SecretPool},
    warnings::{PoolWarning, Remedy},
};
use crate::authority::{CaCertificate, CertificateAuthority};

/// The certificate authorities of one signer: one signs, and the roots of all are published as trust anchors.
pub struct CaPool {
    members: Vec<Member>,
    generation: u64,
    /// Fields of the JSON format that aren't known here; they are kept for whoever does know them.
    further: Map<String, Value>,
}

/// The time for which a pool's ways up were chosen.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    from: Timestamp,
    until: Option<Timestamp>,
}

impl AsOf {
    /// Whether the same ways are the best at `now`. A clock that was set back may have chosen them too early.
    #[must_use]
    pub fn holds_at(self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

struct Member {
    authority: CertificateAuthority,
    signs_from: Option<Timestamp>,
    retirement: Option<Retirement>,
    max_leaf_lifetime: Option<Duration>,
    further: Map<String, Value>,
}

impl CaPool {
    /// The newest format in JSON that is read, which is the one that is written. A pool that doesn't say has
    /// this one.
    pub const FORMAT: u64 = 1;
    /// The most bytes of one input: a pool file, or one of the PEM files.
    pub const MAX_INPUT_BYTES: usize = 1024 * 1024;
    /// The most authorities of one pool.
    pub const MAX_AUTHORITIES: usize = 32;
    /// The most intermediates of one authority in JSON.
    pub const MAX_CERTIFICATES: usize = 32;
    /// The longest ID, in characters.
    pub const MAX_ID_CHARACTERS: usize = 64;

    /// Makes a pool. The first authority signs.
    ///
    /// # Errors
    /// If there is none or more than [`MAX_AUTHORITIES`](Self::MAX_AUTHORITIES), or if two have the same ID
    /// or key.
    pub fn new(authorities: Vec<CertificateAuthority>) -> Result<Self, PoolError> {
        Self::of_members(authorities.into_iter().map(Member::from).collect(), 0, Map::new())
    }

    /// Which version of the pool this is: when it was changed last, in seconds. It only grows; a pool of the
    /// Go original's has none, which counts as 0.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether another pool is newer; or, of the same generation, has nothing in common with this one, so
    /// that neither follows from the other. (Pools that don't count their generations are replaced as their
    /// owner likes.)
    #[must_use]
    pub fn yields_to(&self, in_use: &Self) -> bool {
        let shares_a_root = || self.roots().iter().any(|root| in_use.roots().contains(root));
        let is_counted = in_use.generation > 0;
        self.generation < in_use.generation
            || is_counted && self.generation == in_use.generation && !shares_a_root()
    }

    /// When each authority signs, and until when its root is trusted.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule::of(self.members.iter().map(Member::recorded).collect())
    }

    /// The authority that signs at `now`, and until when its leaves may live; `publication` tells how a root
    /// stands in the published bundle.
    ///
    /// # Errors
    /// If none may sign.
    pub fn choose(
        &self,
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Result<SigningCa, NoSigningCa> {
        self.schedule().signing_ca(now, |index| publication(self.authority(index).root()))
    }

    /// When the last leaf under a root has expired, if all authorities under it have a known successor.
    #[must_use]
    pub fn last_leaf_under(&self, root: &CaCertificate) -> Option<Timestamp> {
        let schedule = self.schedule();
        let all = self.authorities().zip(schedule.windows());
        let under = all.filter(|(authority, _)| authority.root() == root);
        let ends: Option<Vec<Timestamp>> =
            under.map(|(_, window)| window.last_leaf_ends().filter(|_| window.is_retired)).collect();
        ends?.into_iter().max()
    }

    /// The authority at a position that [`choose`](Self::choose) gave.
    ///
    /// # Panics
    /// If the pool has no such position.
    #[must_use]
    pub fn authority(&self, index: usize) -> &CertificateAuthority {
        &self.members[index].authority
    }

    /// The first authority of the pool: the one that signs where no times are recorded.
    #[must_use]
    pub fn signing(&self) -> &CertificateAuthority {
        // `of_members` lets no empty pool be.
        &self.members[0].authority
    }

    /// All authorities, in the order of the pool, for another pool.
    #[must_use]
    pub fn into_authorities(self) -> Vec<CertificateAuthority> {
        self.members.into_iter().map(|member| member.authority).collect()
    }

    /// All authorities, in the order of the pool.
    pub fn authorities(&self) -> impl Iterator<Item = &CertificateAuthority> {
        self.members.iter().map(|member| &member.authority)
    }

    /// The trust anchors of all authorities, each once: their roots, and what `rootFile` lists besides.
    #[must_use]
    pub fn roots(&self) -> Vec<&CaCertificate> {
        let mut roots: Vec<&CaCertificate> = Vec::new();
        for root in self.authorities().flat_map(CertificateAuthority::anchors) {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        roots
    }

    /// The same with each authority's best way up at `now`: see [`CertificateAuthority::as_of`].
    #[must_use]
    pub fn as_of(self, now: Timestamp) -> Self {
        let members = self.members.into_iter();
        let members =
            members.map(|member| Member { authority: member.authority.as_of(now), ..member }).collect();
        Self { members, ..self }
    }

    /// When [`as_of`](Self::as_of) may say something else than at `now`.
    #[must_use]
    pub fn changes_paths_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.authorities().filter_map(|authority| authority.changes_path_at(now)).min()
    }

    /// As [`as_of`](Self::as_of), and for how long it is so.
    #[must_use]
    pub fn with_paths_at(self, now: Timestamp) -> (Self, AsOf) {
        let until = self.changes_paths_at(now);
        (self.as_of(now), AsOf { from: now, until })
    }

    fn leaving_aside(mut self, what: &str) -> Self {
        if let Some(first) = self.members.pop() {
            let authority = first.authority.leaving_aside([what.to_owned()].into_iter());
            self.members.push(Member { authority, ..first });
        }
        self
    }

    /// What was found with the authorities and isn't used, each with the reason. It is bounded, as a file may
    /// hold a thousand certificates.
    #[must_use]
    pub fn left_aside(&self) -> Vec<String> {
        const NAMED: usize = 5;
        let all = || self.authorities().flat_map(CertificateAuthority::left_aside);
        let mut told: Vec<String> = all().take(NAMED).map(|one| format!("left aside: {one}")).collect();
        let more = all().count().saturating_sub(NAMED);
        if more > 0 {
            told.push(format!("left aside: {more} more certificates"));
        }
        told
    }

    fn of_members(
        members: Vec<Member>,
        generation: u64,
        further: Map<String, Value>,
    ) -> Result<Self, PoolError> {
        check_count(members.len())?;
        for (position, later) in members.iter().enumerate() {
            for (index, earlier) in members[..position].iter().enumerate() {
                check_differ((index, &earlier.authority), (position, &later.authority))?;
            }
        }
        let mut pool = Self { members, generation, further };
        pool.drop_void_decisions();
        Ok(pool)
    }

    /// A CA that nobody follows any more doesn't retire; only the first one may have to wait.
    fn drop_void_decisions(&mut self) {
        let schedule = self.schedule();
        for (index, member) in self.members.iter_mut().enumerate() {
            member.retirement = member.retirement.filter(|_| schedule.windows()[index].is_retired);
            member.signs_from = member.signs_from.filter(|_| index == 0);
        }
    }
}

impl Member {
    fn recorded(&self) -> Recorded {
        Recorded {
            signs_from: self.signs_from,
            retirement: self.retirement,
            max_leaf_lifetime: self.max_leaf_lifetime,
            not_before: self.authority.not_before(),
            not_after: self.authority.not_after(),
        }
    }
}

impl From<CertificateAuthority> for Member {
    fn from(authority: CertificateAuthority) -> Self {
        Self { authority, signs_from: None, retirement: None, max_leaf_lifetime: None, further: Map::new() }
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
        let Self { members, generation, further: _ } = self;
        let authorities: Vec<&CertificateAuthority> = members
            .iter()
            .map(|Member { authority, signs_from: _, retirement: _, max_leaf_lifetime: _, further: _ }| {
                authority
            })
            .collect();
        f.debug_struct("CaPool")
            .field("generation", generation)
            .field("authorities", &authorities)
            .finish_non_exhaustive()
    }
}

//! Certificate authorities: a signing key, the certificate that belongs to it, and the way up to its root.
//!
//! Whatever can be judged without a clock is judged when an authority is made: that key and certificate
//! belong together, that each certificate on the way is a CA that may sign the one below it, and that no key
//! or signature is weak. An authority that is expired, or not valid yet, loads: what it may sign at a given
//! time is [`issue`](crate::issue())'s question.

mod algorithm_name;
pub(crate) mod asn1;
mod ca_key;
mod certificate;
mod distinguished_name;
mod error;
mod extensions;
mod key_encoding;
mod key_type;
mod name_constraints;
mod new_root;
pub(crate) mod objections;
mod path;
mod path_rules;
pub(crate) mod pem;
mod serial_number;
mod signing_key;
mod verifying_key;

use std::{fmt, time::Duration};

use aws_lc_rs::digest;
use jiff::Timestamp;

pub use self::certificate::fingerprint;
pub(crate) use self::name_constraints::{ConstrainedName, NameConstraints};
pub use self::path::Anchors;
use self::path::{CertificationPath, Paths};
pub use self::pem::certificate as certificate_pem;
pub use self::{
    ca_key::{CaKey, CaKeyError, Signing},
    certificate::CaCertificate,
    error::AuthorityError,
    key_type::{SigningKeyType, SigningKeyTypeError},
    new_root::{NewRoot, root_common_name},
    serial_number::SerialNumber,
    signing_key::{SigningKey, SigningKeyError},
};

/// A certificate authority that can sign.
pub struct CertificateAuthority {
    id: String,
    key: Box<dyn CaKey>,
    /// The ways up, the best first, as long as nobody asks what time it is.
    paths: Vec<CertificationPath>,
    /// Which of them is taken.
    path: usize,
    anchors: Vec<CaCertificate>,
    left_aside: Vec<String>,
    chain_pem: String,
}

impl CertificateAuthority {
    /// Makes an authority of a key, of the certificates that may stand between it and a root, and of the
    /// roots that are trusted to end the way; the order of the certificates doesn't matter. The issuer is the
    /// certificate that belongs to the key: a root, or one of the intermediates. Of several ways that one is
    /// taken which the fewest verifiers object to, and of those the one that is valid longest
    /// ([`as_of`](Self::as_of) looks at the time too); certificates that aren't on it are left aside.
    ///
    /// `id` names it in messages.
    ///
    /// # Errors
    /// If they don't make one that verifiers would accept; [`AuthorityError`] lists the rules.
    pub fn new(
        id: impl Into<String>,
        key: impl CaKey + 'static,
        intermediates: Vec<CaCertificate>,
        roots: Vec<CaCertificate>,
    ) -> Result<Self, AuthorityError> {
        Self::with_anchors(id, key, intermediates, roots, Anchors::OnPaths)
    }

    /// The same where all roots may be trust anchors.
    pub fn with_anchors(
        id: impl Into<String>,
        key: impl CaKey + 'static,
        intermediates: Vec<CaCertificate>,
        roots: Vec<CaCertificate>,
        anchors: Anchors,
    ) -> Result<Self, AuthorityError> {
        let Paths { all: paths, anchors, left_aside } = Paths::find(&key, intermediates, roots, anchors)?;
        let key = Box::new(key);
        let mut authority =
            Self { id: id.into(), key, paths, path: 0, anchors, left_aside, chain_pem: String::new() };
        authority.take(0);
        Ok(authority)
    }

    /// The same with the way up that is best at `now`, of those that are valid then. Where none is, it stays
    /// the best of all.
    ///
    /// A path that isn't valid yet would otherwise hide the one that is: a CA certificate that was renewed
    /// ahead of its time, say.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        let is_valid = |path: &CertificationPath| {
            let (from, to) = path.validity();
            from <= now && now <= to
        };
        self.take(self.paths.iter().position(is_valid).unwrap_or(0));
        self
    }

    /// When another way up may be the best, after `now`; `None` if there is but one, or time changes nothing
    /// any more.
    #[must_use]
    pub fn changes_path_at(&self, now: Timestamp) -> Option<Timestamp> {
        let ways = Some(&self.paths).filter(|paths| paths.len() > 1)?;
        let ends = |to: Timestamp| to.checked_add(Duration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let times = ways.iter().map(CertificationPath::validity).flat_map(|(from, to)| [from, ends(to)]);
        times.filter(|time| *time > now).min()
    }

    fn take(&mut self, path: usize) {
        self.path = path;
        self.chain_pem = self.intermediates().iter().map(CaCertificate::to_pem).collect();
    }

    /// The same under another name.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self }
    }

    /// The same where more was found with it that can't be used.
    pub(crate) fn leaving_aside(mut self, more: impl Iterator<Item = String>) -> Self {
        self.left_aside.extend(more);
        self
    }

    /// The same with its root as the only anchor, as a pool in JSON has it.
    #[must_use]
    pub fn with_one_anchor(mut self) -> Self {
        let root = self.root().clone();
        let others = self.anchors.drain(..).filter(|anchor| *anchor != root);
        self.left_aside.extend(others.map(|other| {
            format!("{other} is a root, and a pool in JSON has one for each CA: pods won't trust it unless a CA of the pool has it")
        }));
        self.anchors.push(root);
        self
    }

    /// Its name within its pool.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key that signs.
    #[must_use]
    pub fn key(&self) -> &dyn CaKey {
        &*self.key
    }

    /// The certificate that belongs to the key: the root, or an intermediate.
    #[must_use]
    pub fn issuer(&self) -> &CaCertificate {
        self.intermediates().first().unwrap_or(self.root())
    }

    /// The root that ends the way.
    #[must_use]
    pub fn root(&self) -> &CaCertificate {
        // there is one at least, and `path` is one of them
        &self.paths[self.path].root
    }

    /// The trust anchors that are published for it: its root, and further ones that its operator has listed.
    #[must_use]
    pub fn anchors(&self) -> &[CaCertificate] {
        &self.anchors
    }

    /// What was found with it and isn't used, each with the reason.
    #[must_use]
    pub fn left_aside(&self) -> &[String] {
        &self.left_aside
    }

    /// What goes with each leaf: from the issuer upward, without the root.
    #[must_use]
    pub fn intermediates(&self) -> &[CaCertificate] {
        &self.paths[self.path].intermediates
    }

    /// The certificates of all ways up to a root, those of the way that is taken first.
    pub(crate) fn intermediates_to(&self, root: &CaCertificate) -> Vec<&CaCertificate> {
        let others = self.paths.iter().filter(|path| path.root == *root).flat_map(|path| &path.intermediates);
        let mut all: Vec<&CaCertificate> = Vec::new();
        for certificate in self.intermediates().iter().chain(others) {
            if !all.contains(&certificate) {
                all.push(certificate);
            }
        }
        all
    }

    /// All certificates of all ways up.
    pub fn certificates(&self) -> impl Iterator<Item = &CaCertificate> {
        self.paths.iter().flat_map(|path| path.intermediates.iter().chain([&path.root]))
    }

    /// Whether its root is another's: who trusts that root may trust no other, so only a CA under it can take
    /// its place unnoticed.
    #[must_use]
    pub fn is_intermediate(&self) -> bool {
        !self.intermediates().is_empty()
    }

    /// The issuer, what is above it, and the root.
    pub fn path(&self) -> impl Iterator<Item = &CaCertificate> {
        self.intermediates().iter().chain([self.root()])
    }

    /// The first second at which all certificates up to the root are valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.paths[self.path].validity().0
    }

    /// The last second at which all certificates up to the root are valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.paths[self.path].validity().1
    }

    /// The intermediates as PEM, as they follow the leaf.
    pub(crate) fn chain_pem(&self) -> &str {
        &self.chain_pem
    }
}

impl fmt::Display for CertificateAuthority {
    /// The public side: id, subject and fingerprint of the certificate that signs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.issuer();
        write!(f, "CA {:?} ({}, SHA-256 {})", self.id, issuer.subject(), issuer.fingerprint())
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A field that is added here must be looked at before it prints.
        let Self { id, key, paths: _, path: _, anchors: _, left_aside: _, chain_pem: _ } = self;
        f.debug_struct("CertificateAuthority")
            .field("id", id)
            .field("key", key)
            .field("intermediates", &self.intermediates())
            .field("root", self.root())
            .finish_non_exhaustive()
    }
}

/// The identifier of a key: the leftmost 160 bits of the SHA-256 of its SubjectPublicKey (RFC 7093 §2, method
/// 1).
pub(crate) fn key_identifier(spki: &[u8]) -> Vec<u8> {
    use der::Decode as _;
    let key = x509_cert::spki::SubjectPublicKeyInfoRef::from_der(spki);
    let key = key.as_ref().map_or(spki, |spki| spki.subject_public_key.raw_bytes());
    digest::digest(&digest::SHA256, key).as_ref()[..20].to_vec()
}

#[cfg(test)]
mod tests;

//! The ways from the certificate that signs up to a root.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use jiff::Timestamp;

use super::{
    AuthorityError, CaCertificate, CaKey,
    objections::Comparison,
    path_rules::{check_ca, check_key_length, check_listed, check_signature},
    verifying_key::VerifyingKey,
};

/// The certificates from the one that signs up to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CertificationPath {
    /// From the signing certificate upward, without the root; empty if the root itself signs.
    pub(super) intermediates: Vec<CaCertificate>,
    pub(super) root: CaCertificate,
}

/// Which roots are trust anchors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchors {
    /// Those on a path alone.
    OnPaths,
    /// All that can be: somebody has listed them as such. Where there are more than 32, it is a list of all
    /// that a machine trusts, and nobody meant to have each of those speak for the mesh.
    Listed,
}

/// The most roots that count as listed.
pub(crate) const MOST_LISTED_ROOTS: usize = 32;

/// What comes of a search.
#[derive(Debug)]
pub(super) struct Paths {
    /// The best first: see [`Paths::find`]. Never empty.
    pub(super) all: Vec<CertificationPath>,
    /// The trust anchors; those of the paths come first.
    pub(super) anchors: Vec<CaCertificate>,
    /// What was found and isn't needed, with the reason.
    pub(super) left_aside: Vec<String>,
}

/// webpki follows six intermediates; OpenSSL and Go follow more.
const MOST_INTERMEDIATES: usize = 6;

/// Signatures that are verified at most for one authority. Go and webpki have 100 for one chain, and a file may
/// have a CA's certificates of many years, each under several roots.
const MOST_SIGNATURES: usize = 1_000;

/// Certificates that are stepped on at most, on all ways together.
const MOST_STEPS: usize = 10_000;

/// Paths that are worth keeping at most: each begins before, or ends after, all others.
const MOST_PATHS: usize = 8;

impl Paths {
    /// Finds the ways from a certificate of the key to one of the roots, whatever the order of the
    /// certificates. Each certificate on them may be where it is.
    ///
    /// The best is the one that the fewest verifiers object to; among equals the one that is valid longest,
    /// which is the one that ends last; then the shortest; then the one whose bytes come first. Further ones
    /// are kept if they begin to be valid before the better ones do, or end after them.
    pub(super) fn find(
        key: &dyn CaKey,
        intermediates: Vec<CaCertificate>,
        roots: Vec<CaCertificate>,
        anchors: Anchors,
    ) -> Result<Self, AuthorityError> {
        let mut search = Search::new(intermediates, roots);
        search.climb_from_all(key)?;
        let ways = search.best();
        if ways.is_empty() {
            return Err(search.why_none());
        }
        let (found, listed) = (search.anchors(&ways, anchors), anchors);
        let left_aside = search.left_aside(&ways, &found, listed);
        let certificate = |index: &usize| search.all[*index].clone();
        let all = ways.iter().map(|way| CertificationPath {
            intermediates: way[..way.len() - 1].iter().map(certificate).collect(),
            root: certificate(&way[way.len() - 1]),
        });
        Ok(Self { all: all.collect(), anchors: found.iter().map(certificate).collect(), left_aside })
    }
}

impl CertificationPath {
    /// The first and the last second at which all of its certificates are valid; the first is later than the
    /// last if there is none.
    pub(super) fn validity(&self) -> (Timestamp, Timestamp) {
        validity(self.intermediates.iter().chain([&self.root]))
    }
}

fn validity<'a>(path: impl Iterator<Item = &'a CaCertificate>) -> (Timestamp, Timestamp) {
    path.map(CaCertificate::validity)
        .fold((Timestamp::MIN, Timestamp::MAX), |(from, to), (begin, end)| (from.max(begin), to.min(end)))
}

/// Positions in [`Search::all`], from the signing certificate up to the root.
type Way = Vec<usize>;

struct Search {
    /// All certificates there are, each once; those in front were given as roots.
    all: Vec<CaCertificate>,
    roots: usize,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
    /// Their order by their bytes, so that nothing depends on that in a file.
    rank: Vec<usize>,
    /// Signatures by (certificate, issuer).
    verified: HashMap<(usize, usize), Result<(), AuthorityError>>,
    steps: usize,
    ways: Vec<Way>,
    /// The first thing that went wrong.
    problem: Option<AuthorityError>,
}

impl Search {
    fn new(intermediates: Vec<CaCertificate>, roots: Vec<CaCertificate>) -> Self {
        let mut known = HashSet::new();
        let mut all: Vec<CaCertificate> = Vec::new();
        let mut add = |certificates: Vec<CaCertificate>| {
            all.extend(certificates.into_iter().filter(|one| known.insert(one.der().to_vec())));
            all.len()
        };
        let roots = add(roots);
        add(intermediates);
        let mut by_subject: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (index, certificate) in all.iter().enumerate() {
            by_subject.entry(certificate.subject_der().to_vec()).or_default().push(index);
        }
        let mut order: Vec<usize> = (0..all.len()).collect();
        order.sort_by_key(|index| all[*index].der());
        let mut rank = vec![0; all.len()];
        order.iter().enumerate().for_each(|(position, index)| rank[*index] = position);
        Self { all, roots, by_subject, rank, verified: HashMap::new(), steps: 0, ways: vec![], problem: None }
    }

    fn climb_from_all(&mut self, key: &dyn CaKey) -> Result<(), AuthorityError> {
        let public = VerifyingKey::from_spki(key.spki_der()).ok();
        let own: Vec<usize> =
            (0..self.all.len()).filter(|index| public.as_ref() == Some(&self.all[*index].key)).collect();
        if own.is_empty() {
            // no key of this type is loaded, so it can be nobody's for that reason alone
            self.all.iter().try_for_each(check_key_length)?;
            let certificates = list(&self.all);
            return Err(AuthorityError::KeyIsNobodys { key_type: key.key_type(), certificates });
        }
        own.into_iter().try_for_each(|start| self.climb(&mut vec![start]))
    }

    /// Follows all ways up from the last certificate of one. No way leads twice to the same name and key (RFC
    /// 4158 §2.4.2).
    fn climb(&mut self, way: &mut Way) -> Result<(), AuthorityError> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(AuthorityError::Tangled { most: MOST_STEPS, what: "steps" });
        }
        let (below, last) = (way.len() - 1, way[way.len() - 1]);
        if let Err(problem) = check_ca(&self.all[last], below) {
            self.note(problem);
            return Ok(());
        }
        if self.is_root(last)? {
            self.ways.push(way.clone());
            return Ok(());
        }
        if way.len() > MOST_INTERMEDIATES {
            self.note(AuthorityError::TooDeep { found: way.len(), most: MOST_INTERMEDIATES });
            return Ok(());
        }
        for issuer in self.issuers_of(last)? {
            let is_new = |before: &usize| !self.all[*before].vouches_for_the_same_as(&self.all[issuer]);
            if way.iter().all(is_new) {
                way.push(issuer);
                self.climb(way)?;
                way.pop();
            }
        }
        Ok(())
    }

    /// A trust anchor is self-signed: clients may take any of the published certificates as the end of the
    /// way.
    fn is_root(&mut self, index: usize) -> Result<bool, AuthorityError> {
        Ok(index < self.roots && self.all[index].is_self_issued() && self.verify(index, index)?.is_ok())
    }

    fn issuers_of(&mut self, index: usize) -> Result<Vec<usize>, AuthorityError> {
        let certificate = &self.all[index];
        let named = self.by_subject.get(certificate.issuer_der()).cloned().unwrap_or_default();
        let problem = match named.as_slice() {
            [] => Some(AuthorityError::Gap {
                certificate: certificate.to_string(),
                issuer: certificate.issuer(),
            }),
            // its own issuer, and not in front, so no root that counts
            [only] if *only == index && index >= self.roots => {
                Some(AuthorityError::NotListed { certificate: certificate.to_string() })
            }
            _ => None,
        };
        problem.into_iter().for_each(|problem| self.note(problem));
        let mut verified = Vec::new();
        let mut problem = None;
        for issuer in named {
            match self.verify(index, issuer)? {
                Ok(()) => verified.push(issuer),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        if let (true, Some(problem)) = (verified.is_empty(), problem) {
            self.note(problem);
        }
        Ok(verified)
    }

    fn verify(&mut self, index: usize, issuer: usize) -> Result<Result<(), AuthorityError>, AuthorityError> {
        if let Some(known) = self.verified.get(&(index, issuer)) {
            return Ok(known.clone());
        }
        if self.verified.len() >= MOST_SIGNATURES {
            return Err(AuthorityError::Tangled { most: MOST_SIGNATURES, what: "signatures" });
        }
        let verified = check_signature(&self.all[index], &self.all[issuer]);
        self.verified.insert((index, issuer), verified.clone());
        Ok(verified)
    }

    fn note(&mut self, problem: AuthorityError) {
        self.problem.get_or_insert(problem);
    }

    fn validity(&self, way: &Way) -> (Timestamp, Timestamp) {
        validity(way.iter().map(|index| &self.all[*index]))
    }

    /// The ways that are worth keeping, the best first.
    fn best(&self) -> Vec<Way> {
        let mut ways = self.ways.clone();
        let mut comparison = Comparison::default();
        ways.sort_by_cached_key(|way| {
            let (from, to) = self.validity(way);
            let ranks: Vec<usize> = way.iter().map(|index| self.rank[*index]).collect();
            let hindrances = comparison.hindrances(way, &self.all);
            (from > to, hindrances, Reverse(to), way.len(), from, ranks)
        });
        let mut kept: Vec<Way> = Vec::new();
        for way in ways {
            let (from, to) = self.validity(&way);
            let others = || kept.iter().map(|other| self.validity(other));
            let is_first = others().all(|(other, _)| from < other);
            let is_last = others().all(|(_, other)| to > other);
            let is_worth_keeping = from <= to && (is_first || is_last) && kept.len() < MOST_PATHS;
            if kept.is_empty() || is_worth_keeping {
                kept.push(way);
            }
        }
        kept
    }

    fn anchors(&self, ways: &[Way], anchors: Anchors) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for root in ways.iter().filter_map(|way| way.last()) {
            if !found.contains(root) {
                found.push(*root);
            }
        }
        if anchors == Anchors::Listed && self.listed() <= MOST_LISTED_ROOTS {
            let others = (0..self.roots).filter(|index| !found.contains(index));
            let mut others: Vec<usize> =
                others.filter(|index| check_listed(&self.all[*index]).is_ok()).collect();
            others.sort_by_key(|index| self.rank[*index]);
            found.extend(others);
        }
        found
    }

    fn listed(&self) -> usize {
        self.all[..self.roots].iter().filter(|root| root.is_self_issued()).count()
    }

    fn left_aside(&self, ways: &[Way], anchors: &[usize], listed: Anchors) -> Vec<String> {
        let is_needed = |index: &usize| anchors.contains(index) || ways.iter().any(|way| way.contains(index));
        let is_long = listed == Anchors::Listed && self.listed() > MOST_LISTED_ROOTS;
        let left = (0..self.all.len()).filter(|index| !is_needed(index));
        let left =
            left.filter(|index| !(is_long && *index < self.roots && self.all[*index].is_self_issued()));
        let mut told: Vec<String> = left
            .map(|index| {
                let certificate = &self.all[index];
                let was_listed = listed == Anchors::Listed && index < self.roots;
                match was_listed.then(|| check_listed(certificate)) {
                    Some(Err(problem)) => problem.to_string(),
                    _ => format!("{certificate} isn't needed: no path that this CA uses goes through it"),
                }
            })
            .collect();
        told.sort();
        let long = is_long.then(|| {
            format!(
                "of {} roots only those of this CA's own paths are published: so many are what a machine trusts, and {MOST_LISTED_ROOTS} are the most that a signer's pods are told to. Put the \
                 roots that pods shall trust into a file of their own",
                self.listed()
            )
        });
        long.into_iter().chain(told).collect()
    }

    fn why_none(self) -> AuthorityError {
        let roots = &self.all[..self.roots];
        match (roots.first(), self.problem) {
            (Some(first), _) if !roots.iter().any(CaCertificate::is_self_issued) => {
                AuthorityError::NoRoot { certificate: first.to_string(), issuer: first.issuer() }
            }
            (_, Some(problem)) => problem,
            (_, None) => AuthorityError::Circle { certificates: list(&self.all[self.roots..]) },
        }
    }
}

/// The first of them, for a message.
fn list(certificates: &[CaCertificate]) -> String {
    const NAMED: usize = 8;
    let named: Vec<String> = certificates.iter().take(NAMED).map(ToString::to_string).collect();
    let more = certificates.len().saturating_sub(NAMED);
    if more == 0 { named.join("; ") } else { format!("{}; and {more} more", named.join("; ")) }
}

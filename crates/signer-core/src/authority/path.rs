//! The way from the certificate that signs up to its root.

use std::collections::{BTreeSet, VecDeque};

use super::{AuthorityError, CaCertificate, SigningKey, SigningKeyType, verifying_key::VerifyingKey};

/// The certificates from the one that signs up to the root.
#[derive(Debug)]
pub(super) struct CertificationPath {
    /// From the signing certificate upward, without the root; empty if the root itself signs.
    pub(super) intermediates: Vec<CaCertificate>,
    pub(super) root: CaCertificate,
}

/// webpki follows six intermediates; OpenSSL and Go follow more.
const MOST_INTERMEDIATES: usize = 6;

impl CertificationPath {
    /// Finds the shortest way from a certificate of the key to one of the roots, whatever the order of the certificates, and
    /// checks that each on it may be where it is. Certificates that aren't on it are left aside.
    pub(super) fn find(
        key: &SigningKey,
        mut intermediates: Vec<CaCertificate>,
        roots: Vec<CaCertificate>,
    ) -> Result<Self, AuthorityError> {
        intermediates.retain(|certificate| !roots.contains(certificate));
        for root in &roots {
            check_root(root)?;
        }
        let candidates = Candidates { roots: roots.len(), all: [roots, intermediates].concat() };
        let mut path: Vec<CaCertificate> =
            candidates.search(key)?.into_iter().map(|index| candidates.all[index].clone()).collect();
        for (below, certificate) in path.iter().enumerate() {
            check_ca(certificate, below)?;
        }
        match path.pop() {
            Some(root) if path.len() <= MOST_INTERMEDIATES => Ok(Self { intermediates: path, root }),
            _ => Err(AuthorityError::TooDeep { found: path.len(), most: MOST_INTERMEDIATES }),
        }
    }
}

/// All certificates there are; those in front are the roots.
struct Candidates {
    all: Vec<CaCertificate>,
    roots: usize,
}

impl Candidates {
    /// Breadth first, so that the shortest way wins, and each certificate is visited once.
    fn search(&self, key: &SigningKey) -> Result<Vec<usize>, AuthorityError> {
        let mut ways: VecDeque<Vec<usize>> =
            self.certificates_of(key)?.into_iter().map(|start| vec![start]).collect();
        let mut visited: BTreeSet<usize> = ways.iter().flatten().copied().collect();
        let mut problem = None;
        while let Some(way) = ways.pop_front() {
            let Some(last) = way.last().copied().filter(|last| *last >= self.roots) else { return Ok(way) };
            match self.issuers_of(&self.all[last]) {
                Ok(issuers) => {
                    let unseen = issuers.into_iter().filter(|issuer| visited.insert(*issuer));
                    ways.extend(unseen.map(|issuer| [way.as_slice(), &[issuer]].concat()));
                }
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        Err(problem.unwrap_or(AuthorityError::Circle { certificates: list(&self.all[self.roots..]) }))
    }

    fn certificates_of(&self, key: &SigningKey) -> Result<Vec<usize>, AuthorityError> {
        let public = VerifyingKey::from_spki(key.spki_der()).ok();
        let own: Vec<usize> =
            (0..self.all.len()).filter(|index| public.as_ref() == Some(&self.all[*index].key)).collect();
        if own.is_empty() {
            return Err(AuthorityError::KeyIsNobodys {
                key_type: key.key_type(),
                certificates: list(&self.all),
            });
        }
        Ok(own)
    }

    fn issuers_of(&self, certificate: &CaCertificate) -> Result<Vec<usize>, AuthorityError> {
        let named: Vec<usize> =
            (0..self.all.len()).filter(|index| certificate.names_as_issuer(&self.all[*index])).collect();
        let Some(first) = named.first() else {
            return Err(AuthorityError::Gap {
                certificate: certificate.to_string(),
                issuer: certificate.issuer(),
            });
        };
        let (verified, other): (Vec<usize>, Vec<usize>) =
            named.iter().partition(|index| certificate.verify_signature(&self.all[**index]).is_ok());
        if verified.is_empty() && !other.is_empty() {
            check_signature(certificate, &self.all[*first])?;
        }
        Ok(verified)
    }
}

/// A trust anchor is self-signed: clients may take any of the published certificates as the end of the way.
fn check_root(root: &CaCertificate) -> Result<(), AuthorityError> {
    if !root.is_self_issued() {
        return Err(AuthorityError::NoRoot { certificate: root.to_string(), issuer: root.issuer() });
    }
    check_key_length(root)?;
    check_signature(root, root)
}

/// The rules of RFC 5280 §6.1.4 for a certificate with `below` CA certificates under it. Self-issued ones count too:
/// the RFC leaves them out, webpki doesn't.
fn check_ca(certificate: &CaCertificate, below: usize) -> Result<(), AuthorityError> {
    check_key_length(certificate)?;
    let name = || certificate.to_string();
    let not_a_ca = |found| Err(AuthorityError::NotACa { certificate: name(), found });
    let allowed = match &certificate.extensions.basic_constraints {
        None => return not_a_ca("it has no basicConstraints"),
        Some(constraints) if !constraints.ca => return not_a_ca("its basicConstraints say CA:FALSE"),
        Some(constraints) => constraints.path_len_constraint,
    };
    if certificate.extensions.key_usage.is_some_and(|usage| !usage.key_cert_sign()) {
        return Err(AuthorityError::MayNotSign { certificate: name() });
    }
    // a root of mesh-example's meshtool; `CertificateAuthority::caveat` says what it is worth
    let signs_as_root = below == 0 && certificate.is_self_issued();
    if certificate.has_empty_subject() && !signs_as_root {
        return Err(AuthorityError::NoSubject { certificate: name() });
    }
    match allowed {
        Some(allowed) if usize::from(allowed) < below => {
            Err(AuthorityError::PathTooLong { certificate: name(), allowed, found: below })
        }
        _ => Ok(()),
    }
}

fn check_key_length(certificate: &CaCertificate) -> Result<(), AuthorityError> {
    match certificate.key_type() {
        SigningKeyType::Rsa(bits) if usize::from(bits) < SigningKeyType::LEAST_RSA_BITS => {
            Err(AuthorityError::WeakKey { certificate: certificate.to_string(), bits })
        }
        _ => Ok(()),
    }
}

fn check_signature(certificate: &CaCertificate, issuer: &CaCertificate) -> Result<(), AuthorityError> {
    check_key_length(issuer)?;
    certificate.verify_signature(issuer).map_err(|reason| AuthorityError::Unverified {
        certificate: certificate.to_string(),
        issuer: issuer.to_string(),
        reason: reason.to_string(),
    })
}

fn list(certificates: &[CaCertificate]) -> String {
    certificates.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

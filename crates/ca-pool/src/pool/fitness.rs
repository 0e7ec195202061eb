//! Whether others would accept what the CAs of a pool sign: example leaves are issued from each, and verified
//! as a peer that uses rustls does. What rustls doesn't look at, and Go, OpenSSL or the API server do, is
//! looked up in the certificates.

mod anchors;
mod placement;
mod rustls;

use jiff::Timestamp;

pub use self::rustls::Rejection;
use self::{placement::Placed, rustls::verify};
use super::{CaPool, Phase};
use crate::{
    authority::{CaCertificate, CertificateAuthority, SerialNumber, objections},
    issuance::{IssueError, Terms, issue},
    leaf::{ANY_LABEL, ExtendedKeyUsage, Leaf},
    public_key::{EXAMPLE_P256_SPKI, PublicKey},
};

/// The most examples that are issued from one CA.
const MAX_EXAMPLES: usize = 100;

/// What others make of the CAs of one pool: [`CaPool::fitness`] finds it out once, and it holds as long as
/// the pool is in use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fitness {
    /// Of each authority, in the order of the pool.
    verdicts: Vec<Verdict>,
    /// What concerns several of the roots.
    anchors: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Verdict {
    /// Of each example.
    answers: Vec<Answer>,
    caveats: Vec<String>,
}

/// What becomes of a signer's leaves of one kind.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Accepted,
    /// Some are accepted, others refused.
    InPart(Objection),
    Refused(Objection),
}

/// Why a leaf is of no use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Objection {
    /// The CA's own constraints forbid it, so it isn't issued.
    #[error(transparent)]
    Forbidden(IssueError),
    /// It would be issued, and peers that use rustls refuse it.
    #[error(transparent)]
    Rejected(Rejection),
    /// The API server doesn't take the CA's certificates, neither as a trust anchor nor in a chain.
    #[error("{0}")]
    ApiServer(String),
}

impl Objection {
    /// Whether nothing reaches a pod.
    pub(super) fn is_outage(&self) -> bool {
        !matches!(self, Self::Rejected(_))
    }
}

impl CaPool {
    /// Issues these examples of a signer's leaves from each CA, verifies them, and looks into the
    /// certificates. Of a signer of which nothing is known (an empty list) the usual kinds are tried, and
    /// only what doesn't depend on names and purposes counts. Each example costs a signature of each CA: it
    /// is done once for a pool, where a thread may block.
    #[must_use]
    pub fn fitness(&self, examples: &[Leaf]) -> Fitness {
        let usual = usual_leaves();
        let (examples, is_known) = if examples.is_empty() { (&usual[..], false) } else { (examples, true) };
        let verdicts = self.authorities().map(|authority| match objections::api_server(authority) {
            // what verifiers would say of it is beside the point
            Some(problem) => {
                Verdict { answers: vec![Answer::Refused(Objection::ApiServer(problem))], caveats: Vec::new() }
            }
            None => {
                let examples = examples.iter().take(MAX_EXAMPLES);
                let answers = examples.map(|leaf| self.answer(authority, leaf, is_known)).collect();
                Verdict { answers, caveats: objections::caveats(authority) }
            }
        });
        Fitness { verdicts: verdicts.collect(), anchors: anchors::confusable(self, []) }
    }

    /// What is to be told of the pool's CAs at `now`, the gravest first.
    #[must_use]
    pub fn findings(&self, fitness: &Fitness, now: Timestamp) -> Vec<super::Finding> {
        let is_in_use = |phase: &Phase| matches!(phase, Phase::Active | Phase::Prepared(_));
        let phases = self.schedule().phases(now);
        let in_use = fitness.verdicts.iter().zip(&phases).filter(|(_, phase)| is_in_use(phase));
        let caveats = in_use.flat_map(|(verdict, _)| &verdict.caveats).chain(&fitness.anchors);
        let mut findings: Vec<_> = self
            .constraint_violations(fitness, now)
            .into_iter()
            .map(super::Finding::ConstraintViolation)
            .collect();
        for caveat in caveats.cloned().map(super::Finding::Caveat) {
            // CAs may share an intermediate or a root
            if !findings.contains(&caveat) {
                findings.push(caveat);
            }
        }
        findings
    }

    fn answer(&self, authority: &CertificateAuthority, leaf: &Leaf, is_known: bool) -> Answer {
        let Placed { leaf, forbidden } = match placement::placed(leaf, authority) {
            Ok(placed) => placed,
            Err(error) if is_known && is_of_the_authority(&error) => {
                return Answer::Refused(Objection::Forbidden(error));
            }
            Err(_) => return Answer::Accepted,
        };
        match self.verified(authority, &leaf) {
            Err(objection) => Answer::Refused(objection),
            Ok(()) => match forbidden.filter(|_| is_known) {
                Some(error) => Answer::InPart(Objection::Forbidden(error)),
                None => Answer::Accepted,
            },
        }
    }

    fn verified(&self, authority: &CertificateAuthority, leaf: &Leaf) -> Result<(), Objection> {
        let Ok(key) = PublicKey::from_pkix(&EXAMPLE_P256_SPKI) else { return Ok(()) };
        let terms = Terms {
            max_lifetime: Terms::LEAST_LIFETIME,
            clock_skew: std::time::Duration::ZERO,
            ..Terms::default()
        };
        // whether the CA is valid now is another question
        let at = authority.not_before();
        let leaf = Leaf { lifetime: None, ..leaf.clone() };
        match issue(&leaf, &key, &terms, authority, SerialNumber::from_random([1; 16]), at) {
            Ok(issued) => {
                verify(&leaf, &issued.leaf_der, authority, &self.roots(), at).map_err(Objection::Rejected)
            }
            Err(error) if is_of_the_authority(&error) => Err(Objection::Forbidden(error)),
            Err(_) => Ok(()),
        }
    }
}

/// Whether it is for the CA that nothing of the kind is issued, at no time.
fn is_of_the_authority(error: &IssueError) -> bool {
    matches!(
        error,
        IssueError::NameForbidden { .. } | IssueError::UsageForbidden { .. } | IssueError::Signing(_)
    )
}

impl Fitness {
    /// Whether verifiers accept some of what an authority would sign. Of one that isn't known it is assumed.
    pub(super) fn is_fit(&self, index: usize) -> bool {
        self.whole(index).is_none()
    }

    /// Whether some of what the authority at this position of the pool would sign reaches pods. Of one that
    /// isn't known it is assumed.
    #[must_use]
    pub fn is_of_use(&self, index: usize) -> bool {
        !self.whole(index).is_some_and(Objection::is_outage)
    }

    /// What speaks against all that an authority would sign.
    pub(super) fn whole(&self, index: usize) -> Option<&Objection> {
        let answers = &self.verdicts.get(index)?.answers;
        let refused = answers.iter().map(|answer| match answer {
            Answer::Refused(objection) => Some(objection),
            Answer::Accepted | Answer::InPart(_) => None,
        });
        let all: Vec<&Objection> = refused.collect::<Option<_>>()?;
        // what is issued, though rustls refuses it, may be of use to others
        all.iter().copied().find(|objection| !objection.is_outage()).or(all.first().copied())
    }

    /// What speaks against some of what an authority would sign: the first that keeps it from pods, and the
    /// first for which peers refuse it.
    pub(super) fn objections(&self, index: usize) -> Vec<&Objection> {
        let answers = self.verdicts.get(index).map_or(&[][..], |verdict| &verdict.answers);
        let objections = || {
            answers.iter().filter_map(|answer| match answer {
                Answer::InPart(objection) | Answer::Refused(objection) => Some(objection),
                Answer::Accepted => None,
            })
        };
        let first = |is_outage| objections().find(|objection| objection.is_outage() == is_outage);
        first(true).into_iter().chain(first(false)).collect()
    }

    /// The same with what is to be told of roots that are published beside those of the pool.
    #[must_use]
    pub fn beside<'a>(
        &self,
        pool: &'a CaPool,
        published: impl IntoIterator<Item = &'a CaCertificate>,
    ) -> Self {
        let anchors = anchors::confusable(pool, published);
        Self { anchors, ..self.clone() }
    }
}

/// What is tried where it isn't known what a signer issues.
fn usual_leaves() -> Vec<Leaf> {
    let usages = [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth];
    let dns = usages.map(|usage| Some(Leaf::new([usage]).dns_name(ANY_LABEL.parse().ok()?)));
    let uri = || format!("spiffe://{ANY_LABEL}/ns/{ANY_LABEL}/sa/{ANY_LABEL}").parse().ok();
    let uris = usages.map(|usage| Some(Leaf::new([usage]).uri(uri()?)));
    dns.into_iter().chain(uris).flatten().collect()
}

#[cfg(test)]
mod tests;

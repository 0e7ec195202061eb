//! CAs that are of no use for what their signer issues. Such a CA doesn't take over: those before it go on as
//! if it weren't there.

use jiff::Timestamp;

use super::{CaPool, Fitness, NoSigningCa, Objection, Phase, RootPublication, SigningCa};
use crate::authority::{CaCertificate, CertificateAuthority};

/// Something that is to be told of the CAs of a pool: to the log and `/readyz`, by `signerctl ca-pool show`
/// and by `signer-manager check-config`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A CA that is of no use for some of what its signer issues.
    #[error(transparent)]
    ConstraintViolation(ConstraintViolation),
    /// What some verifiers refuse, though others take it. The message names the certificate, the verifier,
    /// the rule and the remedy.
    #[error("{0}")]
    Caveat(String),
}

impl Finding {
    /// Whether a CA brings no certificate to any pod.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::ConstraintViolation(ConstraintViolation::Whole { objection, .. }) if objection.is_outage())
    }
}

/// That certificates of a CA are of no use, or some. The message names the CA, what forbids or refuses them,
/// and the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintViolation {
    /// None is of use.
    #[error(
        "{authority} {}: {objection}. {}eplace it with one that is of use (`signerctl ca-pool show` lists them, \
         `signerctl ca-pool import` adds another)",
        match objection {
            Objection::ApiServer(_) => "can sign nothing",
            Objection::Forbidden(_) => "can sign nothing that this signer issues",
            Objection::Rejected(_) => "has no certificate accepted by peers that use rustls, as pod-credentials does",
        },
        if *has_others { "Other CAs of the pool sign in its place as long as they can, so keep them; r" } else { "R" }
    )]
    Whole {
        /// The CA.
        authority: String,
        /// Whether the pool has others, which sign in its place.
        has_others: bool,
        /// What forbids or refuses what.
        objection: Objection,
    },
    /// Some aren't: requests for them wait, or peers refuse them.
    #[error(
        "{authority} {}: {objection}. Replace it with one that is of use for all \
         (`signerctl ca-pool show` lists them, `signerctl ca-pool import` adds another), or change what the signer issues",
         if objection.is_outage() { "can't sign all that this signer issues, and requests for the rest wait" } else { "has certificates refused by peers that use rustls, as pod-credentials does" }
    )]
    Part {
        /// The CA.
        authority: String,
        /// What forbids or refuses what.
        objection: Objection,
    },
}

impl CaPool {
    /// Which of those CAs that sign, or are to sign, are of no use for some of what the signer issues; the
    /// gravest first.
    #[must_use]
    pub fn constraint_violations(&self, fitness: &Fitness, now: Timestamp) -> Vec<ConstraintViolation> {
        let phases = self.schedule().phases(now);
        let signs = |phase: &Phase| matches!(phase, Phase::Active | Phase::Prepared(Some(_)));
        let signing = phases.iter().enumerate().filter(|(_, phase)| signs(phase));
        let mut constraint_violations: Vec<ConstraintViolation> = signing
            .flat_map(|(index, _)| {
                let authority = self.authority(index).to_string();
                match fitness.whole(index) {
                    Some(objection) => {
                        let has_others = self
                            .circles(fitness)
                            .iter()
                            .any(|circle| circle.iter().any(|other| *other != index));
                        vec![ConstraintViolation::Whole {
                            authority,
                            has_others,
                            objection: objection.clone(),
                        }]
                    }
                    None => {
                        let part = |objection: &Objection| ConstraintViolation::Part {
                            authority: authority.clone(),
                            objection: objection.clone(),
                        };
                        fitness.objections(index).into_iter().map(part).collect()
                    }
                }
            })
            .collect();
        constraint_violations.sort_by_key(|constraint_violation| match constraint_violation {
            ConstraintViolation::Whole { objection, .. } if objection.is_outage() => 0,
            ConstraintViolation::Whole { .. } => 1,
            ConstraintViolation::Part { .. } => 2,
        });
        constraint_violations
    }

    /// The authorities of which something reaches pods, whether peers that use rustls accept it or not.
    pub fn of_use<'a>(&'a self, fitness: &'a Fitness) -> impl Iterator<Item = &'a CertificateAuthority> {
        self.positions(|index| fitness.is_of_use(index)).into_iter().map(|index| self.authority(index))
    }

    /// As [`choose`](Self::choose), among those authorities that are fit. One that is fit for some peers
    /// alone signs where no other can; where none is of use, one is chosen all the same: whoever issues says
    /// what is wrong with it.
    ///
    /// # Errors
    /// If none may sign.
    pub fn choose_for(
        &self,
        fitness: &Fitness,
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Result<SigningCa, NoSigningCa> {
        let [fit, of_use] = self.circles(fitness);
        if of_use.is_empty() {
            return self.choose(now, publication);
        }
        let best = self.choose_among(&of_use, now, &publication);
        if fit.is_empty() || fit == of_use {
            return best;
        }
        let fit = self.choose_among(&fit, now, &publication);
        let aptitude = |choice: &Result<SigningCa, NoSigningCa>| match choice {
            Ok(choice) => self.aptitude(choice, now, &publication),
            Err(_) => Aptitude::None,
        };
        if aptitude(&fit) > Aptitude::None && aptitude(&fit) >= aptitude(&best) { fit } else { best }
    }

    /// The roots that have to be trusted at `now`: all but those of authorities that nothing needs any more, as
    /// `publication` tells it.
    #[must_use]
    pub fn needed_roots(
        &self,
        fitness: &Fitness,
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Vec<&CaCertificate> {
        let ids = self.removable_as_published(now, &publication).into_iter().map(str::to_owned).collect();
        let unneeded = self.expendable(ids, fitness, now, publication);
        let needing =
            || self.authorities().filter(|authority| unneeded.iter().all(|id| id != authority.id()));
        let is_needed = |root: &CaCertificate| needing().any(|authority| authority.anchors().contains(root));
        self.roots().into_iter().filter(|root| is_needed(root)).collect()
    }

    /// Which of these IDs nothing needs any more, also where the CAs that aren't fit don't count: those
    /// before one go on in its place, until the next that is fit takes over.
    #[must_use]
    pub fn expendable(
        &self,
        ids: Vec<String>,
        fitness: &Fitness,
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Vec<String> {
        let is_needed_in = |circle: &[usize], id: &str| {
            let schedule = self.schedule().among(circle);
            let publication = |index: usize| publication(self.authority(circle[index]).root());
            let position = circle.iter().position(|index| self.authority(*index).id() == id);
            position.is_some_and(|index| {
                let trusted_until = schedule.trusted_until(index, now, publication);
                now <= schedule.windows()[index].not_after && trusted_until.is_none_or(|until| now < until)
            })
        };
        let circles = self.circles(fitness);
        let is_needed = |id: &String| circles.iter().any(|circle| is_needed_in(circle, id));
        ids.into_iter().filter(|id| !is_needed(id)).collect()
    }

    /// The positions of those that are fit, and of those that are of use.
    fn circles(&self, fitness: &Fitness) -> [Vec<usize>; 2] {
        [self.positions(|index| fitness.is_fit(index)), self.positions(|index| fitness.is_of_use(index))]
    }

    fn positions(&self, includes: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.members.len()).filter(|index| includes(*index)).collect()
    }

    /// As if the pool had these alone.
    fn choose_among(
        &self,
        circle: &[usize],
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Result<SigningCa, NoSigningCa> {
        let schedule = self.schedule().among(circle);
        let choice = schedule.signing_ca(now, |index| publication(self.authority(circle[index]).root()))?;
        Ok(SigningCa { index: circle[choice.index], ..choice })
    }

    fn aptitude(
        &self,
        choice: &SigningCa,
        now: Timestamp,
        publication: impl Fn(&CaCertificate) -> RootPublication,
    ) -> Aptitude {
        let authority = self.authority(choice.index);
        if !choice.can_sign(authority.not_before(), now) {
            Aptitude::None
        } else if publication(authority.root()).is_known(now) {
            Aptitude::Known
        } else {
            Aptitude::Signs
        }
    }
}

/// How apt a CA is that was chosen.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Aptitude {
    /// It can't sign now.
    None,
    /// It can, and some pods may not know its root.
    Signs,
    /// It can, and all pods know its root.
    Known,
}

#[cfg(test)]
mod tests;

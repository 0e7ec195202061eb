//! CAs that are of no use for what their signer issues. Such a CA doesn't take over: those before it go on as
//! if it weren't there.

use jiff::Timestamp;

use super::{
    CaPool, Choice, Fitness, NoChoice, Objection, Phase, Standing, Tenure, choice::is_over, choose, phases,
};
use crate::authority::{CaCertificate, CertificateAuthority};

/// Something that is to be told of the CAs of a pool: to the log and `/readyz`, by `signerctl ca-pool show`
/// and by `signer-manager check-config`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A CA that is of no use for some of what its signer issues.
    #[error(transparent)]
    Misfit(Misfit),
    /// What some verifiers refuse, though others take it. The message names the certificate, the verifier,
    /// the rule and the remedy.
    #[error("{0}")]
    Caveat(String),
}

impl Finding {
    /// Whether a CA brings no certificate to any pod.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Misfit(Misfit::Whole { objection, .. }) if objection.is_outage())
    }
}

/// That certificates of a CA are of no use, or some. The message names the CA, what forbids or refuses them,
/// and the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
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
    pub fn misfits(&self, fitness: &Fitness, now: Timestamp) -> Vec<Misfit> {
        let phases = phases(&self.tenures(), now);
        let signs = |phase: &Phase| matches!(phase, Phase::Active | Phase::Trusted(Some(_)));
        let signing = phases.iter().enumerate().filter(|(_, phase)| signs(phase));
        let mut misfits: Vec<Misfit> = signing
            .flat_map(|(index, _)| {
                let authority = self.authority(index).to_string();
                match fitness.whole(index) {
                    Some(objection) => {
                        let has_others = self
                            .circles(fitness)
                            .iter()
                            .any(|circle| circle.iter().any(|other| *other != index));
                        vec![Misfit::Whole { authority, has_others, objection: objection.clone() }]
                    }
                    None => {
                        let part = |objection: &Objection| Misfit::Part {
                            authority: authority.clone(),
                            objection: objection.clone(),
                        };
                        fitness.objections(index).into_iter().map(part).collect()
                    }
                }
            })
            .collect();
        misfits.sort_by_key(|misfit| match misfit {
            Misfit::Whole { objection, .. } if objection.is_outage() => 0,
            Misfit::Whole { .. } => 1,
            Misfit::Part { .. } => 2,
        });
        misfits
    }

    /// The authorities of which something reaches pods, whether peers that use rustls accept it or not.
    pub fn of_use<'a>(&'a self, fitness: &'a Fitness) -> impl Iterator<Item = &'a CertificateAuthority> {
        self.positions(|index| fitness.is_of_use(index)).into_iter().map(|index| self.authority(index))
    }

    /// As [`choose`](Self::choose), among those authorities that are fit. One that is fit for some peers alone
    /// signs where no other can; where none is of use, one is chosen all the same: whoever issues says what is
    /// wrong with it.
    ///
    /// # Errors
    /// If none may sign.
    pub fn choose_for(
        &self,
        fitness: &Fitness,
        now: Timestamp,
        standing: impl Fn(&CaCertificate) -> Standing,
    ) -> Result<Choice, NoChoice> {
        let [fit, of_use] = self.circles(fitness);
        if of_use.is_empty() {
            return self.choose(now, standing);
        }
        let best = self.choose_among(&of_use, now, &standing);
        if fit.is_empty() || fit == of_use {
            return best;
        }
        let fit = self.choose_among(&fit, now, &standing);
        let aptitude = |choice: &Result<Choice, NoChoice>| match choice {
            Ok(choice) => self.aptitude(choice, now, &standing),
            Err(_) => Aptitude::None,
        };
        if aptitude(&fit) > Aptitude::None && aptitude(&fit) >= aptitude(&best) { fit } else { best }
    }

    /// Which of these IDs nothing needs any more, also where the CAs that aren't fit don't count: those before
    /// one go on in its place, until the next that is fit takes over.
    #[must_use]
    pub fn expendable(
        &self,
        ids: Vec<String>,
        fitness: &Fitness,
        now: Timestamp,
        standing: impl Fn(&CaCertificate) -> Standing,
    ) -> Vec<String> {
        let is_needed_in = |circle: &[usize], id: &str| {
            let tenures = self.tenures_of(circle);
            let standing = |index: usize| standing(self.authority(circle[index]).root());
            let position = circle.iter().position(|index| self.authority(*index).id() == id);
            position.is_some_and(|index| {
                now <= tenures[index].not_after && !is_over(&tenures, index, now, standing)
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

    fn tenures_of(&self, circle: &[usize]) -> Vec<Tenure> {
        let of_all = self.tenures();
        circle.iter().map(|index| of_all[*index]).collect()
    }

    /// As if the pool had these alone.
    fn choose_among(
        &self,
        circle: &[usize],
        now: Timestamp,
        standing: impl Fn(&CaCertificate) -> Standing,
    ) -> Result<Choice, NoChoice> {
        let choice =
            choose(&self.tenures_of(circle), now, |index| standing(self.authority(circle[index]).root()))?;
        Ok(Choice { index: circle[choice.index], ..choice })
    }

    fn aptitude(
        &self,
        choice: &Choice,
        now: Timestamp,
        standing: impl Fn(&CaCertificate) -> Standing,
    ) -> Aptitude {
        let authority = self.authority(choice.index);
        if !choice.can_sign(authority.not_before(), now) {
            Aptitude::None
        } else if standing(authority.root()).is_known(now) {
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

//! CAs that are of no use for what their signer issues. Such a CA doesn't take over: those before it go on as
//! if it weren't there.

use jiff::Timestamp;

use super::{CaPool, Choice, Fitness, NoChoice, Objection, Phase, Standing, choose, phases};
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
        "{authority} {}: {objection}. Other CAs of the pool sign in its place as long as they can, so keep them; replace it with \
         one that is of use (`signerctl ca-pool show` lists them, `signerctl ca-pool import` adds another)",
         if objection.is_outage() { "can sign nothing that this signer issues" } else { "has no certificate accepted by peers that use rustls, as pod-credentials does" }
    )]
    Whole {
        /// The CA.
        authority: String,
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
                    Some(objection) => vec![Misfit::Whole { authority, objection: objection.clone() }],
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

    /// The authorities of which some of what they would sign is of use.
    pub fn fit<'a>(&'a self, fitness: &'a Fitness) -> impl Iterator<Item = &'a CertificateAuthority> {
        self.authorities()
            .enumerate()
            .filter(|(index, _)| fitness.is_fit(*index))
            .map(|(_, authority)| authority)
    }

    /// As [`choose`](Self::choose), among those authorities that are fit. Where none is, one of the others is
    /// chosen: whoever issues says what is wrong with it.
    ///
    /// # Errors
    /// If none may sign.
    pub fn choose_for(
        &self,
        fitness: &Fitness,
        now: Timestamp,
        standing: impl Fn(&CaCertificate) -> Standing,
    ) -> Result<Choice, NoChoice> {
        let of_all = self.tenures();
        let fit: Vec<usize> = (0..of_all.len()).filter(|index| fitness.is_fit(*index)).collect();
        if fit.is_empty() {
            return self.choose(now, standing);
        }
        let tenures: Vec<_> = fit.iter().map(|index| of_all[*index]).collect();
        let choice = choose(&tenures, now, |index| standing(self.authority(fit[index]).root()))?;
        Ok(Choice { index: fit[choice.index], ..choice })
    }

    /// Whether one is left that is fit when the ones of these IDs are gone; or none is now either.
    pub(crate) fn has_others_that_fit(&self, ids: &[String], fitness: &Fitness) -> bool {
        let is_left = |authority: &CertificateAuthority| ids.iter().all(|id| id != authority.id());
        self.fit(fitness).next().is_none() || self.fit(fitness).any(is_left)
    }
}

#[cfg(test)]
#[path = "misfit_tests.rs"]
mod tests;

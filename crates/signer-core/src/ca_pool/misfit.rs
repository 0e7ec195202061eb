//! CAs whose constraints forbid what their signer issues. Such a CA doesn't take over: those before it go on as if it weren't there.

use jiff::Timestamp;

use super::{CaPool, Choice, NoChoice, Phase, Standing, choose, phases};
use crate::{
    authority::{CaCertificate, CertificateAuthority},
    issue::{IssueError, Refused, foresee},
    profile::LeafProfile,
};

/// What the constraints of a CA, or of a certificate above it, forbid of what its signer issues. The message names the CA, the constraint, what it forbids and the remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// All of it.
    #[error(
        "{authority} can sign nothing that this signer issues: {objection}. Other CAs of the pool sign in its place as long as they can, so keep them; replace it with \
         one whose constraints permit that (`signerctl ca-pool show` lists them, `signerctl ca-pool import` adds another)"
    )]
    Whole {
        /// The CA.
        authority: String,
        /// What forbids what.
        objection: IssueError,
    },
    /// A part of it: those requests wait.
    #[error(
        "{authority} can't sign all that this signer issues: {objection}. Requests for what is forbidden wait. Replace it with one whose constraints permit that \
         (`signerctl ca-pool show` lists them, `signerctl ca-pool import` adds another), or change what the signer issues"
    )]
    Part {
        /// The CA.
        authority: String,
        /// What forbids what.
        objection: IssueError,
    },
}

impl CaPool {
    /// What constraints of those CAs that sign, or are to sign, forbid of the leaves of these profiles; the gravest first.
    #[must_use]
    pub fn misfits(&self, profiles: &[LeafProfile], now: Timestamp) -> Vec<Misfit> {
        let phases = phases(&self.tenures(), now);
        let signs = |phase: &Phase| matches!(phase, Phase::Active | Phase::Trusted(Some(_)));
        let signing = self.authorities().zip(phases).filter(|(_, phase)| signs(phase));
        let mut misfits: Vec<Misfit> =
            signing.filter_map(|(authority, _)| misfit(authority, profiles)).collect();
        misfits.sort_by_key(|misfit| matches!(misfit, Misfit::Part { .. }));
        misfits
    }

    /// The authorities that can sign at least some leaf of these profiles.
    pub fn fit<'a>(&'a self, profiles: &'a [LeafProfile]) -> impl Iterator<Item = &'a CertificateAuthority> {
        self.authorities().filter(|authority| is_fit(authority, profiles))
    }

    /// As [`choose`](Self::choose), among those authorities that can sign leaves of these profiles. Where none can, one of the others is chosen: whoever issues says what
    /// is wrong with it.
    ///
    /// # Errors
    /// If none may sign.
    pub fn choose_for(
        &self,
        profiles: &[LeafProfile],
        now: Timestamp,
        standing: impl Fn(&CaCertificate) -> Standing,
    ) -> Result<Choice, NoChoice> {
        let of_all = self.tenures();
        let fit: Vec<usize> =
            (0..of_all.len()).filter(|index| is_fit(self.authority(*index), profiles)).collect();
        if fit.is_empty() {
            return self.choose(now, standing);
        }
        let tenures: Vec<_> = fit.iter().map(|index| of_all[*index]).collect();
        let choice = choose(&tenures, now, |index| standing(self.authority(fit[index]).root()))?;
        Ok(Choice { index: fit[choice.index], ..choice })
    }

    /// Whether one is left that can sign leaves of these profiles when the ones of these IDs are gone; or none can now either.
    pub(crate) fn has_others_that_fit(&self, ids: &[String], profiles: &[LeafProfile]) -> bool {
        let is_left = |authority: &CertificateAuthority| ids.iter().all(|id| id != authority.id());
        self.fit(profiles).next().is_none() || self.fit(profiles).any(is_left)
    }
}

fn is_fit(authority: &CertificateAuthority, profiles: &[LeafProfile]) -> bool {
    !matches!(foresee(profiles, authority), Some(Refused::All(_)))
}

fn misfit(authority: &CertificateAuthority, profiles: &[LeafProfile]) -> Option<Misfit> {
    let name = authority.to_string();
    Some(match foresee(profiles, authority)? {
        Refused::All(objection) => Misfit::Whole { authority: name, objection },
        Refused::Some(objection) => Misfit::Part { authority: name, objection },
    })
}

#[cfg(test)]
#[path = "misfit_tests.rs"]
mod tests;

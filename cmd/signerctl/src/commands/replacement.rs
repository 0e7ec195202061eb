//! Who signs once a pool is changed, by the same choice that the controller makes.

use ca_pool::{
    BUNDLE_PROPAGATION, CaCertificate, CaPool, NoSigningCa, Phase, RootPublication, SigningCa, Terms,
};
use jiff::Timestamp;

use crate::{
    report::outlook::name,
    text::times::{later, minute_from_now},
};

/// What comes after a change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Following {
    /// Whether pods notice it.
    pub(crate) breaks: bool,
    /// Who signs, in a sentence.
    pub(crate) text: String,
}

/// What pods know before a change.
pub(crate) struct Before {
    published: Vec<CaCertificate>,
    known: Vec<CaCertificate>,
    active: Vec<String>,
    now: Timestamp,
}

impl Before {
    /// Of a root whose CA is only prepared nobody here can tell how long it has been published, so it
    /// doesn't count as known.
    pub(crate) fn of(pool: &CaPool, now: Timestamp) -> Self {
        let phases = pool.schedule().phases(now);
        let all = || pool.authorities().zip(&phases);
        let is_known = |phase: &Phase| !matches!(phase, Phase::Prepared(Some(_)) | Phase::Removable);
        Self {
            published: pool.roots().into_iter().cloned().collect(),
            known: all()
                .filter(|(_, phase)| is_known(phase))
                .map(|(authority, _)| authority.root().clone())
                .collect(),
            active: all()
                .filter(|(_, phase)| **phase == Phase::Active)
                .map(|(authority, _)| authority.id().to_owned())
                .collect(),
            now,
        }
    }

    /// Who signs if the pool becomes this one now, and its bundle with it.
    pub(crate) fn followed_by(&self, changed: &CaPool) -> Following {
        match self.choice_at(changed, self.now) {
            Ok(choice) if self.can_sign(changed, choice) => self.signed_by(changed, choice.index),
            Ok(choice) => breaking(format!(
                "No certificates are issued: {} can't sign any that lives for an hour from now, and no other CA can.",
                name(changed.authority(choice.index).id())
            )),
            Err(NoSigningCa::Spreading { known }) => breaking(format!(
                "No certificates are issued until {}: the CA that signs then isn't known to all pods before, and no other can.",
                minute_from_now(known, self.now)
            )),
            Err(other) => breaking(format!("No certificates are issued: {other}.")),
        }
    }

    fn signed_by(&self, changed: &CaPool, index: usize) -> Following {
        let authority = changed.authority(index);
        let first = name(authority.id());
        let known = later(self.now, BUNDLE_PROPAGATION);
        let at_the_latest = minute_from_now(known, self.now);
        if !self.known.contains(authority.root()) {
            let exception = if self.published.contains(authority.root()) {
                ", and not at all where it has been published for 15 minutes"
            } else {
                ""
            };
            return breaking(format!(
                "{first} signs at once. Pods that don't have its root yet refuse its certificates: until {at_the_latest} at the latest{exception}."
            ));
        }
        let text = match self.choice_at(changed, known) {
            Ok(then) if then.index != index => format!(
                "{first}, which pods still trust, signs until they know {}: until {at_the_latest} at the latest.",
                name(changed.authority(then.index).id())
            ),
            _ if self.active.iter().any(|active| active == authority.id()) => {
                format!("{first} signs already, and goes on.")
            }
            _ => format!("{first}, which pods still trust, signs at once."),
        };
        Following { breaks: false, text }
    }

    fn choice_at(&self, changed: &CaPool, at: Timestamp) -> Result<SigningCa, NoSigningCa> {
        let since = |root: &CaCertificate| if self.known.contains(root) { Timestamp::MIN } else { self.now };
        changed.choose(at, |root| RootPublication::Since(since(root)))
    }

    fn can_sign(&self, changed: &CaPool, choice: SigningCa) -> bool {
        let is_valid = changed.authority(choice.index).not_before() <= self.now;
        is_valid && later(self.now, Terms::LEAST_LIFETIME) <= choice.leaves_end
    }
}

fn breaking(text: String) -> Following {
    Following { breaks: true, text }
}

//! What is ready, and what is wrong, signer by signer. `/readyz` shows it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::signer_name::SignerName;

/// Something that a signer needs in order to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Component {
    /// The APIs that the cluster serves.
    Api,
    /// The watch of requests.
    PodCertificateRequests,
    /// The watch of pods that start.
    Pods,
    /// The watch of Services.
    Services,
    /// A CA that can sign.
    CertificateAuthority,
    /// The watch of the bundle.
    ClusterTrustBundles,
    /// The published trust anchors.
    TrustBundle,
    /// The permission to write outcomes.
    Status,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "the certificates.k8s.io API",
            Self::PodCertificateRequests => "PodCertificateRequests",
            Self::Pods => "pods",
            Self::Services => "Services",
            Self::CertificateAuthority => "the certificate authority",
            Self::ClusterTrustBundles => "ClusterTrustBundles",
            Self::TrustBundle => "the trust bundle",
            Self::Status => "the outcome of requests",
        })
    }
}

/// The health of all signers of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<Mutex<BTreeMap<SignerName, State>>>);

/// The health of one signer.
#[derive(Clone, Debug)]
pub(crate) struct SignerHealth {
    all: Health,
    signer: SignerName,
}

#[derive(Debug, Default)]
struct State {
    problems: BTreeMap<Component, String>,
    warnings: BTreeMap<Component, String>,
    was_ready: bool,
}

/// A moment's view: for each signer what keeps it from serving, if anything does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Whether `/readyz` answers 200.
    pub(crate) is_ready: bool,
    /// The signers, by name.
    pub(crate) signers: Vec<SignerReport>,
}

/// A moment's view of one signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignerReport {
    pub(crate) name: SignerName,
    /// What keeps it from serving.
    pub(crate) problems: Vec<String>,
    /// What is wrong, though it serves.
    pub(crate) warnings: Vec<String>,
}

impl Health {
    /// Adds a signer that needs these components; none of them is there yet.
    pub(crate) fn signer(&self, signer: &SignerName, needs: &[Component]) -> SignerHealth {
        let problems =
            needs.iter().map(|component| (*component, format!("waiting for {component}"))).collect();
        self.lock().insert(signer.clone(), State { problems, ..State::default() });
        SignerHealth { all: self.clone(), signer: signer.clone() }
    }

    /// Ready once each signer has been ready once, so that a bad rollout stops; and from then on as long as one is, so that one signer's trouble
    /// doesn't take the others down with it.
    pub(crate) fn report(&self) -> Report {
        let states = self.lock();
        let all_were_ready = states.values().all(|state| state.was_ready);
        let one_is_ready = states.values().any(|state| state.problems.is_empty());
        let signers = states.iter().map(|(name, state)| SignerReport {
            name: name.clone(),
            problems: state.problems.values().cloned().collect(),
            warnings: state.warnings.values().cloned().collect(),
        });
        Report { is_ready: all_were_ready && one_is_ready, signers: signers.collect() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SignerName, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignerHealth {
    /// Notes that a component works, and says so if it didn't.
    pub(crate) fn mended(&self, component: Component) {
        self.works(component, None);
    }

    /// Notes that something is wrong with a component that works all the same, and says so if that is news.
    pub(crate) fn warned(&self, component: Component, warning: &str) {
        self.works(component, Some(warning));
    }

    fn works(&self, component: Component, warning: Option<&str>) {
        let mut states = self.all.lock();
        let Some(state) = states.get_mut(&self.signer) else { return };
        let before = match warning {
            Some(warning) => state.warnings.insert(component, warning.to_owned()),
            None => state.warnings.remove(&component),
        };
        match warning {
            Some(warning) if before.as_deref() != Some(warning) => {
                tracing::warn!(signer = %self.signer, "{warning}");
            }
            None if before.is_some() => tracing::info!(signer = %self.signer, "{component}: in order again"),
            _ => {}
        }
        if state.problems.remove(&component).is_none() {
            return;
        }
        if state.problems.is_empty() {
            state.was_ready = true;
            tracing::info!(signer = %self.signer, "ready");
        } else {
            tracing::debug!(signer = %self.signer, "{component}: working");
        }
    }

    /// Notes what is wrong with a component, and says so if that is news.
    pub(crate) fn broken(&self, component: Component, problem: &str) {
        let mut states = self.all.lock();
        let Some(state) = states.get_mut(&self.signer) else { return };
        state.warnings.remove(&component);
        let before = state.problems.insert(component, problem.to_owned());
        if before.as_deref() != Some(problem) {
            tracing::warn!(signer = %self.signer, "not ready: {problem}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> (Health, SignerHealth, SignerHealth) {
        let health = Health::default();
        let needs = [Component::PodCertificateRequests, Component::CertificateAuthority];
        let a = health.signer(&"example.com/a".parse().unwrap(), &needs);
        let b = health.signer(&"example.com/b".parse().unwrap(), &needs);
        (health, a, b)
    }

    fn mend(signer: &SignerHealth) {
        signer.mended(Component::PodCertificateRequests);
        signer.mended(Component::CertificateAuthority);
    }

    #[test]
    fn ready_when_each_has_been_ready_once() {
        let (health, a, b) = two();
        mend(&a);
        assert!(!health.report().is_ready);
        mend(&b);
        assert!(health.report().is_ready);
    }

    #[test]
    fn later_unready_only_when_none_is() {
        let (health, a, b) = two();
        mend(&a);
        mend(&b);
        a.broken(Component::CertificateAuthority, "the pool is gone");
        assert!(health.report().is_ready);
        b.broken(Component::CertificateAuthority, "so is this one");
        assert!(!health.report().is_ready);
        b.mended(Component::CertificateAuthority);
        assert!(health.report().is_ready);
    }

    #[test]
    fn a_component_that_works_with_a_warning_is_ready() {
        let (health, a, b) = two();
        mend(&b);
        a.mended(Component::PodCertificateRequests);
        a.warned(Component::CertificateAuthority, "the file is broken");
        assert!(health.report().is_ready);
        assert_eq!(health.report().signers[0].warnings, ["the file is broken"]);
        a.mended(Component::CertificateAuthority);
        assert!(health.report().signers[0].warnings.is_empty());
    }

    #[test]
    fn a_signer_that_is_not_ready_is_named_with_its_reason() {
        let (health, a, _) = two();
        a.broken(Component::CertificateAuthority, "the pool is gone");
        let report = health.report();
        assert_eq!(report.signers[0].name.as_str(), "example.com/a");
        assert_eq!(report.signers[0].problems, ["waiting for PodCertificateRequests", "the pool is gone"]);
    }
}

//! What is ready, and what is wrong, signer by signer. `/readyz` shows it.

mod component;
mod ended_tasks;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use self::{
    component::Component,
    ended_tasks::{EndedTasks, TaskEnd, TaskOutcome},
};
use ca_pool::names::SignerName;

/// Whether a signer serves in spite of what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It doesn't.
    Error,
    /// It does.
    Warning,
}

impl Severity {
    /// As it is named in metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something that is wrong with a component of a signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) signer: SignerName,
    pub(crate) component: Component,
    pub(crate) severity: Severity,
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
    note: Option<String>,
    was_ready: bool,
}

/// A moment's view: for each signer what keeps it from serving, if anything does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Whether each signer has been ready once, and one is now.
    pub(crate) is_ready: bool,
    /// The signers, by name.
    pub(crate) signers: Vec<SignerReport>,
}

impl Report {
    /// Whether the process is ready: a background task that has ended takes it along.
    pub(crate) fn is_ready_with(&self, ended: &[TaskEnd]) -> bool {
        self.is_ready && ended.is_empty()
    }
}

/// A moment's view of one signer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignerReport {
    pub(crate) name: SignerName,
    /// What keeps it from serving.
    pub(crate) problems: Vec<String>,
    /// What is wrong, though it serves.
    pub(crate) warnings: Vec<String>,
    /// What its operator has settled for now and should not forget: deny rules.
    pub(crate) notes: Vec<String>,
}

impl Health {
    /// Adds a signer that needs these components; none of them is there yet.
    pub(crate) fn signer(&self, signer: &SignerName, needs: &[Component]) -> SignerHealth {
        let problems =
            needs.iter().map(|component| (*component, format!("waiting for {component}"))).collect();
        self.lock().insert(signer.clone(), State { problems, ..State::default() });
        SignerHealth { all: self.clone(), signer: signer.clone() }
    }

    /// Ready once each signer has been ready once, so that a bad rollout stops; and from then on as long as
    /// one is, so that one signer's trouble doesn't take the others down with it.
    pub(crate) fn report(&self) -> Report {
        let states = self.lock();
        let all_were_ready = states.values().all(|state| state.was_ready);
        let one_is_ready = states.values().any(|state| state.problems.is_empty());
        let signers = states.iter().map(|(name, state)| SignerReport {
            name: name.clone(),
            problems: state.problems.values().cloned().collect(),
            warnings: state.warnings.values().cloned().collect(),
            notes: state.note.iter().cloned().collect(),
        });
        Report { is_ready: all_were_ready && one_is_ready, signers: signers.collect() }
    }

    /// All that is wrong now.
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        let states = self.lock();
        let of = |signer: &SignerName, components: &BTreeMap<Component, String>, severity| -> Vec<_> {
            let trouble =
                |component: &Component| Trouble { signer: signer.clone(), component: *component, severity };
            components.keys().map(trouble).collect()
        };
        let both = states.iter().flat_map(|(signer, state)| {
            [of(signer, &state.problems, Severity::Error), of(signer, &state.warnings, Severity::Warning)]
        });
        both.flatten().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SignerName, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignerHealth {
    /// Notes that a component works, and says so if it didn't.
    pub(crate) fn recovered(&self, component: Component) {
        self.works(component, None);
    }

    /// Notes that something is wrong with a component that works all the same, and says so if that is news.
    pub(crate) fn degraded(&self, component: Component, warning: &str) {
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
            None if before.is_some() => tracing::info!(signer = %self.signer, "{component}: recovered"),
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

    /// Notes, for readers of `/readyz`, what isn't wrong and yet must not be forgotten.
    pub(crate) fn set_note(&self, note: Option<String>) {
        if let Some(state) = self.all.lock().get_mut(&self.signer) {
            state.note = note;
        }
    }

    /// Notes what is wrong with a component, and says so if that is news.
    pub(crate) fn failed(&self, component: Component, problem: &str) {
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
mod tests;

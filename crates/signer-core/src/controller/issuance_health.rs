//! Says on readiness, in the log and in the metrics what keeps requests from being finished.

use std::time::Duration;

use tokio::time::Instant;

use super::failures::Problem;
use crate::health::{Component, Severity, SignerHealth};

/// Shows a problem, and takes it back when it is over.
#[derive(Debug)]
pub(crate) struct IssuanceHealth {
    health: SignerHealth,
    shown: Option<(Problem, Instant)>,
}

/// Counts and examples change all the time; what is shown of them changes this often at most.
const REFRESH: Duration = Duration::from_secs(30);

impl IssuanceHealth {
    pub(crate) fn new(health: SignerHealth) -> Self {
        Self { health, shown: None }
    }

    /// Shows what is wrong now.
    pub(crate) fn show(&mut self, problem: Option<Problem>, now: Instant) {
        let Some(problem) = problem else {
            if self.shown.take().is_some() {
                self.health.recovered(Component::Issuance);
            }
            return;
        };
        let is_stale = |(shown, at): &(Problem, Instant)| {
            shown.severity != problem.severity || now.saturating_duration_since(*at) >= REFRESH
        };
        if !self.shown.as_ref().is_none_or(is_stale) {
            return;
        }
        let text = problem.to_string();
        match problem.severity {
            Severity::Error => self.health.failed(Component::Issuance, &text),
            Severity::Warning => self.health.degraded(Component::Issuance, &text),
        }
        self.shown = Some((problem, now));
    }
}

/// A controller that ends leaves nothing behind: the next one starts with another version of the API.
impl Drop for IssuanceHealth {
    fn drop(&mut self) {
        self.show(None, Instant::now());
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { severity: _, count, example, cause } = self;
        let requests = if *count == 1 { "request" } else { "requests" };
        write!(
            f,
            "{count} {requests} can't be finished, {}/{} for the longest time: {cause}",
            example.namespace, example.name
        )
    }
}

#[cfg(test)]
mod tests;

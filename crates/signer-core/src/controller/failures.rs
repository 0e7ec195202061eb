//! The requests whose evaluation fails, whatever the cause: what readiness, metrics and events say of them
//! follows from here.
//!
//! A pure data structure: time comes in as an argument.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use super::pending::RequestKey;
use crate::health::Severity;

/// The requests that fail now.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    failing: HashMap<RequestKey, Failing>,
    last_success: Option<Instant>,
    /// Until when a request that has gone without having succeeded still counts.
    lingering: Option<(Instant, Problem)>,
}

#[derive(Debug)]
struct Failing {
    since: Instant,
    times: u32,
    /// The last evaluation took so long that it was shown while it ran.
    was_slow: bool,
    cause: String,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// An error while nothing succeeds, else a warning.
    pub(crate) severity: Severity,
    /// How many requests fail.
    pub(crate) count: usize,
    /// The one that has failed for the longest time.
    pub(crate) example: RequestKey,
    /// Why that one fails.
    pub(crate) cause: String,
}

/// What fails for so long, and more than once, doesn't pass by itself.
const PERSISTENT: Duration = Duration::from_secs(10);
/// Kubelet asks again for what was deleted. What keeps its requests from being finished is one problem until
/// then, not a new one each time.
const LINGERING: Duration = Duration::from_secs(30);

impl Failures {
    /// Notes that an evaluation that began at that time failed. Returns whether the request has failed for so
    /// long that its author must hear of it.
    pub(crate) fn failed(&mut self, key: &RequestKey, cause: String, began: Instant, now: Instant) -> bool {
        let new = Failing { since: began, times: 0, was_slow: false, cause: String::new() };
        let failing = self.failing.entry(key.clone()).or_insert(new);
        failing.times = failing.times.saturating_add(1);
        failing.was_slow = now.saturating_duration_since(began) >= PERSISTENT;
        failing.cause = cause;
        failing.times >= 2 && failing.is_persistent(now)
    }

    /// Notes that an outcome was written.
    pub(crate) fn succeeded(&mut self, key: &RequestKey, now: Instant) {
        self.failing.remove(key);
        self.last_success = Some(now);
        self.lingering = None;
    }

    /// Notes that an evaluation came to its end: the request waits, or is left alone.
    pub(crate) fn evaluated(&mut self, key: &RequestKey) {
        self.failing.remove(key);
    }

    /// Notes that a request is gone.
    pub(crate) fn gone(&mut self, key: &RequestKey, now: Instant) {
        if !self.failing.get(key).is_some_and(|failing| failing.is_persistent(now)) {
            self.failing.remove(key);
            return;
        }
        // once where thousands go together
        let is_noted = |(until, _): &(Instant, Problem)| *until == now + LINGERING;
        if !self.lingering.as_ref().is_some_and(is_noted) {
            self.lingering = self.problem(&[], now).map(|problem| (now + LINGERING, problem));
        }
        self.failing.remove(key);
    }

    /// What is wrong now, if anything is. `running` are evaluations, and since when they run: one that
    /// doesn't end fails too.
    pub(crate) fn problem(&self, running: &[(RequestKey, Instant)], now: Instant) -> Option<Problem> {
        let failing = self.failing.iter().filter(|(_, failing)| failing.is_persistent(now));
        let failing = failing.map(|(key, failing)| (failing.since, key, failing.cause.as_str()));
        let hanging = running.iter().filter(|(key, since)| {
            let is_known = self.failing.get(key).is_some_and(|failing| failing.is_persistent(now));
            !is_known && now.saturating_duration_since(*since) >= PERSISTENT
        });
        let cause = format!(
            "its evaluation hasn't ended for more than {} s; it is waited for, and tried again if it fails",
            PERSISTENT.as_secs()
        );
        let hanging = hanging.map(|(key, since)| (*since, key, cause.as_str()));
        let mut count = 0;
        let oldest = failing.chain(hanging).inspect(|_| count += 1).min();
        let Some((since, example, cause)) = oldest else { return self.lingering(now) };
        let others_succeed = self.last_success.is_some_and(|success| success >= since);
        let severity = if others_succeed { Severity::Warning } else { Severity::Error };
        Some(Problem { severity, count, example: example.clone(), cause: cause.to_owned() })
    }

    fn lingering(&self, now: Instant) -> Option<Problem> {
        self.lingering.as_ref().filter(|(until, _)| now < *until).map(|(_, problem)| problem.clone())
    }
}

impl Failing {
    fn is_persistent(&self, now: Instant) -> bool {
        (self.times >= 2 || self.was_slow) && now.saturating_duration_since(self.since) >= PERSISTENT
    }
}

#[cfg(test)]
mod tests;

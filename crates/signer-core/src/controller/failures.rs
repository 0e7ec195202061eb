//! The requests whose evaluation fails, whatever the cause: what readiness, metrics and events say of them follows from here.
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
/// Kubelet asks again for what was deleted. What keeps its requests from being finished is one problem until then, not a new one each time.
const LINGERING: Duration = Duration::from_secs(30);

impl Failures {
    /// Notes that an evaluation that began at that time failed. Returns whether the request has failed for so long that its author must hear of it.
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

    /// What is wrong now, if anything is. `running` are evaluations, and since when they run: one that doesn't end fails too.
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
mod tests {
    use super::*;

    fn key(name: &str) -> RequestKey {
        RequestKey { namespace: "shop".into(), name: name.into() }
    }

    /// One that fails again and again, from `begin` on for so many seconds.
    fn failing(failures: &mut Failures, name: &str, begin: Instant, seconds: u64) -> bool {
        (0..=seconds)
            .map(|second| begin + Duration::from_secs(second))
            .map(|now| failures.failed(&key(name), "why".into(), now, now))
            .fold(false, |_, is_persistent| is_persistent)
    }

    #[test]
    fn what_passes_by_itself_is_no_problem() {
        let (mut failures, begin) = (Failures::default(), Instant::now());
        assert!(!failing(&mut failures, "a", begin, 9));
        assert_eq!(failures.problem(&[], begin + Duration::from_secs(9)), None);
        failures.succeeded(&key("a"), begin + Duration::from_secs(9));
        assert_eq!(failures.problem(&[], begin + PERSISTENT), None);
        // once, however long ago
        failures.failed(&key("b"), "why".into(), begin, begin);
        assert_eq!(failures.problem(&[], begin + 10 * PERSISTENT), None);
    }

    #[test]
    fn what_lasts_is_an_error_while_nothing_succeeds() {
        let (mut failures, begin) = (Failures::default(), Instant::now());
        failures.succeeded(&key("before"), begin - Duration::from_secs(1));
        assert!(failing(&mut failures, "a", begin, 10));
        failing(&mut failures, "b", begin + Duration::from_secs(1), 30);
        let now = begin + Duration::from_secs(31);
        let problem = failures.problem(&[], now).unwrap();
        assert_eq!(
            problem,
            Problem { severity: Severity::Error, count: 2, example: key("a"), cause: "why".into() }
        );
        // others are issued: it stays, as a warning
        failures.succeeded(&key("c"), now);
        assert_eq!(failures.problem(&[], now).unwrap().severity, Severity::Warning);
        failures.succeeded(&key("a"), now);
        failures.evaluated(&key("b"));
        assert_eq!(failures.problem(&[], now), None);
    }

    #[test]
    fn it_lasts_until_kubelet_has_asked_again_and_not_for_ever() {
        let (mut failures, begin) = (Failures::default(), Instant::now());
        failing(&mut failures, "a", begin, 20);
        let gone = begin + Duration::from_secs(20);
        let problem = failures.problem(&[], gone);
        assert!(problem.is_some());
        failures.gone(&key("a"), gone);
        assert_eq!(failures.problem(&[], gone + Duration::from_secs(5)), problem);
        assert_eq!(failures.problem(&[], gone + LINGERING), None);
        // a success ends it at once
        failing(&mut failures, "a", begin, 20);
        failures.gone(&key("a"), gone);
        failures.succeeded(&key("next"), gone);
        assert_eq!(failures.problem(&[], gone), None);
    }

    #[test]
    fn one_that_passes_leaves_nothing_behind_when_it_goes() {
        let (mut failures, begin) = (Failures::default(), Instant::now());
        failing(&mut failures, "a", begin, 5);
        failures.gone(&key("a"), begin + Duration::from_secs(5));
        assert_eq!(failures.problem(&[], begin + Duration::from_secs(11)), None);
        assert!(failures.failing.is_empty());
    }

    #[test]
    fn an_evaluation_that_does_not_end_is_a_problem() {
        let (mut failures, begin) = (Failures::default(), Instant::now());
        let running = [(key("a"), begin), (key("b"), begin + Duration::from_secs(5))];
        assert_eq!(failures.problem(&running, begin + Duration::from_secs(9)), None);
        let problem = failures.problem(&running, begin + Duration::from_secs(12)).unwrap();
        assert_eq!((problem.count, problem.example), (1, key("a")));
        // it fails in the end: the problem doesn't go away in between
        let end = begin + Duration::from_secs(12);
        assert!(
            !failures.failed(&key("a"), "why".into(), begin, end),
            "its author hears of it when it fails again"
        );
        assert_eq!(failures.problem(&[], end).unwrap().cause, "why");
    }
}

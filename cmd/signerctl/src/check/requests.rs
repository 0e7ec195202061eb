//! Requests that wait, or were refused.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use signer_manager::Config;

use super::{
    Subject,
    finding::{Finding, Findings, Severity},
};
use crate::{
    observed::{Event, ObservedRequest, Outcome, of_requests, requests},
    text::{arguments::plural, times::span},
};

/// What waits for less isn't worth a line.
const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// After so long, a signer that is there has said why a request waits.
const SILENCE_LIMIT: SignedDuration = SignedDuration::from_secs(60);

/// Why a request is worth a line.
struct State {
    severity: Severity,
    word: String,
    reason: String,
    message: String,
}

impl State {
    /// None for one that was issued, or hasn't waited for long.
    fn of(request: &ObservedRequest, event: Option<&Event>, now: Timestamp) -> Option<Self> {
        let age = now.duration_since(request.created);
        let (severity, word, reason, message) = match (&request.outcome, event) {
            (Outcome::Issued { .. }, _) => return None,
            (Outcome::Refused { condition, reason, message }, _) => {
                (Severity::Warning, condition.to_lowercase(), reason.clone(), message.clone())
            }
            (Outcome::Pending, _) if age < SHORT_WAIT => return None,
            (Outcome::Pending, Some(event)) => {
                (pending(&event.reason), "waiting".to_owned(), event.reason.clone(), event.message.clone())
            }
            (Outcome::Pending, None) => {
                let severity = if age < SILENCE_LIMIT { Severity::Warning } else { Severity::Bad };
                let message = "see whether the signer is ready: /readyz of its replicas";
                (severity, "waiting".to_owned(), "nobody has answered".to_owned(), message.to_owned())
            }
        };
        Some(Self { severity, word, reason, message })
    }
}

/// Requests that end alike.
struct Group<'a> {
    severity: Severity,
    count: usize,
    oldest: Timestamp,
    example: &'a ObservedRequest,
    message: String,
}

pub(super) fn check(subject: &Subject<'_>, config: Option<&Config>, findings: &mut Findings) {
    let mut listing = match requests(subject.cluster, None) {
        Ok(listing) => listing,
        Err(error) => return findings.add("requests", Err(error)),
    };
    let known = |signer: &str| {
        config.is_none_or(|config| config.signers.iter().any(|known| known.name().as_str() == signer))
    };
    let foreign = listing.objects.iter().filter(|request| !known(&request.signer)).count();
    listing.objects.retain(|request| known(&request.signer));
    // without them, it isn't known why a request waits
    let events = match of_requests(subject.cluster, None) {
        Ok(events) => Some(events),
        Err(error) => {
            findings.add("events", Err(error));
            None
        }
    };
    findings.add("requests", Ok(of_listed(&listing.objects, events.as_ref(), subject.now)));
    if foreign > 0 {
        let finding = Finding::warning(
            format!("{} to signers that this controller doesn't have", plural(foreign, "request")),
            "If no other controller answers them, compare the volumes' signerName with the configuration's, letter by letter.",
        );
        findings.add("requests", Ok(vec![finding]));
    }
    let unreadable = listing.unreadable.iter().map(|unreadable| Finding::warning(unreadable.to_string(), ""));
    findings.add("requests", Ok(unreadable.collect()));
}

fn of_listed(
    requests: &[ObservedRequest],
    events: Option<&HashMap<(String, String), Event>>,
    now: Timestamp,
) -> Vec<Finding> {
    let mut groups: BTreeMap<(String, String, String), Group<'_>> = BTreeMap::new();
    for request in requests {
        let event = events.and_then(|events| events.get(&(request.namespace.clone(), request.name.clone())));
        let Some(state) = State::of(request, event, now) else { continue };
        let State { severity, word, reason, message } = state;
        let group = groups.entry((request.signer.clone(), word, reason)).or_insert_with(|| Group {
            severity,
            count: 0,
            oldest: request.created,
            example: request,
            message,
        });
        group.count += 1;
        // a group is as bad as its worst request
        group.severity = group.severity.max(severity);
        group.oldest = group.oldest.min(request.created);
    }
    if groups.is_empty() {
        let issued =
            requests.iter().filter(|request| matches!(request.outcome, Outcome::Issued { .. })).count();
        return vec![Finding::good(format!(
            "none waits or was refused; {issued} of the last 15 minutes were issued"
        ))];
    }
    let line = |((signer, word, reason), group): ((String, String, String), Group<'_>)| {
        let age = span(now.duration_since(group.oldest));
        let text =
            format!("{signer}: {} {word} ({reason}), the oldest for {age}", plural(group.count, "request"));
        let example = format!("{}/{}: {}", group.example.namespace, group.example.pod_name, group.message);
        Finding::new(group.severity, text, example)
    };
    groups.into_iter().map(line).collect()
}

/// What a pod's author has to mend is no failure of the signers.
fn pending(reason: &str) -> Severity {
    match reason {
        "IssuanceFailing" | "CertificateAuthorityUnavailable" | "DenyRulesUnavailable" => Severity::Bad,
        _ => Severity::Warning,
    }
}

#[cfg(test)]
mod tests;

//! The status page. What others wrote is escaped by `maud`, and bounded.

use std::time::Duration;

use bounded_text::{one_line, truncated};
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{AuthorityOverview, Overview, SignerStatus, Status};
use crate::controller::{decision_log::Recorded, pending::WaitingRequest};
use ca_pool::{NextStep, Phase};

const STYLE: &str = include_str!("page.css");

/// The longest text that is shown of a problem or a message.
const LONGEST: usize = 1000;

/// The page as HTML.
pub(crate) fn page(overview: &Overview) -> String {
    render(&overview.status()).into_string()
}

fn render(status: &Status) -> Markup {
    let (verdict, tone) = if status.is_ready { ("ready", "good") } else { ("not ready", "bad") };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "signer-manager: " (verdict) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "signer-manager" }
                    span.verdict.(tone) { (verdict) }
                    span.faint { "replica " (status.replica) ", version " (env!("CARGO_PKG_VERSION")) }
                    span.faint { (time(status.now)) " by the API server's clock" (offset(status.machine_ahead)) }
                    span { a href="readyz" { "readyz" } " · " a href="metrics" { "metrics" } }
                }
                @for end in &status.ended {
                    p.bad { (end.to_string()) "; the process ends" }
                }
                main { @for signer in &status.signers { (section(signer, status)) } }
            }
        }
    }
}

/// Worth a word from a second on: the API server tells whole ones.
fn offset(ahead: Option<SignedDuration>) -> String {
    match ahead {
        None => ", which isn't known yet".to_owned(),
        Some(ahead) if ahead.abs() < SignedDuration::from_secs(2) => String::new(),
        Some(ahead) => {
            let direction = if ahead.is_positive() { "ahead" } else { "behind" };
            format!(" (this machine's is {} {direction})", span(ahead.unsigned_abs()))
        }
    }
}

fn section(signer: &SignerStatus, status: &Status) -> Markup {
    let report = &signer.report;
    let (verdict, tone) = match (report.problems.is_empty(), report.warnings.is_empty()) {
        (true, true) => ("ready", "good"),
        (true, false) => ("ready, with a warning", "warn"),
        (false, _) => ("not ready", "bad"),
    };
    html! {
        section {
            div.head { h2 { (report.name.to_string()) } span.verdict.(tone) { (verdict) } }
            @if !(report.problems.is_empty() && report.warnings.is_empty() && report.notes.is_empty()) {
                ul {
                    @for line in &report.problems { li.bad { (bounded(line)) } }
                    @for line in &report.warnings { li.warn { (bounded(line)) } }
                    @for line in &report.notes { li.faint { (bounded(line)) } }
                }
            }
            @if let Some(overview) = &signer.overview {
                (authorities(&overview.authorities, status.now))
                p.faint {
                    (count(overview.anchors.published, "trust anchor", "trust anchors")) " published"
                    @if overview.anchors.foreign > 0 { ", " (overview.anchors.foreign) " of them from elsewhere" }
                    ". Replicas: " (status.replica) " (this one)"
                    @for other in &signer.others { ", " (other) }
                    @if signer.others.is_empty() { "; no other is known yet" }
                    "."
                }
            }
            (waiting(signer))
            (decisions(&signer.decisions))
        }
    }
}

fn authorities(all: &[AuthorityOverview], now: Timestamp) -> Markup {
    let begin = all.iter().map(|ca| ca.not_before).chain([now]).min().unwrap_or(now);
    let end = all.iter().map(|ca| ca.not_after).chain([now]).max().unwrap_or(now);
    let scale = Scale { begin, end };
    html! {
        h3 { "CAs" }
        @if all.is_empty() { p.faint { "No CA pool is loaded." } }
        @for ca in all {
            div.ca {
                div {
                    strong { "CA " (bounded(&ca.id)) } ", " (phase(ca.phase))
                    @if let Some((step, at)) = ca.next { div.faint { (next(step)) " " (distance(now, at)) } }
                }
                div.bar title={ (time(ca.not_before)) " to " (time(ca.not_after)) } {
                    i.trusts style=(scale.between(ca.not_before, ca.trusted_until.unwrap_or(ca.not_after))) {}
                    @if let Some(from) = ca.signs_from {
                        i.signs style=(scale.between(from.max(ca.not_before), ca.signs_until)) {}
                    }
                    i.now style=(scale.at(now)) {}
                }
            }
        }
        @if !all.is_empty() {
            p.faint.key {
                (day(begin)) " to " (day(end)) ":"
                i.signs {} "signs" i.trusts {} "trusted" i.now {} "now"
            }
        }
    }
}

fn waiting(signer: &SignerStatus) -> Markup {
    let all = signer.overview.iter().flat_map(|overview| overview.backlog.by_reason.values());
    let total: usize = all.map(|(count, _)| count).sum();
    let total = total.max(signer.waiting.len());
    html! {
        h3 { (count(total, "request waits", "requests wait")) }
        @if total > signer.waiting.len() { p.faint { "Shown: the oldest " (signer.waiting.len()) "." } }
        @if !signer.waiting.is_empty() {
            div.scroll { table {
                tr { th { "namespace" } th { "pod" } th { "for" } th { "why" } th { "" } }
                @for WaitingRequest { key, pod, age, last_event } in &signer.waiting {
                    tr {
                        td.short { (key.namespace) }
                        @match pod { Some(pod) => td.short { (pod) }, None => td.faint { "of request " (key.name) } }
                        td.short { (span(*age)) }
                        @match last_event {
                            Some((reason, message)) => { td { (reason) } td.long { (bounded(message)) } },
                            None => { td.faint { "is due" } td {} },
                        }
                    }
                }
            } }
        }
    }
}

fn decisions(all: &[Recorded]) -> Markup {
    html! {
        h3 { "Last decisions" }
        @if all.is_empty() { p.faint { "This replica has made none yet." } } @else {
            div.scroll { table {
                tr { th { "time" } th { "outcome" } th { "namespace" } th { "pod" } th { "" } }
                @for Recorded { at, outcome, reason, namespace, pod, message } in all {
                    tr {
                        td.short { (time(*at)) }
                        td class=(tone(outcome)) { (outcome) @if reason != outcome && !reason.is_empty() { ": " (reason) } }
                        td.short { (namespace) } td.short { (pod) } td.long { (message) }
                    }
                }
            } }
        }
    }
}

fn tone(outcome: &str) -> &'static str {
    match outcome {
        "Issued" => "good",
        "Denied" => "bad",
        "LeftAlone" => "faint",
        _ => "warn",
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepared(_) => "prepared: trusted, not signing yet",
        Phase::Active => "active",
        Phase::Retiring(_) => "retiring: trusted, not signing any more",
        Phase::Removable => "removable",
    }
}

fn next(step: NextStep) -> &'static str {
    match step {
        NextStep::Activate => "signs",
        NextStep::Retire => "the next one signs",
        NextStep::Remove => "leaves the trust bundle",
        NextStep::Expire => "expires",
    }
}

/// A span of time as the width of a bar.
struct Scale {
    begin: Timestamp,
    end: Timestamp,
}

impl Scale {
    fn percent(&self, at: Timestamp) -> f64 {
        let whole = self.end.duration_since(self.begin).as_secs_f64();
        let part = at.duration_since(self.begin).as_secs_f64();
        if whole > 0.0 { (100.0 * part / whole).clamp(0.0, 100.0) } else { 0.0 }
    }

    fn at(&self, at: Timestamp) -> String {
        format!("left:{:.2}%", self.percent(at))
    }

    fn between(&self, from: Timestamp, to: Timestamp) -> String {
        let (left, right) = (self.percent(from), self.percent(to));
        format!("left:{left:.2}%;width:{:.2}%", (right - left).max(0.0))
    }
}

fn bounded(text: &str) -> String {
    truncated(&one_line(text), LONGEST)
}

fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("No {many}"),
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

fn distance(now: Timestamp, at: Timestamp) -> String {
    if at <= now { "now".to_owned() } else { format!("in {}", span(at.duration_since(now).unsigned_abs())) }
}

/// The two greatest units.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (1..=9, 1.., _) => format!("{days} d {hours} h"),
        _ => format!("{days} d"),
    }
}

#[cfg(test)]
mod tests;

//! A snapshot for people.

use jiff::Timestamp;

use super::snapshot::{ReplicaStatus, SignerStatus, Snapshot, Waiting};
use crate::{
    terminal::{Look, Tone},
    text::{
        arguments::plural,
        table::{Cell, table},
        times::{from_now, span},
        wrap::wrap_behind,
    },
};

/// Reasons that are shown, so that all fits on a screen; the rest is counted.
const SHOWN_REASONS: usize = 5;
/// Pods that are named of each.
const SHOWN_PODS: usize = 3;

pub(super) fn shown(snapshot: &Snapshot, look: Look, now: Timestamp) -> String {
    let signers = rows(
        &["SIGNER", "CA", "ENDS", "ANCHORS", "ISSUED", "WAITING", "REFUSED"],
        look,
        &snapshot.signers,
        |signer| signer_row(signer, look, now),
    );
    let without_ca = snapshot.signers.iter().filter(|signer| signer.ca_is_signing != Some(true));
    let remarks = without_ca.map(|signer| ca_lines(signer, look)).collect::<String>();
    let replicas = rows(&["REPLICA", "READY", "FINISHED", "IMAGE"], look, &snapshot.replicas, |replica| {
        replica_row(replica, look)
    });
    let replicas = if snapshot.replicas.is_empty() { "  none\n".to_owned() } else { replicas };
    let waiting = waiting(&snapshot.waiting, look, now);
    let heading = look.paint(Tone::Heading, format!("{} waiting", plural(snapshot.waiting.len(), "request")));
    let window = look.paint(Tone::Faint, "Requests of the last 15 minutes: Kubernetes deletes older ones.");
    let unread: String =
        snapshot.unread.iter().map(|problem| wrap_behind("! ", problem, look.width)).collect();
    format!("{signers}{remarks}\n{replicas}\n{heading}\n{waiting}\n{window}\n{unread}")
}

fn rows<T>(head: &[&str], look: Look, all: &[T], row: impl Fn(&T) -> Vec<Cell>) -> String {
    let head = head.iter().map(|text| ((*text).to_owned(), look.paint(Tone::Faint, text))).collect();
    table(&std::iter::once(head).chain(all.iter().map(row)).collect::<Vec<_>>())
}

fn plain(text: impl ToString) -> Cell {
    (text.to_string(), text.to_string())
}

fn painted(text: impl ToString, look: Look, tone: Tone) -> Cell {
    let text = text.to_string();
    (text.clone(), look.paint(tone, text))
}

fn counted(count: usize, look: Look, tone: Tone) -> Cell {
    if count == 0 { plain(0) } else { painted(count, look, tone) }
}

fn signer_row(signer: &SignerStatus, look: Look, now: Timestamp) -> Vec<Cell> {
    let bundle = match signer.anchors {
        None => painted("?", look, Tone::Faint),
        Some(0) => painted("none", look, Tone::Bad),
        Some(anchors) => plain(anchors),
    };
    let ca = match signer.ca_is_signing {
        Some(true) => painted("signs", look, Tone::Good),
        Some(false) => painted("see below", look, Tone::Bad),
        None => painted("not known", look, Tone::Faint),
    };
    vec![
        plain(&signer.name),
        ca,
        plain(signer.ca_ends.map_or_else(|| "?".to_owned(), |ends| from_now(ends, now))),
        bundle,
        plain(signer.issued),
        counted(signer.waiting, look, Tone::Ending),
        counted(signer.refused, look, Tone::Bad),
    ]
}

/// Why nobody signs, or why that isn't known.
fn ca_lines(signer: &SignerStatus, look: Look) -> String {
    let text = wrap_behind("    ", &signer.ca, look.width);
    let tone = if signer.ca_is_signing.is_none() { Tone::Faint } else { Tone::Bad };
    let text = text.trim_end().lines().map(|line| look.paint(tone, line) + "\n").collect::<String>();
    format!("\n  {}\n{text}", signer.name)
}

fn replica_row(replica: &ReplicaStatus, look: Look) -> Vec<Cell> {
    let ready = match (replica.is_ready, replica.image.is_empty()) {
        (true, _) => painted("yes", look, Tone::Good),
        (false, true) => painted("no pod", look, Tone::Faint),
        (false, false) => painted("no", look, Tone::Bad),
    };
    vec![plain(&replica.name), ready, plain(replica.finished), plain(&replica.image)]
}

/// Those that wait for the same reason are shown together, with the message of the oldest; the oldest first.
fn waiting(all: &[Waiting], look: Look, now: Timestamp) -> String {
    let mut groups: Vec<Vec<&Waiting>> = Vec::new();
    for waiting in all {
        let is_alike = |group: &&mut Vec<&Waiting>| {
            (&group[0].signer, &group[0].reason) == (&waiting.signer, &waiting.reason)
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(waiting),
            None => groups.push(vec![waiting]),
        }
    }
    let more: usize = groups.iter().skip(SHOWN_REASONS).map(Vec::len).sum();
    let more = if more == 0 { String::new() } else { format!("  and {more} for other reasons\n") };
    groups.iter().take(SHOWN_REASONS).map(|group| group_lines(group, look, now)).collect::<String>() + &more
}

fn group_lines(group: &[&Waiting], look: Look, now: Timestamp) -> String {
    let Some(Waiting { signer, since, reason, message, .. }) = group.first() else { return String::new() };
    let reason = if reason.is_empty() { "no answer yet" } else { reason };
    let age = span(now.duration_since(*since));
    let age = if group.len() == 1 { format!("for {age}") } else { format!("the oldest for {age}") };
    let head = format!("  {signer}  {}  {age}\n", look.paint(Tone::Ending, reason));
    let mut pods: Vec<String> = group
        .iter()
        .take(SHOWN_PODS)
        .map(|waiting| format!("{}/{}", waiting.namespace, waiting.pod))
        .collect();
    if let more @ 1.. = group.len().saturating_sub(SHOWN_PODS) {
        pods.push(format!("{more} more"));
    }
    let pods = wrap_behind("    ", &pods.join(", "), look.width);
    let message = if message.is_empty() { String::new() } else { wrap_behind("    ", message, look.width) };
    head + &pods + &message
}

#[cfg(test)]
mod tests;

//! What the demo shows at the end: the table, a certificate, a trust bundle, a denial.

mod certificate;
mod overview;
mod trust_bundle;

pub(super) use certificate::certificate;
pub(super) use overview::overview;
pub(super) use trust_bundle::trust_bundle;

use jiff::{SignedDuration, Timestamp};

use super::verdict::{Row, Verdict};
use crate::terminal::{Style, wrap};

/// A title, with an empty line above.
pub(super) fn heading(style: &Style, text: &str) -> String {
    format!("\n{}\n", style.bold(text))
}

/// A denied request in full; empty for another.
pub(super) fn denial(row: &Row, style: &Style) -> String {
    let Verdict::Denied { reason, message } = &row.verdict else { return String::new() };
    let (pod, signer) = (&row.pod, &row.signer_name);
    let mut out = heading(style, &format!("The request of {pod} to {signer} was denied"));
    out += &field(style, "request", &row.request);
    out += &field(style, "condition", &format!("Denied, reason {}", style.bad(reason)));
    for (index, line) in wrap(message, style.width.saturating_sub(LABEL + 4)).iter().enumerate() {
        out += &field(style, if index == 0 { "message" } else { "" }, line);
    }
    out
}

/// The longest label, and a gap.
const LABEL: usize = 30;

fn field(style: &Style, label: &str, value: &str) -> String {
    let padding = " ".repeat(LABEL.saturating_sub(label.chars().count()));
    format!("  {}{padding}{value}\n", style.dim(label))
}

/// Hours and minutes; seconds only where there is nothing else. Times of certificates are whole seconds.
fn brief(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    shown.join(" ")
}

fn moment(time: Timestamp) -> String {
    time.strftime("%F %T UTC").to_string()
}

#[cfg(test)]
mod tests;

//! What checks find.

use serde::Serialize;

use super::sign;
use crate::{
    error::Error,
    store::cluster::Cluster,
    terminal::{Look, Tone},
    text::wrap::wrap_behind,
};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Severity {
    Good,
    /// Somebody should look, or it couldn't be looked at.
    Warning,
    /// Pods don't get their certificates, or won't.
    Bad,
}

/// One line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    section: String,
    id: &'static str,
    pub(super) severity: Severity,
    pub(super) text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    remedy: String,
}

impl Finding {
    pub(super) fn good(text: impl Into<String>) -> Self {
        Self::new(Severity::Good, text, "")
    }

    pub(super) fn warning(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Warning, text, remedy)
    }

    pub(super) fn bad(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Severity::Bad, text, remedy)
    }

    pub(super) fn new(severity: Severity, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { section: String::new(), id: "", severity, text: text.into(), remedy: remedy.into() }
    }

    fn shown(&self, look: Look) -> String {
        let (tone, sign) = sign(self.severity);
        let text = wrap_behind("  ", &self.text, look.width.saturating_sub(2));
        let text =
            format!("{} {}", look.paint(tone, sign), text.trim_start().replace('\n', "\n  ").trim_end());
        let remedy = if self.remedy.is_empty() {
            String::new()
        } else {
            wrap_behind("    → ", &self.remedy, look.width)
        };
        format!("{text}\n{remedy}")
    }
}

/// All lines, by section.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) all: Vec<Finding>,
    section: String,
}

impl Findings {
    /// What follows is of this section.
    pub(super) fn section(&mut self, name: &str) {
        name.clone_into(&mut self.section);
    }

    /// Adds what a check has found; or why it couldn't look, which isn't worse than a warning.
    pub(super) fn add(&mut self, id: &'static str, found: Result<Vec<Finding>, Error>) {
        let found = found
            .unwrap_or_else(|error| vec![Finding::warning(format!("{id}: not checked"), error.to_string())]);
        self.all.extend(found.into_iter().map(|finding| Finding {
            section: self.section.clone(),
            id,
            ..finding
        }));
    }

    /// Adds that something is as it should be, and gives it; or why it isn't there.
    pub(super) fn need<T>(
        &mut self,
        id: &'static str,
        found: Result<T, Error>,
        good: impl FnOnce() -> String,
    ) -> Option<T> {
        let (value, finding) = match found {
            Ok(value) => (Some(value), Finding::good(good())),
            Err(error) if error.leaves_unknown() => {
                (None, Finding::warning(format!("{id}: not checked"), error.to_string()))
            }
            Err(error) => (None, Finding::bad(error.to_string(), "")),
        };
        self.add(id, Ok(vec![finding]));
        value
    }

    pub(super) fn is_good(&self) -> bool {
        self.all.iter().all(|finding| finding.severity != Severity::Bad)
    }

    pub(super) fn shown(&self, cluster: &Cluster, look: Look) -> String {
        let mut text = wrap_behind("", &format!("In {cluster}"), look.width);
        let mut section = "";
        for finding in &self.all {
            if finding.section != section {
                section = &finding.section;
                text += &format!("\n{}\n", look.paint(Tone::Heading, section));
            }
            text += &finding.shown(look);
        }
        let count = |severity| self.all.iter().filter(|finding| finding.severity == severity).count();
        let (bad, warnings) = (count(Severity::Bad), count(Severity::Warning));
        let (tone, end) = match (bad, warnings) {
            (0, 0) => (Tone::Good, "All is as it should be.".to_owned()),
            (0, _) => (Tone::Ending, format!("Nothing is broken; look at the lines with ! ({warnings}).")),
            _ => (Tone::Bad, format!("Lines with ✗ ({bad}) keep pods from their certificates, or will.")),
        };
        text + "\n" + &look.paint(tone, end) + "\n"
    }
}

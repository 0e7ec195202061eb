//! What checks find.

use serde::Serialize;

use crate::{
    error::Error,
    store::cluster::Cluster,
    terminal::{Look, Tone},
    text::{
        arguments::plural,
        wrap::{wrap, wrap_behind},
    },
};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Severity {
    Good,
    /// Somebody should look, or it couldn't be looked at.
    Warning,
    /// Pods don't get their certificates or won't, or others can have them.
    Bad,
}

impl Severity {
    fn sign(self) -> (Tone, &'static str) {
        match self {
            Self::Good => (Tone::Good, "✓"),
            Self::Warning => (Tone::Ending, "!"),
            Self::Bad => (Tone::Bad, "✗"),
        }
    }
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
    /// Whether it says that something couldn't be read.
    is_unchecked: bool,
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
        let (text, remedy) = (text.into(), remedy.into());
        Self { section: String::new(), id: "", severity, text, remedy, is_unchecked: false }
    }

    /// It couldn't be read.
    pub(super) fn unchecked(id: &str, severity: Severity, error: &Error) -> Self {
        Self { is_unchecked: true, ..Self::new(severity, format!("{id}: not checked"), error.to_string()) }
    }

    fn shown(&self, look: Look) -> String {
        let (tone, sign) = self.severity.sign();
        let text = wrap(&self.text, look.width, 2).join("\n");
        let remedy = if self.remedy.is_empty() {
            String::new()
        } else {
            wrap_behind("    → ", &self.remedy, look.width)
        };
        format!("{} {text}\n{remedy}", look.paint(tone, sign))
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

    /// Adds what a check has found; or why it couldn't look: a right that is missing is a warning.
    pub(super) fn add(&mut self, id: &'static str, found: Result<Vec<Finding>, Error>) {
        let found = found.unwrap_or_else(|error| vec![Finding::unchecked(id, Severity::Warning, &error)]);
        self.all.extend(found.into_iter().map(|finding| Finding {
            section: self.section.clone(),
            id,
            ..finding
        }));
    }

    /// Adds that something is as it should be, and gives it; or why it isn't there. If it couldn't be read, that is
    /// as bad as `unread`.
    pub(super) fn need<T>(
        &mut self,
        id: &'static str,
        unread: Severity,
        found: Result<T, Error>,
        good: impl FnOnce() -> String,
    ) -> Option<T> {
        let (value, finding) = match found {
            Ok(value) => (Some(value), Finding::good(good())),
            Err(error) if error.leaves_unknown() => (None, Finding::unchecked(id, unread, &error)),
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
        let unchecked = self.all.iter().filter(|finding| finding.is_unchecked).count();
        let (tone, end) = match (bad, warnings, unchecked) {
            (0, 0, _) => (Tone::Good, "All is as it should be.".to_owned()),
            (0, _, 0) => (Tone::Ending, format!("Nothing is broken; look at the lines with ! ({warnings}).")),
            (0, _, _) => (
                Tone::Ending,
                format!("{} couldn't be made; the others found nothing broken.", plural(unchecked, "check")),
            ),
            _ => (Tone::Bad, format!("{} failed (✗).", plural(bad, "check"))),
        };
        text + "\n" + &look.paint(tone, end) + "\n"
    }
}

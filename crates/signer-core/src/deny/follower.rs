//! Following the rules: read at once and every few seconds, taken over when they are right, and shown.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use kube::Client;
use tokio::{sync::watch, time::sleep};

use super::{DenyRules, DenyRulesInForce, DenySource};
use crate::{
    health::{Component, SignerHealth},
    metrics::Metrics,
};
use bounded_text::hex;
use ca_pool::names::SignerName;

/// Parses a document; its name is for messages. What is wrong with it is said on a line.
pub type ParseDenyRules = fn(text: &str, name: &str) -> Result<DenyRules, String>;

/// How often the document is read. A change is to be in force within ten seconds.
const POLL: Duration = Duration::from_secs(4);

/// Rules that a log record or `/readyz` lists.
const MAX_RULES_SHOWN: usize = 20;

/// Follows a document. What is wrong with it leaves the rules that were read last in force.
pub(crate) struct Follower {
    source: DenySource,
    parse: ParseDenyRules,
    client: Client,
    rules: watch::Sender<Option<Arc<DenyRules>>>,
    in_force: DenyRulesInForce,
    /// Of the document in force, in hexadecimal.
    sha256: Option<String>,
    /// Of a file that would lift rules, and was seen once.
    candidate: Option<String>,
    signers: Vec<(SignerName, SignerHealth)>,
    metrics: Metrics,
}

impl Follower {
    /// Nothing is in force, and so nothing issued, until [`run`](Self::run) has read the rules once.
    pub(crate) fn new(
        source: DenySource,
        parse: ParseDenyRules,
        client: Client,
        metrics: Metrics,
    ) -> (Self, DenyRulesInForce) {
        let (rules, receiver) = watch::channel(None);
        let in_force = DenyRulesInForce::new(receiver);
        let follower = Self {
            source,
            parse,
            client,
            rules,
            in_force: in_force.clone(),
            sha256: None,
            candidate: None,
            signers: Vec::new(),
            metrics,
        };
        (follower, in_force)
    }

    /// Follows for ever, on behalf of these signers.
    pub(crate) async fn run(mut self, signers: Vec<(SignerName, SignerHealth)>) {
        self.signers = signers;
        loop {
            let problem = self.read().await.err();
            self.show(problem.as_deref());
            sleep(POLL).await;
        }
    }

    /// Reads the document, and takes its rules over if they are others.
    async fn read(&mut self) -> Result<(), String> {
        let text = self.source.read(&self.client).await.map_err(|error| error.to_string())?;
        let sha256 = hex(digest(&SHA256, text.as_bytes()).as_ref());
        if self.sha256.as_ref() == Some(&sha256) {
            self.candidate = None;
            return Ok(());
        }
        let rules = (self.parse)(&text, &self.source.to_string())?;
        if matches!(self.source, DenySource::File(_)) && self.lifts_rules(&rules) {
            if text.trim().is_empty() {
                self.candidate = None;
                return Err(format!(
                    "{} is empty, and rules are in force; write `rules: []` to lift them",
                    self.source
                ));
            }
            // whoever writes the file in place may not have finished
            if self.candidate.replace(sha256.clone()) != Some(sha256.clone()) {
                return Ok(());
            }
        }
        self.take_over(rules, sha256);
        Ok(())
    }

    fn lifts_rules(&self, rules: &DenyRules) -> bool {
        self.rules.borrow().as_ref().is_some_and(|in_force| !missing_in(in_force, rules).is_empty())
    }

    fn take_over(&mut self, rules: DenyRules, sha256: String) {
        self.candidate = None;
        let before = self.rules.borrow().clone();
        let is_first = before.is_none();
        let before = before.unwrap_or_default();
        let sha256_before = self.sha256.replace(sha256.clone()).unwrap_or_default();
        if !is_first && *before == rules {
            return;
        }
        tracing::info!(
            target: "audit", outcome = "DenyRulesChanged", source = %self.source, rules_before = before.len(), rules_after = rules.len(),
            sha256_before, sha256_after = sha256, added = listed(&missing_in(&rules, &before)), removed = listed(&missing_in(&before, &rules)),
        );
        self.rules.send_replace(Some(Arc::new(rules)));
    }

    /// Brings health and metrics up to date.
    fn show(&self, problem: Option<&str>) {
        let rules = self.rules.borrow().clone();
        for (signer, health) in &self.signers {
            match (&rules, problem) {
                (None, problem) => health.failed(Component::DenyRules, &never_read(problem)),
                (Some(rules), Some(problem)) => {
                    health.degraded(Component::DenyRules, &outdated(rules, problem))
                }
                (Some(rules), None) => match self.unknown_signers(rules) {
                    unknown if unknown.is_empty() => health.recovered(Component::DenyRules),
                    unknown => health.degraded(Component::DenyRules, &names_unknown(&unknown)),
                },
            }
            let rules = rules.as_deref().map(|rules| rules.iter().filter(|rule| rule.concerns(signer)));
            let shown: Vec<_> = rules.into_iter().flatten().map(ToString::to_string).collect();
            self.metrics.deny_rules(signer, shown.len());
            // asked for also where there are no rules: it forgets requests that are gone
            let blocked = self.in_force.blocked(signer);
            health.set_note((!shown.is_empty()).then(|| in_force(&shown, blocked)));
        }
    }

    /// Signers that rules name and the process doesn't run: mostly a slip of the pen.
    fn unknown_signers(&self, rules: &DenyRules) -> Vec<String> {
        let is_known = |name: &str| self.signers.iter().any(|(signer, _)| signer.as_str() == name);
        let mut unknown: Vec<_> = rules
            .iter()
            .flat_map(|rule| rule.named_signers())
            .filter(|name| !is_known(name))
            .map(str::to_owned)
            .collect();
        unknown.sort();
        unknown.dedup();
        unknown
    }
}

fn never_read(problem: Option<&str>) -> String {
    let problem = problem.unwrap_or("they haven't been read yet");
    format!("deny rules: {problem}. Nothing is issued until they have been read once")
}

fn outdated(rules: &DenyRules, problem: &str) -> String {
    format!(
        "deny rules: {problem}. The rules that were read last stay in force ({})",
        counted(rules.len(), "rule")
    )
}

fn names_unknown(signers: &[String]) -> String {
    let signers = listed(signers);
    format!(
        "deny rules: no signer of this configuration has the name {signers}; correct the name, or remove the rule"
    )
}

/// What is in force, and what it does. The list comes last, as it may be cut.
fn in_force(rules: &[String], blocked: usize) -> String {
    format!(
        "deny: {}, {} blocked: {}",
        counted(rules.len(), "rule"),
        counted(blocked, "request"),
        listed(rules)
    )
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The rules of the one that the other hasn't.
fn missing_in(these: &DenyRules, those: &DenyRules) -> Vec<String> {
    let missing = these.iter().filter(|rule| !those.iter().any(|other| other == *rule));
    missing.map(ToString::to_string).collect()
}

fn listed(texts: &[String]) -> String {
    let shown = texts.iter().take(MAX_RULES_SHOWN).map(String::as_str).collect::<Vec<_>>().join(" | ");
    match texts.len().checked_sub(MAX_RULES_SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} | and {more} more"),
    }
}

#[cfg(test)]
mod tests;

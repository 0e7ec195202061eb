//! Requests held against the rules in force.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{DenyRules, rule::NO_REASON};
use crate::{
    cluster::{Namespace, Pod},
    decision::{Decision, Wait, WakeOn},
    reasons,
};
use ca_pool::names::SignerName;

/// The rules in force, which the signers of a process share, and whom they block. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct DenyRulesInForce {
    /// Nothing until they have been read once: then nobody is issued anything.
    rules: watch::Receiver<Option<Arc<DenyRules>>>,
    blocked: Arc<Mutex<Blocked>>,
}

/// When each request was blocked last, by signer and UID.
type Blocked = HashMap<SignerName, HashMap<String, Instant>>;

/// A blocked request is evaluated again at least so often; one that wasn't is gone.
const EVALUATED_WITHIN: Duration = Duration::from_secs(150);

impl DenyRulesInForce {
    /// What the receiver shows.
    pub(crate) fn new(rules: watch::Receiver<Option<Arc<DenyRules>>>) -> Self {
        Self { rules, blocked: Arc::default() }
    }

    /// These, for ever.
    pub(crate) fn fixed(rules: DenyRules) -> Self {
        Self::new(watch::channel(Some(Arc::new(rules))).1)
    }

    /// Keeps the request pending if a rule blocks its pod, or as long as no rules have been read. Never a
    /// denial: a rule may be mistaken, and kubelet takes a denial as final, also for a pod that has just
    /// begun to run.
    pub(crate) fn check(
        &self,
        signer: &SignerName,
        pod: &Pod,
        namespace: Option<&Namespace>,
        request_uid: &str,
    ) -> Option<Decision> {
        let rules = self.rules.borrow().clone();
        let Some(rules) = rules else {
            let message = "the operator's deny rules haven't been read since the controller started, and nothing is issued before; \
                           the controller's /readyz says what keeps them from being read";
            return Some(wait(reasons::DENY_RULES_UNAVAILABLE, message.to_owned()));
        };
        let rule = rules.matching(signer, pod, namespace);
        self.note(signer, request_uid, rule.is_some());
        rule.map(|rule| {
            let (matched, reason) = (rule.matched(pod), rule.reason().unwrap_or(NO_REASON));
            let message = format!(
                "a deny rule of the operator for {matched} blocks this pod: {reason}; a certificate is issued when the operator lifts the rule"
            );
            wait(reasons::BLOCKED_BY_DENY_RULE, message)
        })
    }

    /// Whether labels of namespaces decide at a signer.
    pub(crate) fn reads_namespaces(&self, signer: &SignerName) -> bool {
        self.rules.borrow().as_ref().is_some_and(|rules| rules.reads_namespaces(signer))
    }

    /// Waits until the rules have changed; for ever if they can't.
    pub(crate) async fn changed(&mut self) {
        if self.rules.changed().await.is_err() {
            std::future::pending().await
        }
    }

    /// How many requests to a signer are blocked now.
    pub(crate) fn blocked(&self, signer: &SignerName) -> usize {
        let mut blocked = self.lock();
        let Some(requests) = blocked.get_mut(signer) else { return 0 };
        requests.retain(|_, at| at.elapsed() < EVALUATED_WITHIN);
        requests.len()
    }

    fn note(&self, signer: &SignerName, request_uid: &str, is_blocked: bool) {
        let mut blocked = self.lock();
        if is_blocked {
            let requests = blocked.entry(signer.clone()).or_default();
            requests.insert(request_uid.to_owned(), Instant::now());
        } else if let Some(requests) = blocked.get_mut(signer) {
            requests.remove(request_uid);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Blocked> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait(reason: crate::reason::Reason, message: String) -> Decision {
    Wait { reason, message, until: &[WakeOn::DenyRules, WakeOn::Pod] }.into()
}

#[cfg(test)]
mod tests;

//! One rule, and the rules in the order of their document.

use std::{collections::BTreeSet, fmt};

use crate::cluster::{LabelSelector, Namespace, Pod};
use bounded_text::one_line;
use ca_pool::names::SignerName;

/// What a rule is for: a pod of all that it names, at one of the signers. In each list names or `*`; a
/// missing list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DenySelector {
    /// Namespaces of pods.
    pub namespaces: Option<Vec<String>>,
    /// Labels of namespaces of pods; none: whatever they are.
    pub namespace_selector: Option<LabelSelector>,
    /// Service accounts of pods, in any of the namespaces.
    pub service_accounts: Option<Vec<String>>,
    /// Nodes that pods run on.
    pub nodes: Option<Vec<String>>,
    /// Signers that pods ask.
    pub signers: Option<Vec<String>>,
}

/// A rule that blocks the requests of some pods.
///
/// ```
/// use signer_core::deny::{DenyRule, DenyRuleError, DenySelector};
///
/// let evil = DenySelector { namespaces: Some(vec!["evil".into()]), ..DenySelector::default() };
/// assert_eq!(DenyRule::new(evil, Some("INC-7"))?.to_string(), "namespace evil (INC-7)");
/// assert_eq!(DenyRule::new(DenySelector::default(), None), Err(DenyRuleError::NamesNothing));
/// # Ok::<(), DenyRuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenyRule {
    namespaces: Names,
    namespace_selector: Option<LabelSelector>,
    service_accounts: Names,
    nodes: Names,
    signers: Names,
    reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    Missing,
    All,
    Only(BTreeSet<String>),
}

/// Why a rule is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DenyRuleError {
    /// It would block everybody by mistake.
    #[error(
        "names neither namespaces, namespaceSelector, serviceAccounts, nodes nor signers, so it would block every pod; name some, or write namespaces: [\"*\"] if every pod is meant"
    )]
    NamesNothing,
    /// One of its lists is empty, so it would block nobody.
    #[error("has an empty list of {0}, so it would block nobody; name some, or leave the list out for all")]
    EmptyList(&'static str),
    /// Its reason is too long for the events that show it.
    #[error("has a reason of {0} characters; {MAX_DENY_REASON_CHARS} are the most")]
    LongReason(usize),
}

/// The characters of a rule's reason at most: an event holds 1024 bytes.
pub const MAX_DENY_REASON_CHARS: usize = 200;

/// Names of a list that a message shows.
const MAX_NAMES_SHOWN: usize = 10;

impl DenyRule {
    /// Makes a rule. The reason is for people; its white space is normalised, so that it fits on a line.
    ///
    /// # Errors
    /// If it names nothing, has an empty list or a reason that is too long.
    pub fn new(selector: DenySelector, reason: Option<&str>) -> Result<Self, DenyRuleError> {
        let DenySelector { namespaces, namespace_selector, service_accounts, nodes, signers } = selector;
        let reason = reason.map(one_line).filter(|reason| !reason.is_empty());
        match reason.as_ref().map(|reason| reason.chars().count()) {
            Some(count) if count > MAX_DENY_REASON_CHARS => return Err(DenyRuleError::LongReason(count)),
            _ => {}
        }
        let rule = Self {
            namespaces: Names::of(namespaces, "namespaces")?,
            namespace_selector,
            service_accounts: Names::of(service_accounts, "serviceAccounts")?,
            nodes: Names::of(nodes, "nodes")?,
            signers: Names::of(signers, "signers")?,
            reason,
        };
        let names_nothing = rule.lists().iter().all(|(_, names)| **names == Names::Missing);
        if names_nothing && rule.namespace_selector.is_none() {
            return Err(DenyRuleError::NamesNothing);
        }
        Ok(rule)
    }

    /// Whether it blocks a pod at this signer. A pod of whose namespace nothing is known is blocked where labels count.
    #[must_use]
    pub fn matches(&self, signer: &SignerName, pod: &Pod, namespace: Option<&Namespace>) -> bool {
        let is_selected =
            |selector: &LabelSelector| namespace.is_none_or(|namespace| selector.matches(&namespace.labels));
        self.concerns(signer)
            && self.namespaces.contain(&pod.namespace)
            && self.service_accounts.contain(&pod.service_account_name)
            && self.nodes.contain(&pod.node_name)
            && self.namespace_selector.as_ref().is_none_or(is_selected)
    }

    /// Whether it blocks anybody at this signer.
    #[must_use]
    pub fn concerns(&self, signer: &SignerName) -> bool {
        self.signers.contain(signer.as_str())
    }

    /// Why it is there, if its author said so.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The signers that it names.
    pub(super) fn named_signers(&self) -> impl Iterator<Item = &str> {
        let names = match &self.signers {
            Names::Only(names) => Some(names),
            Names::Missing | Names::All => None,
        };
        names.into_iter().flatten().map(String::as_str)
    }

    /// What of a pod it names: a tenant hears of its own pod, and of nobody else.
    pub(super) fn matched(&self, pod: &Pod) -> String {
        let labelled = self.namespace_selector.as_ref().map(|_| Names::Only(BTreeSet::new()));
        let of_pod = [
            (labelled.as_ref().unwrap_or(&self.namespaces), "namespace", &pod.namespace),
            (&self.service_accounts, "service account", &pod.service_account_name),
            (&self.nodes, "node", &pod.node_name),
        ];
        let named = of_pod.into_iter().filter(|(names, ..)| matches!(names, Names::Only(_)));
        let named: Vec<_> = named.map(|(_, what, name)| format!("{what} {name}")).collect();
        if named.is_empty() { "every pod".to_owned() } else { named.join(", ") }
    }

    fn lists(&self) -> [(&'static str, &Names); 4] {
        [
            ("namespace", &self.namespaces),
            ("service account", &self.service_accounts),
            ("node", &self.nodes),
            ("signer", &self.signers),
        ]
    }
}

impl Names {
    fn of(list: Option<Vec<String>>, what: &'static str) -> Result<Self, DenyRuleError> {
        match list {
            None => Ok(Self::Missing),
            Some(list) if list.is_empty() => Err(DenyRuleError::EmptyList(what)),
            Some(list) if list.iter().any(|name| name == "*") => Ok(Self::All),
            Some(list) => Ok(Self::Only(list.into_iter().collect())),
        }
    }

    fn contain(&self, name: &str) -> bool {
        match self {
            Self::Missing | Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }
}

impl fmt::Display for DenyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (what, names) in self.lists() {
            match names {
                Names::Missing => continue,
                Names::All => write!(f, "{separator}every {what}")?,
                Names::Only(names) => {
                    let plural = if names.len() == 1 { "" } else { "s" };
                    let shown: Vec<_> = names.iter().take(MAX_NAMES_SHOWN).map(String::as_str).collect();
                    write!(f, "{separator}{what}{plural} {}", shown.join(", "))?;
                    if names.len() > shown.len() {
                        write!(f, " and {} more", names.len() - shown.len())?;
                    }
                }
            }
            separator = "; ";
        }
        if let Some(selector) = &self.namespace_selector {
            write!(f, "{separator}namespaces with labels {selector}")?;
        }
        write!(f, " ({})", self.reason().unwrap_or(NO_REASON))
    }
}

/// What stands for a reason that nobody gave.
pub(super) const NO_REASON: &str = "no reason given";

/// The rules of a document. The first that matches a pod is named to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DenyRules(Vec<DenyRule>);

impl DenyRules {
    /// The first rule that blocks a pod at this signer.
    #[must_use]
    pub fn matching(
        &self,
        signer: &SignerName,
        pod: &Pod,
        namespace: Option<&Namespace>,
    ) -> Option<&DenyRule> {
        self.0.iter().find(|rule| rule.matches(signer, pod, namespace))
    }

    /// Whether labels of namespaces decide at this signer.
    #[must_use]
    pub fn reads_namespaces(&self, signer: &SignerName) -> bool {
        self.0.iter().any(|rule| rule.namespace_selector.is_some() && rule.concerns(signer))
    }

    /// The rules, in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = &DenyRule> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is blocked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<DenyRule> for DenyRules {
    fn from_iter<I: IntoIterator<Item = DenyRule>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;

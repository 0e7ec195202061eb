//! Which workloads a rule is for.

use super::{LabelSelector, Namespace, Pod};

/// A set of workloads, by namespace and service account: what `allow` and `grants` of the configuration start
/// with. An entry is a name, or `*` for all; an empty list means none.
///
/// ```
/// use signer_core::{cluster::WorkloadSelector, testing::RequestBuilder};
///
/// let web = WorkloadSelector::new(["web"], ["*"]);
/// assert!(RequestBuilder::new("example.com/a").namespace("web").build().is_of(&web));
/// assert!(!RequestBuilder::new("example.com/a").namespace("shop").build().is_of(&web));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadSelector {
    namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
    service_accounts: Vec<String>,
}

impl WorkloadSelector {
    /// Selects the workloads of these service accounts in these namespaces.
    pub fn new<N: Into<String>, S: Into<String>>(
        namespaces: impl IntoIterator<Item = N>,
        service_accounts: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            namespaces: namespaces.into_iter().map(Into::into).collect(),
            namespace_selector: None,
            service_accounts: service_accounts.into_iter().map(Into::into).collect(),
        }
    }

    /// Of these namespaces, those alone whose labels match. Whoever may label a namespace decides then, so a signer
    /// that uses it must say that it [reads namespaces](crate::Signer::reads_namespaces).
    #[must_use]
    pub fn with_namespace_selector(mut self, selector: LabelSelector) -> Self {
        self.namespace_selector = Some(selector);
        self
    }

    /// The namespaces: names, or `*` for all.
    #[must_use]
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// The labels that namespaces must have.
    #[must_use]
    pub fn namespace_selector(&self) -> Option<&LabelSelector> {
        self.namespace_selector.as_ref()
    }

    /// The service accounts: names, or `*` for all.
    #[must_use]
    pub fn service_accounts(&self) -> &[String] {
        &self.service_accounts
    }

    /// Whether a pod belongs to it. Where labels count, none does whose namespace isn't given.
    #[must_use]
    pub fn contains(&self, pod: &Pod, namespace: Option<&Namespace>) -> bool {
        let is_selected =
            |selector: &LabelSelector| namespace.is_some_and(|namespace| selector.matches(&namespace.labels));
        names(&self.namespaces, &pod.namespace)
            && names(&self.service_accounts, &pod.service_account_name)
            && self.namespace_selector.as_ref().is_none_or(is_selected)
    }
}

fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| entry == "*" || entry == name)
}

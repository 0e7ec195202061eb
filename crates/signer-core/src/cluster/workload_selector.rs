//! Which workloads a rule is for.

use super::Pod;

/// A set of workloads, by namespace and service account: what `allow` and `grants` of the configuration start
/// with. An entry is a name, or `*` for all; an empty list means none.
///
/// ```
/// use signer_core::cluster::WorkloadSelector;
///
/// let web = WorkloadSelector::new(["web"], ["*"]);
/// assert!(web.contains("web", "server") && !web.contains("shop", "server"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadSelector {
    namespaces: Vec<String>,
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
            service_accounts: service_accounts.into_iter().map(Into::into).collect(),
        }
    }

    /// The namespaces: names, or `*` for all.
    #[must_use]
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// The service accounts: names, or `*` for all.
    #[must_use]
    pub fn service_accounts(&self) -> &[String] {
        &self.service_accounts
    }

    /// Whether a service account of a namespace belongs to it.
    #[must_use]
    pub fn contains(&self, namespace: &str, service_account: &str) -> bool {
        names(&self.namespaces, namespace) && names(&self.service_accounts, service_account)
    }

    /// Whether a pod belongs to it.
    #[must_use]
    pub fn contains_pod(&self, pod: &Pod) -> bool {
        self.contains(&pod.namespace, &pod.service_account_name)
    }
}

fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| entry == "*" || entry == name)
}

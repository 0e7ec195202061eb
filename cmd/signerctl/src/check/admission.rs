//! Whether only nodes may ask for certificates.

use serde::Deserialize;

use super::finding::Finding;
use crate::{
    error::Error,
    store::{cluster::Cluster, plain::Plain},
};

const POLICY: &str = "only-nodes-request-pod-certificates";
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

/// A policy counts if it is there, and some binding of it denies.
pub(super) fn check(cluster: &Cluster) -> Result<Vec<Finding>, Error> {
    let policy = cluster.get_plain::<Policy>(&format!("{GROUP}/validatingadmissionpolicies"), POLICY)?;
    let bindings =
        cluster.list_plain::<Binding>(&format!("{GROUP}/validatingadmissionpolicybindings"), None)?;
    let denies = bindings.iter().any(|binding| binding.denies(POLICY));
    let danger = "Without it, whoever may create PodCertificateRequests can have the certificate of any pod for a key of their own. Apply \
                  controller-manifests/05-admission-policy.yaml; if another policy does the same, this line can be passed over.";
    Ok(vec![match policy {
        None => Finding::bad(format!("admission policy {POLICY} isn't installed"), danger),
        Some(_) if !denies => Finding::bad(format!("no binding of admission policy {POLICY} denies"), danger),
        Some(policy) if policy.spec.failure_policy == "Ignore" => Finding::warning(
            format!("admission policy {POLICY} lets requests pass when it can't be evaluated"),
            "Set its failurePolicy to Fail.",
        ),
        Some(_) => Finding::good(format!("admission policy {POLICY} is bound, and denies")),
    }])
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Policy {
    spec: PolicySpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PolicySpec {
    failure_policy: String,
}

impl Plain for Policy {
    const KIND: &'static str = "ValidatingAdmissionPolicy";
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Binding {
    spec: BindingSpec,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BindingSpec {
    policy_name: String,
    validation_actions: Vec<String>,
}

impl Plain for Binding {
    const KIND: &'static str = "ValidatingAdmissionPolicyBinding";
}

impl Binding {
    fn denies(&self, policy: &str) -> bool {
        self.spec.policy_name == policy && self.spec.validation_actions.iter().any(|action| action == "Deny")
    }
}

//! Whether only nodes may ask for certificates.

use serde::Deserialize;

use super::finding::{Finding, Findings};
use crate::store::{cluster::Cluster, plain::Plain};

const POLICY: &str = "only-nodes-request-pod-certificates";
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

pub(super) fn check(cluster: &Cluster, findings: &mut Findings) {
    let policy = cluster.get_plain::<Policy>(&format!("{GROUP}/validatingadmissionpolicies"), POLICY);
    let is_there = matches!(policy, Ok(Some(_)));
    findings.add("admission-policy", policy.map(|policy| vec![of_policy(policy.as_ref())]));
    if is_there {
        let bindings =
            cluster.list_plain::<Binding>(&format!("{GROUP}/validatingadmissionpolicybindings"), None);
        findings.add("admission-policy-binding", bindings.map(|bindings| vec![of_bindings(&bindings)]));
    }
}

const DANGER: &str = "Without it, whoever may create PodCertificateRequests can have the certificate of any pod for a key of their own. Apply \
                      controller-manifests/05-admission-policy.yaml; if another policy does the same, this line can be passed over.";

fn of_policy(policy: Option<&Policy>) -> Finding {
    match policy {
        None => Finding::bad(format!("admission policy {POLICY} isn't installed"), DANGER),
        Some(policy) if policy.spec.failure_policy == "Ignore" => Finding::warning(
            format!("admission policy {POLICY} lets requests pass when it can't be evaluated"),
            "Set its failurePolicy to Fail.",
        ),
        Some(_) => Finding::good(format!("admission policy {POLICY} is installed")),
    }
}

fn of_bindings(bindings: &[Binding]) -> Finding {
    if bindings.iter().any(|binding| binding.denies(POLICY)) {
        Finding::good(format!("a binding of {POLICY} denies"))
    } else {
        Finding::bad(format!("no binding of {POLICY} denies"), DANGER)
    }
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

#[cfg(test)]
mod tests {
    use super::{super::finding::Severity, *};

    #[test]
    fn a_policy_counts_if_it_fails_closed_and_a_binding_of_it_denies() {
        let policy = |failure_policy: &str| {
            Some(Policy { spec: PolicySpec { failure_policy: failure_policy.to_owned() } })
        };
        for (policy, expected) in [
            (None, Severity::Bad),
            (policy("Ignore"), Severity::Warning),
            (policy("Fail"), Severity::Good),
            (policy(""), Severity::Good),
        ] {
            assert_eq!(of_policy(policy.as_ref()).severity, expected);
        }
        let binding = |policy_name: &str, action: &str| Binding {
            spec: BindingSpec {
                policy_name: policy_name.to_owned(),
                validation_actions: vec!["Audit".to_owned(), action.to_owned()],
            },
        };
        for (bindings, expected) in [
            (vec![], Severity::Bad),
            (vec![binding("other", "Deny")], Severity::Bad),
            (vec![binding(POLICY, "Warn")], Severity::Bad),
            (vec![binding(POLICY, "Warn"), binding(POLICY, "Deny")], Severity::Good),
        ] {
            assert_eq!(of_bindings(&bindings).severity, expected);
        }
    }
}

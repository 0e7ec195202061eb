//! Whether only nodes may ask for certificates.

use api_client::{
    answer::SizeClass,
    object::{ApiObject, Identity},
};
use serde::Deserialize;

use super::finding::Finding;
use crate::{error::Error, store::cluster::Cluster};

const POLICY: &str = "only-nodes-request-pod-certificates";
const GROUP: &str = "/apis/admissionregistration.k8s.io/v1";

/// A policy counts if it is there, and some binding of it denies.
pub(super) fn check(cluster: &Cluster) -> Result<Vec<Finding>, Error> {
    let policy = cluster.get::<Policy>(&format!("{GROUP}/validatingadmissionpolicies"), POLICY)?;
    let bindings =
        cluster.list::<Binding>(&format!("{GROUP}/validatingadmissionpolicybindings"), None)?.objects;
    let denies = bindings.iter().any(|binding| binding.policy == POLICY && binding.denies);
    let danger = "Without it, whoever may create PodCertificateRequests can have the certificate of any pod for a key of their own. Apply \
                  controller-manifests/05-admission-policy.yaml; if another policy does the same, this line can be passed over.";
    Ok(vec![match policy {
        None => Finding::bad(format!("there is no admission policy {POLICY}"), danger),
        Some(_) if !denies => Finding::bad(format!("no binding of admission policy {POLICY} denies"), danger),
        Some(policy) if policy.fails_open => Finding::warning(
            format!("admission policy {POLICY} lets requests pass when it can't be evaluated"),
            "Set its failurePolicy to Fail.",
        ),
        Some(_) => Finding::good(format!("admission policy {POLICY} is bound, and denies")),
    }])
}

struct Policy {
    fails_open: bool,
}

#[derive(Deserialize)]
struct PolicyWire {
    spec: PolicySpecWire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicySpecWire {
    failure_policy: Option<String>,
}

impl ApiObject for Policy {
    type Wire = PolicyWire;
    const KIND: &'static str = "ValidatingAdmissionPolicy";
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(wire: PolicyWire) -> Result<Self, String> {
        Ok(Self { fails_open: wire.spec.failure_policy.as_deref() == Some("Ignore") })
    }

    fn gone(_: Identity) -> Self {
        Self { fails_open: true }
    }
}

struct Binding {
    policy: String,
    denies: bool,
}

#[derive(Deserialize)]
struct BindingWire {
    spec: BindingSpecWire,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BindingSpecWire {
    policy_name: String,
    validation_actions: Vec<String>,
}

impl ApiObject for Binding {
    type Wire = BindingWire;
    const KIND: &'static str = "ValidatingAdmissionPolicyBinding";
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(BindingWire { spec }: BindingWire) -> Result<Self, String> {
        let denies = spec.validation_actions.iter().any(|action| action == "Deny");
        Ok(Self { policy: spec.policy_name, denies })
    }

    fn gone(_: Identity) -> Self {
        Self { policy: String::new(), denies: false }
    }
}

//! What the controller's service account may do, held against what it needs.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use signer_core::{
    ca_pool::PoolSource,
    deny::DenySource,
    federation::{federated_bundle_name, federation_signer_name},
};
use signer_manager::Config;

use super::finding::Finding;
use crate::{
    error::Error,
    observed::{CONTROLLER_NAME, Controller},
    store::plain::Plain,
    text::arguments::plural,
};

/// A right, as a rule of RBAC gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    pub(super) verb: &'static str,
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
    /// Empty: in all, or of the cluster.
    pub(super) namespace: String,
    /// Empty: of any name.
    pub(super) name: String,
    /// What gives it.
    pub(super) manifest: &'static str,
}

const RBAC: &str = "controller-manifests/30-rbac.yaml";
const DENY_RULES: &str = "controller-manifests/45-deny-rules.yaml";
const POOLS: &str = "controller-manifests/self-keeping-pools/role.yaml";
const METRICS: &str = "controller-manifests/metrics-auth/rbac.yaml";
const FEDERATION: &str = "the rules of docs/federation.md";
const NAMESPACES: &str = "the rule for namespaces of docs/configuration.md";

/// All that the controller needs for this configuration, and to ask who reads its metrics.
pub(super) fn needed(config: &Config, has_metrics_auth: bool) -> Vec<Right> {
    const CERTIFICATES: &str = "certificates.k8s.io";
    let right = |verb, group, resource| Right {
        verb,
        group,
        resource,
        namespace: String::new(),
        name: String::new(),
        manifest: RBAC,
    };
    let named =
        |verb, group, resource, name: &str| Right { name: name.to_owned(), ..right(verb, group, resource) };
    let mut rights = vec![
        right("update", CERTIFICATES, "podcertificaterequests/status"),
        right("create", CERTIFICATES, "clustertrustbundles"),
        right("create", "events.k8s.io", "events"),
    ];
    if config.signers.iter().any(|signer| signer.reads_namespaces()) {
        rights.push(Right { manifest: NAMESPACES, ..right("get", "", "namespaces") });
    }
    for verb in ["get", "list", "watch"] {
        rights.push(right(verb, CERTIFICATES, "podcertificaterequests"));
        rights.push(right(verb, "", "pods"));
        if config.signers.iter().any(|signer| signer.reads_services()) {
            rights.push(right(verb, "", "services"));
        }
    }
    for signer in &config.signers {
        let name = signer.name();
        rights.push(named("sign", CERTIFICATES, "signers", name.as_str()));
        rights.push(named("attest", CERTIFICATES, "signers", name.as_str()));
        rights.push(named("update", CERTIFICATES, "clustertrustbundles", &name.bundle_name()));
        if let PoolSource::Secret(secret) = &signer.ca_pool {
            let verbs = if secret.automatic_rotation.is_some() { &["get", "update"][..] } else { &["get"] };
            let of_pool = |verb| Right {
                namespace: secret.namespace.clone(),
                manifest: POOLS,
                ..named(verb, "", "secrets", &secret.name)
            };
            rights.extend(verbs.iter().map(|verb| of_pool(verb)));
        }
    }
    for (signer, federation) in
        config.signers.iter().filter_map(|signer| Some((signer.name(), signer.federation()?)))
    {
        let Some(name) = federation_signer_name(signer) else { continue };
        let mut of_federation = vec![named("attest", CERTIFICATES, "signers", name.as_str())];
        for domain in &federation.domains {
            let bundle = federated_bundle_name(&name, &domain.trust_domain);
            of_federation.extend(
                ["update", "delete"].map(|verb| named(verb, CERTIFICATES, "clustertrustbundles", &bundle)),
            );
        }
        rights.extend(of_federation.into_iter().map(|right| Right { manifest: FEDERATION, ..right }));
    }
    if let Some(DenySource::ConfigMap { namespace, name, .. }) = &config.deny {
        let of_rules = named("get", "", "configmaps", name);
        rights.push(Right { namespace: namespace.clone(), manifest: DENY_RULES, ..of_rules });
    }
    if has_metrics_auth {
        for (group, resource) in
            [("authentication.k8s.io", "tokenreviews"), ("authorization.k8s.io", "subjectaccessreviews")]
        {
            rights.push(Right { manifest: METRICS, ..right("create", group, resource) });
        }
    }
    rights
}

/// Asks the API server for each.
pub(super) fn check(controller: &Controller<'_>, config: &Config) -> Result<Vec<Finding>, Error> {
    let (account, has_metrics_auth) = match controller.deployment() {
        Ok(deployment) => (deployment.service_account.as_str(), deployment.has_metrics_auth),
        // which is a finding of its own
        Err(Error::NotThere { .. }) => (CONTROLLER_NAME, false),
        Err(error) => return Err(error),
    };
    let needed = needed(config, has_metrics_auth);
    let (mut missing, mut manifests) = (Vec::new(), BTreeSet::new());
    for right in &needed {
        if !is_allowed(controller, account, right)? {
            missing.push(right.to_string());
            manifests.insert(right.manifest);
        }
    }
    let account = format!("service account {}/{account}", controller.namespace);
    Ok(vec![if missing.is_empty() {
        Finding::good(format!("{account} has all of its {}", plural(needed.len(), "right")))
    } else {
        let has_names = manifests.contains(RBAC) || manifests.contains(POOLS);
        let names = if has_names {
            ", with the names of the configuration's signers, their bundles and Secrets"
        } else {
            ""
        };
        let manifests = manifests.into_iter().collect::<Vec<_>>().join(" and ");
        let remedy = format!("Apply {manifests}{names}, for this account.");
        Finding::bad(format!("{account} may not {}", missing.join(", nor ")), remedy)
    }])
}

fn is_allowed(controller: &Controller<'_>, account: &str, right: &Right) -> Result<bool, Error> {
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((right.resource, ""));
    let namespace = controller.namespace;
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": format!("system:serviceaccount:{namespace}:{account}"),
            "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{namespace}"), "system:authenticated"],
            "resourceAttributes": {
                "verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource,
                "namespace": right.namespace, "name": right.name,
            },
        },
    });
    let review =
        controller.cluster.review::<Review>("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review);
    Ok(review?.status.allowed)
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { verb, group, resource, namespace, name, .. } = self;
        let group = if group.is_empty() { String::new() } else { format!(".{group}") };
        write!(f, "{verb} {resource}{group}")?;
        match (namespace.as_str(), name.as_str()) {
            ("", "") => Ok(()),
            ("", name) => write!(f, " {name}"),
            (namespace, name) => write!(f, " {namespace}/{name}"),
        }
    }
}

/// The answer to a review.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Review {
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReviewStatus {
    allowed: bool,
}

impl Plain for Review {
    const KIND: &'static str = "SubjectAccessReview";
}

#[cfg(test)]
mod tests;

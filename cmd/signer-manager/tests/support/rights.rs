//! A user who may do what was granted, and nothing else.

use k8s_openapi::{
    api::{
        core::v1::Namespace,
        rbac::v1::{ClusterRole, ClusterRoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{Api, Client, ResourceExt, api::PostParams};
use serde_json::{Value, json};
use test_cluster::{Error, Scope, unique};

/// A user of a test's own. Cluster roles have no namespace; they belong to one all the same, and go with it.
pub(crate) struct User<'a> {
    scope: &'a Scope,
    name: String,
    owner: OwnerReference,
}

impl<'a> User<'a> {
    /// A user without rights.
    pub(crate) async fn new(scope: &'a Scope) -> Result<Self, Error> {
        let namespace = scope.namespace("rights").await?;
        let owner: Namespace = Api::all(scope.client()).get(&namespace).await.unwrap();
        let owner = OwnerReference {
            api_version: "v1".into(),
            kind: "Namespace".into(),
            uid: owner.uid().unwrap_or_default(),
            name: namespace,
            ..OwnerReference::default()
        };
        Ok(Self { scope, name: format!("signer-{}", unique::label()), owner })
    }

    /// Gives the user these rights, beyond those that it has.
    pub(crate) async fn grant(&self, rules: &[Value]) {
        let name = format!("{}-{}", self.name, unique::label());
        let metadata = json!({"name": name, "ownerReferences": [self.owner]});
        let role = json!({"metadata": metadata, "rules": rules});
        let binding = json!({
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.name}],
        });
        let (roles, bindings) = (Api::all(self.scope.client()), Api::all(self.scope.client()));
        let role: ClusterRole = serde_json::from_value(role).unwrap();
        roles.create(&PostParams::default(), &role).await.unwrap();
        let binding: ClusterRoleBinding = serde_json::from_value(binding).unwrap();
        bindings.create(&PostParams::default(), &binding).await.unwrap();
    }

    /// A client that acts as the user.
    pub(crate) fn client(&self) -> Client {
        self.scope.cluster().client_as(&self.name, &["system:authenticated"]).unwrap()
    }
}

/// What every signer needs, whatever its name.
pub(crate) fn of_every_signer() -> Vec<Value> {
    vec![
        rule("certificates.k8s.io", &["podcertificaterequests"], &["get", "list", "watch"]),
        rule("certificates.k8s.io", &["podcertificaterequests/status"], &["update"]),
        rule("certificates.k8s.io", &["clustertrustbundles"], &["create", "update"]),
        rule("", &["pods", "services"], &["get", "list", "watch"]),
        rule("events.k8s.io", &["events"], &["create"]),
    ]
}

/// To look at trust bundles.
pub(crate) fn watch_bundles() -> Value {
    rule("certificates.k8s.io", &["clustertrustbundles"], &["get", "list", "watch"])
}

/// `sign` or `attest` for one signer.
pub(crate) fn on_signer(verb: &str, signer_name: &str) -> Value {
    let mut rule = rule("certificates.k8s.io", &["signers"], &[verb]);
    rule["resourceNames"] = json!([signer_name]);
    rule
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": resources, "verbs": verbs})
}

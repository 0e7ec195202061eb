//! A user who may do what was granted, and nothing else.

use k8s_openapi::{
    api::{
        authentication::v1::TokenRequest,
        authorization::v1::SelfSubjectAccessReview,
        core::v1::{Namespace, ServiceAccount},
        rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    },
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{Api, Client, ResourceExt, api::PostParams, config::AuthInfo};
use serde_json::{Value, json};
use test_cluster::{Error, Scope, unique};

/// A token of a service account, which is made if there is none.
pub(crate) async fn token_of(scope: &Scope, namespace: &str, name: &str) -> Result<String, Error> {
    scope.ensure_service_account(namespace, name).await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(scope.client(), namespace);
    let wanted: TokenRequest = serde_json::from_value(json!({"spec": {"audiences": []}})).unwrap();
    let token = accounts.create_token_request(name, &PostParams::default(), &wanted).await.unwrap();
    Ok(token.status.and_then(|status| status.token).unwrap())
}

/// A user of a test's own. Cluster roles have no namespace; they belong to one all the same, and go with it.
pub(crate) struct User<'a> {
    scope: &'a Scope,
    name: String,
    owner: OwnerReference,
    client: Client,
}

impl<'a> User<'a> {
    /// A user without rights.
    pub(crate) async fn new(scope: &'a Scope) -> Result<Self, Error> {
        let namespace = scope.namespace("rights").await?;
        let name = format!("signer-{}", unique::label());
        let client = scope.cluster().client_as(&name, &["system:authenticated"])?;
        Ok(Self { scope, owner: owner_of(scope, &namespace).await, name, client })
    }

    /// A service account without rights, by its own token.
    pub(crate) async fn service_account(
        scope: &'a Scope,
        namespace: &str,
        name: &str,
    ) -> Result<Self, Error> {
        let token = token_of(scope, namespace, name).await?;
        let mut config = scope.cluster().config();
        config.auth_info = AuthInfo { token: Some(token.into()), ..AuthInfo::default() };
        let client = Client::try_from(config).unwrap();
        let name = format!("system:serviceaccount:{namespace}:{name}");
        Ok(Self { scope, owner: owner_of(scope, namespace).await, name, client })
    }

    /// Gives the user these rights, beyond those that it has.
    pub(crate) async fn grant(&self, rules: &[Value]) {
        let name = format!("signer-{}", unique::label());
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

    /// Gives the user these rights in a namespace.
    pub(crate) async fn grant_in(&self, namespace: &str, rules: &[Value]) {
        let metadata = json!({"name": format!("signer-{}", unique::label())});
        let role = json!({"metadata": metadata, "rules": rules});
        let binding = json!({
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": metadata["name"]},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.name}],
        });
        let roles = Api::namespaced(self.scope.client(), namespace);
        let bindings = Api::namespaced(self.scope.client(), namespace);
        let role: Role = serde_json::from_value(role).unwrap();
        roles.create(&PostParams::default(), &role).await.unwrap();
        let binding: RoleBinding = serde_json::from_value(binding).unwrap();
        bindings.create(&PostParams::default(), &binding).await.unwrap();
    }

    /// Whether the user may do that: `resourceAttributes` of a SelfSubjectAccessReview.
    pub(crate) async fn may(&self, attributes: &Value) -> bool {
        let review = json!({"spec": {"resourceAttributes": attributes}});
        let review: SelfSubjectAccessReview = serde_json::from_value(review).unwrap();
        let answer = Api::all(self.client()).create(&PostParams::default(), &review).await.unwrap();
        answer.status.unwrap().allowed
    }

    /// A client that acts as the user.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }
}

/// The namespace as the owner of what has none.
pub(crate) async fn owner_of(scope: &Scope, namespace: &str) -> OwnerReference {
    let owner: Namespace = Api::all(scope.client()).get(namespace).await.unwrap();
    OwnerReference {
        api_version: "v1".into(),
        kind: "Namespace".into(),
        uid: owner.uid().unwrap_or_default(),
        name: namespace.into(),
        ..OwnerReference::default()
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

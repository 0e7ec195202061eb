//! The role's rules, taken apart.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    manifests::isolated_install::Names,
    support::shipped::{CONTROLLER, folder, list},
};

/// One verb on one resource, for one name if it is granted by name.
pub(super) struct Permission {
    pub(super) group: String,
    pub(super) resource: String,
    pub(super) verb: String,
    pub(super) name: Option<String>,
}

/// The rules of the shipped role, under these names.
pub(super) fn rules(names: &Names) -> Vec<Value> {
    let manifests = folder(CONTROLLER).into_iter().map(|manifest| manifest.renamed(names));
    let mut objects = manifests.flat_map(|manifest| manifest.objects());
    let role = objects.find(|object| object["kind"] == "ClusterRole").unwrap();
    role["rules"].as_array().unwrap().clone()
}

/// Every single permission of the shipped role, under these names.
pub(super) fn of_role(names: &Names) -> Vec<Permission> {
    rules(names).iter().flat_map(permissions).collect()
}

fn permissions(rule: &Value) -> Vec<Permission> {
    let names = match &rule["resourceNames"] {
        Value::Null => vec![None],
        names => list(names).into_iter().map(Some).collect(),
    };
    let mut permissions = Vec::new();
    for group in list(&rule["apiGroups"]) {
        for resource in list(&rule["resources"]) {
            for verb in list(&rule["verbs"]) {
                permissions.extend(names.iter().map(|name| Permission {
                    group: group.clone(),
                    resource: resource.clone(),
                    verb: verb.clone(),
                    name: name.clone(),
                }));
            }
        }
    }
    permissions
}

impl Permission {
    /// A rule that grants this alone.
    pub(super) fn rule(&self) -> Value {
        let Self { group, resource, verb, name } = self;
        let mut rule = json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
        if let Some(name) = name {
            rule["resourceNames"] = json!([name]);
        }
        rule
    }

    /// What a SelfSubjectAccessReview asks about it.
    pub(super) fn attributes(&self) -> Value {
        let Self { group, resource, verb, name } = self;
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        json!({"group": group, "resource": resource, "subresource": subresource, "verb": verb, "name": name})
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}

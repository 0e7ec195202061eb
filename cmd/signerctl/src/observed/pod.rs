//! Pods, with what signers don't need to know of them.

use std::fmt;

use api_client::{
    answer::SizeClass,
    object::{ApiObject, Identity, read_object},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use signer_core::cluster::{Pod, PodPhase};

use super::shown;

/// A pod.
#[derive(Clone, Debug)]
pub(crate) struct ObservedPod {
    /// As signers read it.
    pub(crate) pod: Pod,
    /// What made it.
    pub(crate) owner: Option<Owner>,
    pub(crate) created: Option<Timestamp>,
    /// Whether its `Ready` condition is true.
    pub(crate) is_ready: bool,
    /// The image of its first container.
    pub(crate) image: String,
}

impl ObservedPod {
    /// Whether it needs no certificate any more.
    pub(crate) fn is_finished(&self) -> bool {
        self.pod.phase == PodPhase::Finished || self.pod.is_terminating
    }
}

/// What made a pod; of a ReplicaSet's pod the Deployment, whose name the ReplicaSet's begins with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    /// Of the API; empty for the core's.
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.to_lowercase(), self.name)
    }
}

#[derive(Deserialize)]
struct PodWire {
    metadata: MetadataWire,
    #[serde(default)]
    spec: SpecWire,
    #[serde(default)]
    status: StatusWire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataWire {
    creation_timestamp: Option<Timestamp>,
    #[serde(default)]
    owner_references: Vec<OwnerWire>,
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnerWire {
    #[serde(default)]
    api_version: String,
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SpecWire {
    containers: Vec<ContainerWire>,
}

#[derive(Deserialize)]
struct ContainerWire {
    #[serde(default)]
    image: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusWire {
    conditions: Vec<ConditionWire>,
}

#[derive(Deserialize)]
struct ConditionWire {
    #[serde(rename = "type")]
    type_: String,
    status: String,
}

impl ApiObject for ObservedPod {
    type Wire = Box<RawValue>;
    const KIND: &'static str = "Pod";
    const SIZE_CLASS: SizeClass = SizeClass::Pods;

    fn from_wire(wire: Box<RawValue>) -> Result<Self, String> {
        let json = wire.get().as_bytes();
        let pod = read_object::<Pod>(json).map_err(|unreadable| unreadable.reason)?;
        let PodWire { metadata, spec, status } =
            serde_json::from_slice(json).map_err(|error| api_client::object::wrong_form(&error))?;
        let hash = metadata.labels.get("pod-template-hash");
        let owner = metadata.owner_references.into_iter().find(|owner| owner.controller);
        Ok(Self {
            pod,
            owner: owner.map(|owner| owner.above(hash)),
            created: metadata.creation_timestamp,
            is_ready: status
                .conditions
                .iter()
                .any(|condition| condition.type_ == "Ready" && condition.status == "True"),
            image: spec.containers.first().map(|container| shown(&container.image)).unwrap_or_default(),
        })
    }

    fn gone(identity: Identity) -> Self {
        let pod = Pod::gone(identity);
        Self { pod, owner: None, created: None, is_ready: false, image: String::new() }
    }
}

impl OwnerWire {
    /// A Deployment's ReplicaSet is named after it and the hash of its template.
    fn above(self, hash: Option<&String>) -> Owner {
        let (group, _) = self.api_version.split_once('/').unwrap_or_default();
        let deployment = hash.and_then(|hash| self.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
        let (kind, name) = match deployment {
            Some(name) if self.kind == "ReplicaSet" => ("Deployment", name),
            _ => (self.kind.as_str(), self.name.as_str()),
        };
        Owner { group: shown(group), kind: shown(kind), name: shown(name) }
    }
}

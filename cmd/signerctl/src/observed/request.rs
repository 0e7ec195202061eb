//! `PodCertificateRequest`s and what became of them.

use api_client::{
    answer::SizeClass,
    object::{ApiObject, Identity},
};
use jiff::Timestamp;
use serde::Deserialize;

use super::{shown, within};
use crate::{
    error::Error,
    store::cluster::{Cluster, Listing},
};

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct ObservedRequest {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) signer: String,
    pub(crate) pod_name: String,
    pub(crate) pod_uid: String,
    pub(crate) outcome: Outcome,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Issued {
        /// PEM: the leaf, and the intermediates.
        chain: String,
        not_after: Option<Timestamp>,
        begin_refresh_at: Option<Timestamp>,
        message: String,
    },
    /// Denied or failed: kubelet takes both as final.
    Refused {
        condition: String,
        reason: String,
        message: String,
    },
    Pending,
}

#[derive(Deserialize)]
pub(crate) struct RequestWire {
    metadata: Identity,
    spec: SpecWire,
    #[serde(default)]
    status: StatusWire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SpecWire {
    signer_name: String,
    pod_name: String,
    #[serde(rename = "podUID")]
    pod_uid: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StatusWire {
    conditions: Vec<ConditionWire>,
    certificate_chain: String,
    not_after: Option<Timestamp>,
    begin_refresh_at: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConditionWire {
    #[serde(rename = "type")]
    type_: String,
    reason: String,
    message: String,
}

impl ApiObject for ObservedRequest {
    type Wire = RequestWire;
    const KIND: &'static str = "PodCertificateRequest";
    const SIZE_CLASS: SizeClass = SizeClass::Requests;

    fn from_wire(RequestWire { metadata, spec, status }: RequestWire) -> Result<Self, String> {
        metadata.require_names()?;
        let StatusWire { conditions, certificate_chain, not_after, begin_refresh_at } = status;
        let is_final =
            |condition: &ConditionWire| ["Issued", "Denied", "Failed"].contains(&condition.type_.as_str());
        let outcome = match conditions.into_iter().find(is_final) {
            None => Outcome::Pending,
            Some(condition) if condition.type_ == "Issued" => Outcome::Issued {
                chain: certificate_chain,
                not_after,
                begin_refresh_at,
                message: condition.message,
            },
            Some(ConditionWire { type_, reason, message }) => {
                Outcome::Refused { condition: type_, reason: shown(&reason), message: shown(&message) }
            }
        };
        Ok(Self {
            namespace: metadata.namespace.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
            created: metadata.creation_timestamp.unwrap_or_default(),
            signer: spec.signer_name,
            pod_name: spec.pod_name,
            pod_uid: spec.pod_uid,
            outcome,
        })
    }

    fn gone(identity: Identity) -> Self {
        Self {
            namespace: identity.namespace.unwrap_or_default(),
            name: identity.name.unwrap_or_default(),
            created: identity.creation_timestamp.unwrap_or_default(),
            signer: String::new(),
            pod_name: String::new(),
            pod_uid: String::new(),
            outcome: Outcome::Pending,
        }
    }
}

/// The requests of a namespace, or of all.
pub(crate) fn requests(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<Listing<ObservedRequest>, Error> {
    let resource = &cluster.certificates_api()?.requests;
    let group = format!("/apis/{}", resource.api_version);
    cluster.list(&within(&group, namespace, &resource.plural), None)
}

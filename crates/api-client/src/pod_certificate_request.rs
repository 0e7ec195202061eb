//! `PodCertificateRequest` on the wire, in one shape for v1alpha1, v1beta1 and v1.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
};
use serde::{Deserialize, Serialize};

use super::{
    answer::SizeClass,
    object::{ApiObject, Identity, map_size},
};

/// A `PodCertificateRequest` of any served version. Which one, the dynamic type says.
pub type PodCertificateRequest = kube::core::Object<PodCertificateRequestSpec, PodCertificateRequestStatus>;

/// The immutable part. A field that a version doesn't have is absent; a key field that isn't used is absent,
/// `null` or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs, reason = "the API reference of certificates.k8s.io explains each field")]
pub struct PodCertificateRequestSpec {
    pub signer_name: String,
    pub pod_name: String,
    #[serde(rename = "podUID")]
    pub pod_uid: String,
    pub service_account_name: String,
    #[serde(rename = "serviceAccountUID")]
    pub service_account_uid: String,
    pub node_name: String,
    #[serde(rename = "nodeUID")]
    pub node_uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_expiration_seconds: Option<i32>,
    #[serde(rename = "pkixPublicKey", skip_serializing_if = "Option::is_none")]
    pub pkix_public_key: Option<ByteString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_of_possession: Option<ByteString>,
    #[serde(rename = "stubPKCS10Request", skip_serializing_if = "Option::is_none")]
    pub stub_pkcs10_request: Option<ByteString>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unverified_user_annotations: BTreeMap<String, String>,
    /// Whether keys and annotations were left out because of their size: the request has to be read again
    /// before it is evaluated.
    #[serde(skip)]
    pub is_abridged: bool,
}

/// The largest spec that is kept while a request waits, by the length of its texts. A usual one has 1 KiB.
const LARGEST_KEPT: usize = 8 * 1024;

impl PodCertificateRequestSpec {
    /// The same, if it is small; else without what makes it large.
    pub fn abridged(self) -> Self {
        if self.size() <= LARGEST_KEPT {
            return self;
        }
        Self {
            pkix_public_key: None,
            proof_of_possession: None,
            stub_pkcs10_request: None,
            unverified_user_annotations: BTreeMap::new(),
            is_abridged: true,
            ..self
        }
    }

    fn size(&self) -> usize {
        let keys = [&self.pkix_public_key, &self.proof_of_possession, &self.stub_pkcs10_request];
        let annotations = &self.unverified_user_annotations;
        keys.into_iter().flatten().map(|key| key.0.len()).sum::<usize>()
            + map_size(annotations)
            + self.names()
    }

    /// The length of what the API server holds to the bounds of names.
    fn names(&self) -> usize {
        let names = [
            &self.signer_name,
            &self.pod_name,
            &self.pod_uid,
            &self.service_account_name,
            &self.service_account_uid,
            &self.node_name,
            &self.node_uid,
        ];
        names.into_iter().map(String::len).sum()
    }
}

/// A request, of which metadata and status are read only as far as they tell whether it is finished.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RequestWire {
    metadata: Identity,
    spec: Option<PodCertificateRequestSpec>,
    status: Option<StatusWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusWire {
    conditions: Option<Vec<ConditionWire>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConditionWire {
    #[serde(rename = "type")]
    type_: String,
    message: String,
}

impl From<StatusWire> for PodCertificateRequestStatus {
    fn from(status: StatusWire) -> Self {
        let condition = |ConditionWire { type_, message }| Condition {
            type_,
            status: String::new(),
            reason: String::new(),
            message,
            last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
            observed_generation: None,
        };
        let conditions = status.conditions.unwrap_or_default().into_iter().map(condition).collect();
        Self { conditions, ..Self::default() }
    }
}

impl ApiObject for PodCertificateRequest {
    type Wire = RequestWire;
    const KIND: &'static str = "PodCertificateRequest";
    const SIZE_CLASS: SizeClass = SizeClass::Requests;

    fn from_wire(wire: RequestWire) -> Result<Self, String> {
        wire.metadata.require_names()?;
        let spec = wire.spec.unwrap_or_default();
        if spec.names() > LARGEST_KEPT {
            return Err(format!(
                "the names in its spec have {} bytes; at most {LARGEST_KEPT} are accepted; delete it",
                spec.names()
            ));
        }
        let metadata = wire.metadata.into();
        Ok(Self { types: None, metadata, spec, status: wire.status.map(Into::into) })
    }

    fn gone(identity: Identity) -> Self {
        Self {
            types: None,
            metadata: identity.into(),
            spec: PodCertificateRequestSpec::default(),
            status: None,
        }
    }
}

/// The part that a signer writes, once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(missing_docs, reason = "the API reference of certificates.k8s.io explains each field")]
pub struct PodCertificateRequestStatus {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate_chain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begin_refresh_at: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>,
}

#[cfg(test)]
mod tests;

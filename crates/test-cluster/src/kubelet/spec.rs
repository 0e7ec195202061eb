//! The fields of a PodCertificateRequest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BoundPod, CertificateSource, Kubelet};

/// The fields of a request that say whom it is for; the key comes on top. Each may be made untrue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "they are the API's own fields")]
pub struct RequestSpec {
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
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub unverified_user_annotations: BTreeMap<String, String>,
}

impl RequestSpec {
    /// What kubelet fills in for one source of a pod.
    pub(super) fn of_kubelet(kubelet: &Kubelet, pod: &BoundPod, source: &CertificateSource) -> Self {
        Self {
            signer_name: source.signer_name.clone(),
            pod_name: pod.name.clone(),
            pod_uid: pod.uid.clone(),
            service_account_name: pod.service_account.clone(),
            service_account_uid: pod.service_account_uid.clone(),
            node_name: kubelet.node_name.clone(),
            node_uid: kubelet.node_uid.clone(),
            max_expiration_seconds: source.max_expiration_seconds,
            unverified_user_annotations: source.user_annotations.clone(),
        }
    }
}

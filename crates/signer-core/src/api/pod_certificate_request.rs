//! `PodCertificateRequest` on the wire, in one shape for v1alpha1, v1beta1 and v1.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, apimachinery::pkg::apis::meta::v1::Condition};
use serde::{Deserialize, Serialize};

/// A `PodCertificateRequest` of any served version. Which one, the dynamic type says.
pub type PodCertificateRequest = kube::core::Object<PodCertificateRequestSpec, PodCertificateRequestStatus>;

/// The immutable part. A field that a version doesn't have is absent; a key field that isn't used is absent, `null` or empty.
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
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_of_every_version_also_where_the_server_sends_null() {
        let v1alpha1 = serde_json::json!({
            "signerName": "a.b/c", "podName": "p", "podUID": "u", "serviceAccountName": "s", "serviceAccountUID": "su",
            "nodeName": "n", "nodeUID": "nu", "maxExpirationSeconds": 86400, "pkixPublicKey": "AQI=", "proofOfPossession": "AwQ=",
        });
        let spec: PodCertificateRequestSpec = serde_json::from_value(v1alpha1).unwrap();
        assert_eq!((spec.pkix_public_key.unwrap().0, spec.pod_uid.as_str()), (vec![1, 2], "u"));
        let v1 = serde_json::json!({
            "signerName": "a.b/c", "podUID": "u", "pkixPublicKey": null, "proofOfPossession": null, "stubPKCS10Request": "BQY=", "unverifiedUserAnnotations": {"a.b/c-cn": "x"},
        });
        let spec: PodCertificateRequestSpec = serde_json::from_value(v1).unwrap();
        assert_eq!(spec.stub_pkcs10_request.unwrap().0, [5, 6]);
        assert_eq!(spec.unverified_user_annotations["a.b/c-cn"], "x");
    }
}

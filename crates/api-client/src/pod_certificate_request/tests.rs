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

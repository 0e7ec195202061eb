use super::*;

#[test]
fn a_missing_api_is_said_with_the_way_to_switch_it_on() {
    let (api_version, bundle_version) = versions_of(34);
    let error = DiscoveryError::NotServed {
        resource: REQUESTS,
        version: "v1.34.4".into(),
        api_version,
        bundle_version,
    };
    let text = error.to_string();
    assert!(text.contains("(v1.34.4) doesn't serve podcertificaterequests of certificates.k8s.io"), "{text}");
    assert!(text.contains("--runtime-config=certificates.k8s.io/v1alpha1/podcertificaterequests=true,certificates.k8s.io/v1beta1/clustertrustbundles=true"), "{text}");
}

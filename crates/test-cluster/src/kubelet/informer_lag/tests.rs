use super::*;

#[test]
fn only_ignorance_is_tried_again() {
    assert!(lags(404, "while retrieving pod \"a/b\" named in the PodCertificateRequest: not found"));
    assert!(lags(500, "PodCertificateRequest for pod \"a/b\" contains pod UID (\"1\") which differs"));
    assert!(!lags(403, "pod \"a/b\" is not running on node \"n\" named in the PodCertificateRequest"));
    assert!(!lags(422, "spec.maxExpirationSeconds: Invalid value"));
}

use super::*;

fn two() -> (Health, SignerHealth, SignerHealth) {
    let health = Health::default();
    let needs = [Component::PodCertificateRequests, Component::CertificateAuthority];
    let a = health.signer(&"example.com/a".parse().unwrap(), &needs);
    let b = health.signer(&"example.com/b".parse().unwrap(), &needs);
    (health, a, b)
}

fn mend(signer: &SignerHealth) {
    signer.recovered(Component::PodCertificateRequests);
    signer.recovered(Component::CertificateAuthority);
}

#[test]
fn ready_when_each_has_been_ready_once() {
    let (health, a, b) = two();
    mend(&a);
    assert!(!health.report().is_ready);
    mend(&b);
    assert!(health.report().is_ready);
}

#[test]
fn later_unready_only_when_none_is() {
    let (health, a, b) = two();
    mend(&a);
    mend(&b);
    a.failed(Component::CertificateAuthority, "the pool is gone");
    assert!(health.report().is_ready);
    b.failed(Component::CertificateAuthority, "so is this one");
    assert!(!health.report().is_ready);
    b.recovered(Component::CertificateAuthority);
    assert!(health.report().is_ready);
}

#[test]
fn a_component_that_works_with_a_warning_is_ready() {
    let (health, a, b) = two();
    mend(&b);
    a.recovered(Component::PodCertificateRequests);
    a.degraded(Component::CertificateAuthority, "the file is broken");
    assert!(health.report().is_ready);
    assert_eq!(health.report().signers[0].warnings, ["the file is broken"]);
    a.recovered(Component::CertificateAuthority);
    assert!(health.report().signers[0].warnings.is_empty());
}

#[test]
fn a_signer_that_is_not_ready_is_named_with_its_reason() {
    let (health, a, _) = two();
    a.failed(Component::CertificateAuthority, "the pool is gone");
    let report = health.report();
    assert_eq!(report.signers[0].name.as_str(), "example.com/a");
    assert_eq!(report.signers[0].problems, ["waiting for PodCertificateRequests", "the pool is gone"]);
}

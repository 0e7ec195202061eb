use super::*;

fn name() -> SignerName {
    federation_signer_name(&"row-major.net/spiffe".parse().unwrap()).unwrap()
}

fn domain(text: &str) -> TrustDomain {
    text.parse().unwrap()
}

#[test]
fn each_domain_has_an_object_of_its_own() {
    let of = |text: &str| federated_bundle_name(&name(), &domain(text));
    assert_eq!(name().as_str(), "row-major.net/spiffe-federation");
    assert_eq!(of("partner.example"), "row-major.net:spiffe-federation:partner.example");
    for odd in ["a_b.example", "..", "-a.example", "a..b"] {
        let name = of(odd);
        assert!(name.starts_with("row-major.net:spiffe-federation:td-") && name.len() < 80, "{odd}: {name}");
    }
    assert_ne!(of("a_b.example"), of("a_c.example"));
}

/// A pod's volume that selects the signer's own anchors must not get those of another domain.
#[test]
fn no_label_is_that_of_the_signers_own_bundle() {
    let labels = labels(&domain("own.example"), &domain("partner.example"));
    assert!(labels.keys().all(|key| key.starts_with("k8s.spiffe.io/")), "{labels:?}");
    assert_eq!(labels["k8s.spiffe.io/workload-trust-domain"], "own.example");
    assert_eq!(labels["k8s.spiffe.io/peer-trust-domain"], "partner.example");
    let long = format!("{}.example", "a".repeat(60));
    assert!(
        !super::labels(&domain("own.example"), &domain(&long))
            .contains_key("k8s.spiffe.io/peer-trust-domain")
    );
}

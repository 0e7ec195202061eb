use super::*;
use aws_lc_rs::signature::{ED25519, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use der::Decode;
use x509_cert::request::CertReq;

#[test]
fn kubelets_csr_is_empty_and_carries_the_key() {
    for key_type in KeyType::ALL {
        let key = PodKey::of(key_type).unwrap();
        let info = CertReq::from_der(&key.empty_csr().unwrap()).unwrap().info;
        assert!(info.subject.is_empty() && info.attributes.is_empty(), "{key_type:?}: {info:?}");
        assert_eq!(der::Encode::to_der(&info.public_key).unwrap(), key.public_key_der());
    }
}

#[test]
fn a_csr_with_names_has_them() {
    let key = PodKey::of(KeyType::Ed25519).unwrap();
    let der = key.csr(Some("admin"), &["victim.example".into()]).unwrap();
    let info = CertReq::from_der(&der).unwrap().info;
    assert_eq!(info.subject.to_string(), "CN=admin");
    assert!(!info.attributes.is_empty());
}

#[test]
fn proofs_verify_over_the_pods_uid() {
    let raw = |key: &PodKey| rcgen::PublicKeyData::der_bytes(&key.pair).to_vec();
    let key = PodKey::of(KeyType::Ed25519).unwrap();
    let proof = key.proof_of_possession("uid").unwrap();
    UnparsedPublicKey::new(&ED25519, raw(&key)).verify(b"uid", &proof).unwrap();
    let key = PodKey::of(KeyType::Rsa3072).unwrap();
    let proof = key.proof_of_possession("uid").unwrap();
    UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, raw(&key)).verify(b"uid", &proof).unwrap();
}

#[test]
fn ecdsa_proofs_are_over_sha256_for_each_curve() {
    for (key_type, algorithm) in [
        (KeyType::EcdsaP256, &signature::ECDSA_P256_SHA256_ASN1),
        (KeyType::EcdsaP384, &signature::ECDSA_P384_SHA256_ASN1),
        (KeyType::EcdsaP521, &signature::ECDSA_P521_SHA256_ASN1),
    ] {
        let key = PodKey::of(key_type).unwrap();
        let proof = key.proof_of_possession("uid").unwrap();
        let public = rcgen::PublicKeyData::der_bytes(&key.pair);
        UnparsedPublicKey::new(algorithm, public).verify(b"uid", &proof).unwrap();
    }
}

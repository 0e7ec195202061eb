//! Pods' keys, one of each type that kubelet makes.

use std::sync::LazyLock;

use ca_pool::{KeyType, PublicKey};
use rcgen::{CertificateParams, KeyPair, RsaKeySize};

pub(crate) static KEYS: LazyLock<Vec<KeyPair>> = LazyLock::new(|| KeyType::ALL.map(generate).into());

fn generate(key_type: KeyType) -> KeyPair {
    let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
    match key_type {
        KeyType::Rsa3072 => rsa(RsaKeySize::_3072),
        KeyType::Rsa4096 => rsa(RsaKeySize::_4096),
        KeyType::EcdsaP256 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256),
        KeyType::EcdsaP384 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384),
        KeyType::EcdsaP521 => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512),
        KeyType::Ed25519 => KeyPair::generate_for(&rcgen::PKCS_ED25519),
    }
    .unwrap()
}

/// The public half, as it comes out of kubelet's `stubPKCS10Request`.
pub(crate) fn public(key: &KeyPair) -> PublicKey {
    let request = CertificateParams::default().serialize_request(key).unwrap();
    PublicKey::from_pkcs10(request.der()).unwrap()
}

/// A key of the type that is made fastest.
pub(crate) fn any_key() -> PublicKey {
    public(&generate(KeyType::EcdsaP256))
}

//! CAs that rcgen made, with and without an intermediate, loaded as users load them.

use std::sync::LazyLock;

use ca_pool::CaPool;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, RsaKeySize,
    SignatureAlgorithm,
};

/// A CA with its key.
pub(crate) struct Ca {
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
    pub(crate) pem: String,
}

impl Ca {
    pub(crate) fn root(name: &str, key: KeyPair) -> Self {
        Self::root_with(name, key, |_| {})
    }

    pub(crate) fn root_with(name: &str, key: KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = params(name);
        change(&mut params);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { params, key, pem }
    }

    pub(crate) fn issue(&self, name: &str, key: KeyPair) -> Self {
        let params = params(name);
        let pem = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap().pem();
        Self { params, key, pem }
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Example");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}

/// A pool for each type of CA key, with and without an intermediate. Keys are made once for the whole
/// process: RSA takes its time.
pub(crate) static POOLS: LazyLock<Vec<CaPool>> = LazyLock::new(|| KEYS.iter().flat_map(pools).collect());

type MakeKey = fn() -> KeyPair;

const KEYS: [(&str, MakeKey); 6] = [
    ("P-256", || ecdsa(&rcgen::PKCS_ECDSA_P256_SHA256)),
    ("P-384", || ecdsa(&rcgen::PKCS_ECDSA_P384_SHA384)),
    ("P-521", || ecdsa(&rcgen::PKCS_ECDSA_P521_SHA512)),
    ("Ed25519", || ecdsa(&rcgen::PKCS_ED25519)),
    ("RSA-2048", || rsa(RsaKeySize::_2048)),
    ("RSA-4096", || rsa(RsaKeySize::_4096)),
];

fn pools((name, key): &(&str, MakeKey)) -> [CaPool; 2] {
    let root = Ca::root(&format!("{name} root"), key());
    let alone = CaPool::from_pem(root.pem.as_bytes(), root.key.serialize_pem().as_bytes(), None).unwrap();
    let issuing = root.issue(&format!("{name} issuing"), key());
    let under = CaPool::from_pem(
        issuing.pem.as_bytes(),
        issuing.key.serialize_pem().as_bytes(),
        Some(root.pem.as_bytes()),
    );
    [alone, under.unwrap()]
}

fn ecdsa(algorithm: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(algorithm).unwrap()
}

fn rsa(size: RsaKeySize) -> KeyPair {
    KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap()
}

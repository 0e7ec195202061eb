//! Authorities for tests, made by others' software: rcgen while the tests run, OpenSSL for what is kept in `tests/data`.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use super::{CaCertificate, CertificateAuthority, SigningKey};

/// A CA with its key.
pub(crate) struct TestCa {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
}

impl TestCa {
    pub(crate) fn root(name: &str) -> Self {
        Self::root_with(name, |_| {})
    }

    pub(crate) fn root_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (params, key) = (params(name, change), KeyPair::generate().unwrap());
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { params, key, der }
    }

    /// Another self-signed certificate of the same key and name.
    pub(crate) fn renewed_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::try_from(self.key.serialize_der()).unwrap();
        let mut params = self.params.clone();
        change(&mut params);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { params, key, der }
    }

    pub(crate) fn issue(&self, name: &str) -> Self {
        self.issue_with(name, |_| {})
    }

    pub(crate) fn issue_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        self.certify(params(name, change), KeyPair::generate().unwrap())
    }

    /// Certifies a CA that has a certificate already, under the same name and key.
    pub(crate) fn cross_sign(&self, other: &Self) -> Self {
        let key = KeyPair::try_from(other.key.serialize_der()).unwrap();
        self.certify(other.params.clone(), key)
    }

    /// Another root of the same name and key.
    pub(crate) fn renewed(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (self.params.clone(), KeyPair::try_from(self.key.serialize_der()).unwrap());
        change(&mut params);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { params, key, der }
    }

    fn certify(&self, params: CertificateParams, key: KeyPair) -> Self {
        let der =
            params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap().der().to_vec();
        Self { params, key, der }
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn key_der(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        SigningKey::from_pkcs8(&self.key.serialize_der()).unwrap()
    }

    /// The certificate, with its name as the place where it stands.
    pub(crate) fn certificate(&self) -> CaCertificate {
        CaCertificate::from_der("test", &self.der).unwrap()
    }

    /// An authority that signs with this one's key.
    pub(crate) fn authority(&self, above: &[&Self], root: &Self) -> CertificateAuthority {
        let intermediates = above.iter().map(|ca| ca.certificate()).collect();
        CertificateAuthority::new("1", self.signing_key(), intermediates, vec![root.certificate()]).unwrap()
    }
}

fn params(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    change(&mut params);
    params
}

/// A file of `tests/data`.
pub(crate) fn data(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A certificate of `tests/data` as DER.
pub(crate) fn certificate_der(file: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(&data(file)).unwrap().to_vec()
}

/// The first block of a key file in `tests/data` whose label ends with `PRIVATE KEY`, as DER.
pub(crate) fn key_der(file: &str) -> Vec<u8> {
    rustls_pki_types::PrivateKeyDer::from_pem_slice(&data(file)).unwrap().secret_der().to_vec()
}

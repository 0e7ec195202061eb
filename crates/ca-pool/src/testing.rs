//! CAs for tests, made by other software: rcgen while the tests run, OpenSSL for what is kept in
//! `tests/data`.

#![allow(clippy::unwrap_used, reason = "a test's constants are wrong once, at once")]

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};

use crate::{CaCertificate, CertificateAuthority, SigningKey};

/// A CA with its key.
#[derive(Debug)]
pub struct TestCa {
    params: CertificateParams,
    key: KeyPair,
    der: Vec<u8>,
}

impl TestCa {
    /// A self-signed root with this common name.
    pub fn root(name: &str) -> Self {
        Self::root_with(name, |_| {})
    }

    /// The same, with other parameters.
    pub fn root_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (params, key) = (params(name, change), KeyPair::generate().unwrap());
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { params, key, der }
    }

    /// Another self-signed certificate of the same key and name.
    pub fn renewed_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::try_from(self.key.serialize_der()).unwrap();
        let mut params = self.params.clone();
        change(&mut params);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { params, key, der }
    }

    /// An intermediate under this CA.
    pub fn issue(&self, name: &str) -> Self {
        self.issue_with(name, |_| {})
    }

    /// The same, with other parameters.
    pub fn issue_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        self.certify(params(name, change), KeyPair::generate().unwrap())
    }

    /// Certifies a CA that has a certificate already, under the same name and key.
    pub fn cross_sign(&self, other: &Self) -> Self {
        self.cross_sign_with(other, |_| {})
    }

    /// The same, with other parameters.
    pub fn cross_sign_with(&self, other: &Self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (other.params.clone(), KeyPair::try_from(other.key.serialize_der()).unwrap());
        change(&mut params);
        self.certify(params, key)
    }

    /// Another root of the same name and key.
    pub fn renewed(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
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

    /// Its certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its key, as PKCS#8.
    pub fn key_der(&self) -> Vec<u8> {
        self.key.serialize_der()
    }

    /// Its key, as PKCS#8 in PEM.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Its key, for an authority.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_pkcs8(&self.key.serialize_der()).unwrap()
    }

    /// The certificate, with its name as the place where it stands.
    pub fn certificate(&self) -> CaCertificate {
        CaCertificate::from_der("test", &self.der).unwrap()
    }

    /// An authority that signs with this one's key.
    pub fn authority(&self, above: &[&Self], root: &Self) -> CertificateAuthority {
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

/// Why the API server can't read a certificate: it isn't loaded at all, or the rule of Go's that it breaks.
pub fn unreadable_for_api_server(der: &[u8]) -> Result<Option<String>, crate::AuthorityError> {
    Ok(crate::authority::objections::broken_rule(&CaCertificate::from_der("test", der)?))
}

/// A file of `tests/data`.
pub fn data(file: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A certificate of `tests/data` as DER.
pub fn certificate_der(file: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(&data(file)).unwrap().to_vec()
}

/// The first block of a key file in `tests/data` whose label ends with `PRIVATE KEY`, as DER.
pub fn key_der(file: &str) -> Vec<u8> {
    rustls_pki_types::PrivateKeyDer::from_pem_slice(&data(file)).unwrap().secret_der().to_vec()
}

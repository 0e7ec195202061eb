//! CAs, and the certificates that they issue.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth},
    IsCa, KeyPair, KeyUsagePurpose, SanType,
};

/// A CA of one root.
#[derive(Debug)]
pub struct Ca(CertifiedIssuer<'static, KeyPair>);

/// A certificate to be issued, with a new key: for an hour from two minutes ago, as client and server.
pub struct Leaf<'a> {
    ca: &'a Ca,
    /// Whatever rcgen can express.
    pub params: CertificateParams,
    /// Its key.
    pub key: KeyPair,
}

const WHY: &str = "rcgen must make what the test asks for";

impl Ca {
    /// A new CA with that common name.
    ///
    /// # Panics
    /// If rcgen can't make it.
    #[must_use]
    pub fn new(common_name: &str) -> Self {
        Self::of(named(common_name))
    }

    /// A CA whose root has an empty subject.
    ///
    /// # Panics
    /// If rcgen can't make it.
    #[must_use]
    pub fn without_subject() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        Self::of(params)
    }

    fn of(mut params: CertificateParams) -> Self {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect(WHY)).expect(WHY))
    }

    /// Its root, in PEM: a trust bundle.
    #[must_use]
    pub fn root(&self) -> String {
        self.0.pem()
    }

    /// A certificate without a name.
    ///
    /// # Panics
    /// If there is no key to be had.
    #[must_use]
    pub fn leaf(&self) -> Leaf<'_> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ServerAuth, ClientAuth];
        let leaf = Leaf { ca: self, params, key: KeyPair::generate().expect(WHY) };
        leaf.valid(SystemTime::now() - Duration::from_secs(120), Duration::from_secs(3720))
    }

    /// A certificate for a DNS name.
    #[must_use]
    pub fn dns(&self, name: &str) -> Leaf<'_> {
        self.leaf().and_dns(name)
    }

    /// A certificate for a URI.
    #[must_use]
    pub fn uri(&self, uri: &str) -> Leaf<'_> {
        self.leaf().and_uri(uri)
    }
}

impl Leaf<'_> {
    /// With a further DNS name.
    ///
    /// # Panics
    /// If it isn't ASCII.
    #[must_use]
    pub fn and_dns(mut self, name: &str) -> Self {
        self.params.subject_alt_names.push(SanType::DnsName(name.try_into().expect(WHY)));
        self
    }

    /// With a further URI.
    ///
    /// # Panics
    /// If it isn't ASCII.
    #[must_use]
    pub fn and_uri(mut self, uri: &str) -> Self {
        self.params.subject_alt_names.push(SanType::URI(uri.try_into().expect(WHY)));
        self
    }

    /// With a common name.
    #[must_use]
    pub fn common_name(mut self, name: &str) -> Self {
        self.params.distinguished_name = named(name).distinguished_name;
        self
    }

    /// Valid from then on, for that long.
    #[must_use]
    pub fn valid(mut self, from: SystemTime, lifetime: Duration) -> Self {
        self.params.not_before = from.into();
        self.params.not_after = (from + lifetime).into();
        self
    }

    /// The certificate, in PEM.
    ///
    /// # Panics
    /// If rcgen can't make it.
    #[must_use]
    pub fn chain(&self) -> String {
        self.params.signed_by(&self.key, &self.ca.0).expect(WHY).pem()
    }

    /// The private key, in PEM.
    #[must_use]
    pub fn key(&self) -> String {
        self.key.serialize_pem()
    }

    /// Key, then chain: a credential bundle.
    #[must_use]
    pub fn bundle(&self) -> String {
        self.key() + &self.chain()
    }
}

fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

impl std::fmt::Debug for Leaf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leaf").field("names", &self.params.subject_alt_names).finish_non_exhaustive()
    }
}

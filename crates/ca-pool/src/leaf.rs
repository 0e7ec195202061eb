//! What a signer wants a certificate to say.

mod own;

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

pub use self::own::{LeafExtension, LeafExtensionError, SubjectAttribute};
use crate::names::{CommonName, DnsName, Uri};

/// The contents of a leaf certificate, as far as a signer decides them. Key, issuer, serial number, validity
/// and the extensions that every leaf has are the core's business.
///
/// ```
/// use ca_pool::{ExtendedKeyUsage, Leaf};
///
/// let leaf = Leaf::new([ExtendedKeyUsage::ServerAuth]).dns_name("server.web.svc".parse()?);
/// assert_eq!(leaf.names(), 1);
/// # Ok::<(), ca_pool::DnsNameError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leaf {
    /// The subject's common name. Without it and [`subject_attributes`](Self::subject_attributes) the subject
    /// is empty.
    pub common_name: Option<CommonName>,
    /// Further attributes of the subject, in the order in which they are written, behind the common name.
    pub subject_attributes: Vec<SubjectAttribute>,
    /// DNS names, in the order in which they are written.
    pub dns_names: Vec<DnsName>,
    /// URIs.
    pub uris: Vec<Uri>,
    /// IP addresses.
    pub ip_addresses: Vec<IpAddr>,
    /// What the key may be used for. Empty: the extension is left out.
    pub extended_key_usages: BTreeSet<ExtendedKeyUsage>,
    /// Key usages beyond digitalSignature (always there) and keyEncipherment (always there for RSA).
    pub further_key_usages: BTreeSet<KeyUsage>,
    /// Extensions that the signer defines, in the order in which they are written, behind those of every
    /// leaf.
    pub extensions: Vec<LeafExtension>,
    /// Whether it may have no name, if it has an extension that says who the pod is.
    pub may_be_nameless: bool,
    /// The lifetime that the signer wants, backdating included; shorter where the request, the signer's
    /// configuration or the CA allow less. Without it: the longest that they allow.
    pub lifetime: Option<Duration>,
    /// When kubelet shall ask for the next certificate, where the pod's author says it. Without it: as the
    /// signer is configured, and spread ([`RefreshSpread`](crate::RefreshSpread)).
    pub refresh: Option<Refresh>,
    /// What stands in the place of the signer's configuration there, and is spread as that is.
    pub default_refresh: Option<Refresh>,
    /// Services of the pod's namespace that must not exist, since one of the names would then be theirs. No
    /// part of the certificate: the core asks the API server before it issues, as what `Request::services`
    /// lacks may exist all the same.
    pub absent_services: BTreeSet<String>,
}

/// In the names of `Signer::examples`, the label that stands for whatever pods
/// have in its place, such as the names of a Service and its namespace in `any-example.any-example.svc`. A CA
/// that permits some of these names alone, `shop.svc` say, is of use to some pods.
pub const ANY_LABEL: &str = "any-example";

/// When a certificate is to be refreshed. The API server wants it 10 minutes inside both ends of the validity
/// at least; what lies outside is moved there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// After this share of the lifetime, in percent.
    AfterPercent(u8),
    /// This long before it expires.
    BeforeExpiry(Duration),
}

/// Purposes of an extended key usage extension (RFC 5280 §4.2.1.12 and vendors' own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExtendedKeyUsage {
    /// TLS server authentication.
    ServerAuth,
    /// TLS client authentication.
    ClientAuth,
    /// Signing of code.
    CodeSigning,
    /// E-mail protection (S/MIME).
    EmailProtection,
    /// IPsec end system.
    IpsecEndSystem,
    /// IPsec tunnel.
    IpsecTunnel,
    /// IPsec user.
    IpsecUser,
    /// Time stamping.
    TimeStamping,
    /// Microsoft server gated crypto.
    MicrosoftSgc,
    /// Netscape server gated crypto.
    NetscapeSgc,
}

/// Key usages that a leaf may have beyond the ones that it always has (RFC 5280 §4.2.1.3). keyCertSign and
/// cRLSign aren't among them: no leaf ever gets those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyUsage {
    /// nonRepudiation, also called contentCommitment.
    ContentCommitment,
    /// keyEncipherment.
    KeyEncipherment,
    /// dataEncipherment.
    DataEncipherment,
    /// keyAgreement.
    KeyAgreement,
    /// encipherOnly.
    EncipherOnly,
    /// decipherOnly.
    DecipherOnly,
}

impl Leaf {
    /// A leaf without names.
    #[must_use]
    pub fn new(usages: impl IntoIterator<Item = ExtendedKeyUsage>) -> Self {
        Self { extended_key_usages: usages.into_iter().collect(), ..Self::default() }
    }

    /// A leaf that serves as TLS server.
    #[must_use]
    pub fn server() -> Self {
        Self::new([ExtendedKeyUsage::ServerAuth])
    }

    /// A leaf that serves as TLS client.
    #[must_use]
    pub fn client() -> Self {
        Self::new([ExtendedKeyUsage::ClientAuth])
    }

    /// Adds a DNS name.
    #[must_use]
    pub fn dns_name(mut self, name: DnsName) -> Self {
        self.dns_names.push(name);
        self
    }

    /// Adds a URI.
    #[must_use]
    pub fn uri(mut self, uri: Uri) -> Self {
        self.uris.push(uri);
        self
    }

    /// Adds an IP address.
    #[must_use]
    pub fn ip_address(mut self, address: IpAddr) -> Self {
        self.ip_addresses.push(address);
        self
    }

    /// Sets the subject's common name.
    #[must_use]
    pub fn common_name(mut self, name: CommonName) -> Self {
        self.common_name = Some(name);
        self
    }

    /// Adds an attribute of the subject.
    #[must_use]
    pub fn subject_attribute(mut self, attribute: SubjectAttribute) -> Self {
        self.subject_attributes.push(attribute);
        self
    }

    /// Adds an extension.
    #[must_use]
    pub fn extension(mut self, extension: LeafExtension) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Lets it have no name. It must have an extension then, by which peers know the pod. Strict verifiers
    /// (`openssl verify -x509_strict`, Python from 3.13 on) refuse certificates without subject and
    /// alternative names.
    #[must_use]
    pub fn nameless(mut self) -> Self {
        self.may_be_nameless = true;
        self
    }

    /// Lets it be issued only if this Service of the pod's namespace doesn't exist.
    #[must_use]
    pub fn unless_service(mut self, name: impl Into<String>) -> Self {
        self.absent_services.insert(name.into());
        self
    }

    /// Whether its subject is empty.
    #[must_use]
    pub fn has_empty_subject(&self) -> bool {
        self.common_name.is_none() && self.subject_attributes.is_empty()
    }

    /// How many names it carries, the common name included.
    #[must_use]
    pub fn names(&self) -> usize {
        usize::from(self.common_name.is_some())
            + self.dns_names.len()
            + self.uris.len()
            + self.ip_addresses.len()
    }
}

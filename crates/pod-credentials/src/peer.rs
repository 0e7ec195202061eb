//! Who a peer may be.

use std::{fmt, sync::Arc};

use rustls_pki_types::CertificateDer;
use spiffe_id::{InvalidSpiffeId, SpiffeId, TrustDomain, parse_spiffe_id};

use crate::certificate::{Certificate, CertificateError};

/// Which SPIFFE IDs a peer may have: those of a trust domain that, if any are named, are among them, and that
/// pass each predicate, if there are any.
///
/// ```
/// use pod_credentials::{SpiffeRule, parse_spiffe_id, parse_trust_domain, service_account};
///
/// let anybody = SpiffeRule::in_trust_domain(parse_trust_domain("cluster.local")?);
/// let web = anybody.clone().only(parse_spiffe_id("spiffe://cluster.local/ns/shop/sa/web")?);
/// let shop = anybody.clone().matching(|id| service_account(id).is_some_and(|(namespace, _)| namespace == "shop"));
///
/// let id = parse_spiffe_id("spiffe://cluster.local/ns/shop/sa/cart")?;
/// assert!(anybody.check(&id).is_ok() && web.check(&id).is_err() && shop.check(&id).is_ok());
/// # Ok::<(), pod_credentials::InvalidSpiffeId>(())
/// ```
#[derive(Clone)]
pub struct SpiffeRule {
    trust_domain: TrustDomain,
    ids: Vec<SpiffeId>,
    predicates: Vec<Predicate>,
}

type Predicate = Arc<dyn Fn(&SpiffeId) -> bool + Send + Sync>;

/// Which of the peers whose certificates are verified may come.
#[derive(Clone, Debug)]
pub struct PeerRule(Rule);

#[derive(Clone, Debug)]
enum Rule {
    AnyTrusted,
    Spiffe(SpiffeRule),
    DnsNames(Vec<String>),
    Uris(Vec<String>),
    Matching(String, Matching),
    And(Box<(Rule, Rule)>),
    Or(Box<(Rule, Rule)>),
}

#[derive(Clone)]
struct Matching(Arc<dyn Fn(&Certificate) -> bool + Send + Sync>);

impl fmt::Debug for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fn(&Certificate) -> bool")
    }
}

/// Why a peer isn't who it should be.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// It has shown no certificate.
    #[error("the peer has shown no certificate; it must be configured with one")]
    NoCertificate,
    /// Its certificate can't be read.
    #[error("the peer's certificate: {0}")]
    Unreadable(#[from] CertificateError),
    /// It has no URI name, or several.
    #[error(
        "the peer's certificate has {found} URI names{names}; an X.509-SVID has exactly one, its SPIFFE ID. Use a certificate of a SPIFFE signer"
    )]
    NotOneUri {
        /// How many.
        found: usize,
        /// Which, for the message.
        names: String,
    },
    /// Its URI is not a valid SPIFFE ID of a workload.
    #[error("the peer's certificate: {0}")]
    NotSpiffe(#[from] InvalidSpiffeId),
    /// Its SPIFFE ID is that of a trust domain, not of a workload.
    #[error("the peer's SPIFFE ID {0} has no path, and so names no workload (X.509-SVID §3.1)")]
    NoPath(SpiffeId),
    /// Its certificate is one for signing.
    #[error("the peer's certificate may sign others, and so authenticates nobody (X.509-SVID §5.2)")]
    MaySign,
    /// It belongs to another trust domain.
    #[error("the peer is {id}, and trust domain {expected} is expected")]
    WrongTrustDomain {
        /// Who it is.
        id: SpiffeId,
        /// Where it should belong.
        expected: TrustDomain,
    },
    /// It belongs to a trust domain of which there are no anchors.
    #[error("the peer is {id}, and there are no anchors of its trust domain; there are those of {}", join(.known))]
    UnknownTrustDomain {
        /// Who it says that it is.
        id: SpiffeId,
        /// The trust domains of which there are anchors.
        known: Vec<TrustDomain>,
    },
    /// It is somebody else.
    #[error("the peer is {id}, which isn't allowed{expected}")]
    NotAllowed {
        /// Who it is.
        id: SpiffeId,
        /// Who is, for the message.
        expected: String,
    },
    /// None of its URIs is an expected one.
    #[error("the peer's certificate has {found}, and one of {expected} is expected")]
    NoExpectedUri {
        /// Its URIs.
        found: String,
        /// The expected ones.
        expected: String,
    },
    /// A rule of the application refuses it.
    #[error("the peer with the certificate {certificate} isn't {expected}")]
    NotMatching {
        /// Its names.
        certificate: String,
        /// Who may come, in the rule's words.
        expected: String,
    },
    /// It passes neither of two rules.
    #[error("{}; and {}", .0.0, .0.1)]
    Neither(Box<(PeerError, PeerError)>),
    /// None of its DNS names is an expected one.
    #[error("the peer's certificate is for {found}, and one of {expected} is expected")]
    NoExpectedName {
        /// Its names.
        found: String,
        /// The expected ones.
        expected: String,
    },
}

impl SpiffeRule {
    /// Any workload of a trust domain.
    #[must_use]
    pub fn in_trust_domain(trust_domain: TrustDomain) -> Self {
        Self { trust_domain, ids: Vec::new(), predicates: Vec::new() }
    }

    /// This workload alone, or those of further calls.
    #[must_use]
    pub fn exactly(id: SpiffeId) -> Self {
        Self::in_trust_domain(id.trust_domain().clone()).only(id)
    }

    /// Narrows to this workload, and those of further calls.
    #[must_use]
    pub fn only(mut self, id: SpiffeId) -> Self {
        self.ids.push(id);
        self
    }

    /// Narrows to those for which `predicate` holds too.
    #[must_use]
    pub fn matching(mut self, predicate: impl Fn(&SpiffeId) -> bool + Send + Sync + 'static) -> Self {
        self.predicates.push(Arc::new(predicate));
        self
    }

    /// Whether a workload may come.
    ///
    /// # Errors
    /// If not, with the reason.
    pub fn check(&self, id: &SpiffeId) -> Result<(), PeerError> {
        if id.trust_domain() != &self.trust_domain {
            return Err(PeerError::WrongTrustDomain { id: id.clone(), expected: self.trust_domain.clone() });
        }
        let named = self.ids.is_empty() || self.ids.contains(id);
        if named && self.predicates.iter().all(|predicate| predicate(id)) {
            return Ok(());
        }
        let expected = match &*self.ids {
            [] => String::new(),
            ids => format!("; allowed: {}", join(ids)),
        };
        Err(PeerError::NotAllowed { id: id.clone(), expected })
    }
}

impl PeerRule {
    /// Whoever has a certificate for this purpose that is verified against a trust anchor. On a client this means
    /// no check of the server's name: it must not be used with the anchors of a public CA.
    #[must_use]
    pub fn any_trusted() -> Self {
        Self(Rule::AnyTrusted)
    }

    /// Workloads with an X.509-SVID, by their SPIFFE ID.
    #[must_use]
    pub fn spiffe(rule: SpiffeRule) -> Self {
        Self(Rule::Spiffe(rule))
    }

    /// Whoever's certificate has one of these DNS names, letter by letter: a wildcard in a certificate
    /// authenticates nobody.
    #[must_use]
    pub fn dns_names(names: impl IntoIterator<Item: Into<String>>) -> Self {
        Self(Rule::DnsNames(names.into_iter().map(Into::into).collect()))
    }

    /// Whoever's certificate has one of these URIs, byte for byte. For SPIFFE IDs, [`spiffe`](Self::spiffe)
    /// checks more.
    ///
    /// ```
    /// use pod_credentials::PeerRule;
    ///
    /// let team = PeerRule::uris(["https://example.com/teams/shop"]).and(PeerRule::dns_names(["cart.shop.svc"]));
    /// ```
    #[must_use]
    pub fn uris(uris: impl IntoIterator<Item: Into<String>>) -> Self {
        Self(Rule::Uris(uris.into_iter().map(Into::into).collect()))
    }

    /// Those for whose certificate `predicate` holds. `expected` says in refusals who may come, such as
    /// `a member of a team`.
    #[must_use]
    pub fn matching(
        expected: impl Into<String>,
        predicate: impl Fn(&Certificate) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Rule::Matching(expected.into(), Matching(Arc::new(predicate))))
    }

    /// Those who pass this rule and another one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(Rule::And(Box::new((self.0, other.0))))
    }

    /// Those who pass this rule or another one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(Rule::Or(Box::new((self.0, other.0))))
    }

    /// Whether the owner of a certificate, which has been verified already, may come.
    ///
    /// # Errors
    /// If not, with the reason.
    pub fn check(&self, end_entity: &CertificateDer<'_>) -> Result<(), PeerError> {
        self.0.check(end_entity)
    }
}

impl Rule {
    fn check(&self, end_entity: &CertificateDer<'_>) -> Result<(), PeerError> {
        match self {
            Self::AnyTrusted => Ok(()),
            Self::Spiffe(rule) => rule.check(&spiffe_id(end_entity)?),
            Self::DnsNames(expected) => {
                let found = Certificate::from_der(end_entity)?.dns_names;
                let fits = |name: &String| expected.iter().any(|e| e.eq_ignore_ascii_case(name));
                if found.iter().any(fits) {
                    return Ok(());
                }
                let found = if found.is_empty() { "no DNS name".into() } else { join(&found) };
                Err(PeerError::NoExpectedName { found, expected: join(expected) })
            }
            Self::Uris(expected) => {
                let found = Certificate::from_der(end_entity)?.uris;
                if found.iter().any(|uri| expected.contains(uri)) {
                    return Ok(());
                }
                let found = if found.is_empty() { "no URI".into() } else { join(&found) };
                Err(PeerError::NoExpectedUri { found, expected: join(expected) })
            }
            Self::Matching(expected, Matching(predicate)) => {
                let certificate = Certificate::from_der(end_entity)?;
                if predicate(&certificate) {
                    return Ok(());
                }
                let names = [&certificate.dns_names[..], &certificate.uris[..]].concat();
                let names = if names.is_empty() { certificate.subject } else { join(&names) };
                Err(PeerError::NotMatching { certificate: names, expected: expected.clone() })
            }
            Self::And(rules) => {
                let (first, second) = &**rules;
                first.check(end_entity).and_then(|()| second.check(end_entity))
            }
            Self::Or(rules) => {
                let (first, second) = &**rules;
                let Err(refused) = first.check(end_entity) else { return Ok(()) };
                second.check(end_entity).map_err(|also| PeerError::Neither(Box::new((refused, also))))
            }
        }
    }
}

/// The SPIFFE ID of the peer of a finished handshake: `connection.peer_certificates()` of rustls, which has
/// verified them. It is held against the rules for X.509-SVIDs (§5.2); whether the ID is an expected one, a
/// [`SpiffeRule`] says.
///
/// # Errors
/// If there is no certificate, or it is no X.509-SVID of a workload.
pub fn peer_spiffe_id(certificates: Option<&[CertificateDer<'_>]>) -> Result<SpiffeId, PeerError> {
    spiffe_id(certificates.and_then(<[_]>::first).ok_or(PeerError::NoCertificate)?)
}

/// Why this crate has refused a peer, if an error of a handshake says that it has: rustls's own message shows
/// it between brackets.
#[must_use]
pub fn refusal(error: &rustls::Error) -> Option<&PeerError> {
    match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

fn spiffe_id(end_entity: &CertificateDer<'_>) -> Result<SpiffeId, PeerError> {
    let certificate = Certificate::from_der(end_entity)?;
    if certificate.is_ca || certificate.may_certify {
        return Err(PeerError::MaySign);
    }
    let [uri] = &*certificate.uris else {
        let names = match &*certificate.uris {
            [] => String::new(),
            uris => format!(" ({})", join(&uris[..uris.len().min(3)])),
        };
        return Err(PeerError::NotOneUri { found: certificate.uris.len(), names });
    };
    let id = parse_spiffe_id(uri)?;
    if id.path().is_empty() { Err(PeerError::NoPath(id)) } else { Ok(id) }
}

fn join(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl From<PeerError> for rustls::Error {
    fn from(error: PeerError) -> Self {
        rustls::CertificateError::Other(rustls::OtherError(Arc::new(error))).into()
    }
}

/// rustls shows errors of others by their Debug: it is the message.
impl fmt::Debug for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpiffeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trust_domain, ids, predicates } = self;
        f.debug_struct("SpiffeRule")
            .field("trust_domain", trust_domain)
            .field("ids", ids)
            .field("predicates", &predicates.len())
            .finish()
    }
}

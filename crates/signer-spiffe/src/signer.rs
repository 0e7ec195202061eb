//! The signer and its configuration.

use std::collections::BTreeMap;

use signer_core::{
    ANY_LABEL, BoxError, Decision, Denial, DnsName, ExtendedKeyUsage, Leaf, Request, Signer, SignerName, Uri,
    federation::{FederatedDomain, Federation},
};
use signer_service_dns::{Naming, ServiceDnsConfig, ServiceDnsSigner};
use spiffe_id::TrustDomain;

use crate::{
    path::PathTemplate,
    trust_domain::{TrustDomainError, check_label},
};

/// The item of the trust bundle's label `<path>.<domain>/trust-domain`.
const TRUST_DOMAIN_LABEL: &str = "trust-domain";

/// How a [`SpiffeSigner`] is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpiffeConfig {
    pub(crate) name: SignerName,
    pub(crate) trust_domain: TrustDomain,
    pub(crate) path: PathTemplate,
    pub(crate) service_names: Option<Naming>,
    pub(crate) federation: Vec<FederatedDomain>,
}

impl SpiffeConfig {
    /// A signer of this name, which pods ask for, and of this trust domain, in which are all IDs that it
    /// issues. There is no default: two clusters of one trust domain trust each other's names.
    ///
    /// # Errors
    /// If the trust domain can't be a Kubernetes label value, which it is on the trust bundle.
    pub fn new(name: SignerName, trust_domain: TrustDomain) -> Result<Self, TrustDomainError> {
        check_label(&trust_domain)?;
        Ok(Self {
            name,
            trust_domain,
            path: PathTemplate::default(),
            service_names: None,
            federation: Vec::new(),
        })
    }

    /// The same, with another path in its IDs.
    #[must_use]
    pub fn with_path(self, path: PathTemplate) -> Self {
        Self { path, ..self }
    }

    /// The same, whose certificates also have the names of the Services that select the pod. A pod that none
    /// selects has its ID alone; one whose author lists Services waits for these.
    #[must_use]
    pub fn with_service_names(self, naming: Naming) -> Self {
        Self { service_names: Some(naming), ..self }
    }

    /// The same, federated with these trust domains: their bundles are published to pods, one object each.
    #[must_use]
    pub fn with_federation(self, federation: Vec<FederatedDomain>) -> Self {
        Self { federation, ..self }
    }

    /// The trust domains with which its own is federated, for the manager's options; none, if there are none.
    #[must_use]
    pub fn federation(&self) -> Option<Federation> {
        let federation = Federation { own: self.trust_domain.clone(), domains: self.federation.clone() };
        (!self.federation.is_empty()).then_some(federation)
    }

    /// What follows the trust domain in its IDs.
    #[must_use]
    pub fn path(&self) -> &PathTemplate {
        &self.path
    }

    /// Which names of Services are in its certificates, if any are.
    #[must_use]
    pub fn service_names(&self) -> Option<&Naming> {
        self.service_names.as_ref()
    }

    /// The name under which pods ask for it.
    #[must_use]
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// The trust domain of all IDs that it issues.
    #[must_use]
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }
}

/// Issues X.509-SVIDs: certificates whose only URI is the SPIFFE ID of the pod's service account.
///
/// ```
/// use signer_core::{Decision, Signer, testing::RequestBuilder};
/// use signer_spiffe::{SpiffeConfig, SpiffeSigner, parse_trust_domain};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), signer_core::BoxError> {
/// let name = "row-major.net/spiffe".parse()?;
/// let signer = SpiffeSigner::new(SpiffeConfig::new(name, parse_trust_domain("cluster.local")?)?);
/// let request = RequestBuilder::new("row-major.net/spiffe").build();
/// let Decision::Issue(leaf) = signer.decide(&request).await? else { panic!("every pod has a service account") };
/// assert_eq!(leaf.uris[0].as_str(), "spiffe://cluster.local/ns/shop/sa/server");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SpiffeSigner {
    config: SpiffeConfig,
    /// Decides on the names of Services.
    service_dns: Option<ServiceDnsSigner>,
}

impl SpiffeSigner {
    /// A signer that is set up like this.
    #[must_use]
    pub fn new(config: SpiffeConfig) -> Self {
        let of_names = |naming: &Naming| {
            let naming = naming.clone();
            ServiceDnsSigner::new(ServiceDnsConfig { naming, ..ServiceDnsConfig::new(config.name.clone()) })
        };
        Self { service_dns: config.service_names.as_ref().map(of_names), config }
    }

    /// The names of the pod's Services; or why there is no certificate yet.
    async fn service_names(&self, request: &Request) -> Result<Result<Vec<DnsName>, Decision>, BoxError> {
        let Some(signer) = &self.service_dns else {
            let foreign = request.user_annotations().keys().next();
            let denial = |key: &String| Err(Denial::of_unknown_user_annotation(key, &[]).into());
            return Ok(foreign.map_or(Ok(Vec::new()), denial));
        };
        let is_picked = !request.user_annotations().is_empty();
        if !is_picked && request.services()?.selecting(&request.pod().labels).is_empty() {
            return Ok(Ok(Vec::new()));
        }
        Ok(match signer.decide(request).await? {
            Decision::Issue(leaf) => Ok(leaf.dns_names),
            other => Err(other),
        })
    }
}

impl Signer for SpiffeSigner {
    fn name(&self) -> &SignerName {
        &self.config.name
    }

    fn reads_services(&self) -> bool {
        self.service_dns.is_some()
    }

    fn examples(&self) -> Vec<Leaf> {
        let id = self.config.path.id(&self.config.trust_domain, ANY_LABEL, ANY_LABEL);
        let Some(id) = id.ok().and_then(|id| id.to_string().parse::<Uri>().ok()) else { return Vec::new() };
        let services = self.service_dns.as_ref().map(Signer::examples).unwrap_or_default();
        let with_names =
            services.into_iter().map(|example| with_names(svid().uri(id.clone()), example.dns_names));
        std::iter::once(svid().uri(id.clone())).chain(with_names).collect()
    }

    fn bundle_labels(&self) -> BTreeMap<String, String> {
        let domain = || self.config.trust_domain.to_string();
        BTreeMap::from([
            (TRUST_DOMAIN_LABEL.to_owned(), domain()),
            ("k8s.spiffe.io/canarying".to_owned(), "live".to_owned()),
            ("k8s.spiffe.io/workload-trust-domain".to_owned(), domain()),
            ("k8s.spiffe.io/peer-trust-domain".to_owned(), domain()),
        ])
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        let names = match self.service_names(request).await? {
            Ok(names) => names,
            Err(decision) => return Ok(decision),
        };
        let pod = request.pod();
        let id = self.config.path.id(&self.config.trust_domain, &pod.namespace, &pod.service_account_name)?;
        Ok(Decision::issue(with_names(svid().uri(id.to_string().parse()?), names)))
    }
}

/// X509-SVID §4.4: where there are extended key usages, both of these are among them.
const USAGES: [ExtendedKeyUsage; 2] = [ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::ServerAuth];

fn svid() -> Leaf {
    Leaf::new(USAGES)
}

fn with_names(leaf: Leaf, names: Vec<DnsName>) -> Leaf {
    names.into_iter().fold(leaf, Leaf::dns_name)
}

#[cfg(test)]
mod tests;

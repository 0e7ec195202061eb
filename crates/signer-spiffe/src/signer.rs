//! The signer and its configuration.

use std::collections::BTreeMap;

use signer_core::{
    ANY_LABEL, BoxError, Decision, Denial, ExtendedKeyUsage, Leaf, Request, Signer, SignerName,
};

use spiffe_id::{TrustDomain, service_account_id};

use crate::trust_domain::{TrustDomainError, check_label};

/// The item of the trust bundle's label `<path>.<domain>/trust-domain`.
const TRUST_DOMAIN_LABEL: &str = "trust-domain";

/// How a [`SpiffeSigner`] is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpiffeConfig {
    pub(crate) name: SignerName,
    pub(crate) trust_domain: TrustDomain,
}

impl SpiffeConfig {
    /// A signer of this name, which pods ask for, and of this trust domain, in which are all IDs that it
    /// issues. There is no default: two clusters of one trust domain trust each other's names.
    ///
    /// # Errors
    /// If the trust domain can't be a Kubernetes label value, which it is on the trust bundle.
    pub fn new(name: SignerName, trust_domain: TrustDomain) -> Result<Self, TrustDomainError> {
        check_label(&trust_domain)?;
        Ok(Self { name, trust_domain })
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

/// Issues X.509-SVIDs: certificates whose only name is the SPIFFE ID of the pod's service account.
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
}

impl SpiffeSigner {
    /// A signer that is set up like this.
    #[must_use]
    pub fn new(config: SpiffeConfig) -> Self {
        Self { config }
    }
}

impl Signer for SpiffeSigner {
    fn name(&self) -> &SignerName {
        &self.config.name
    }

    fn examples(&self) -> Vec<Leaf> {
        let id = service_account_id(&self.config.trust_domain, ANY_LABEL, ANY_LABEL);
        id.ok().and_then(|id| id.to_string().parse().ok()).map(|id| svid().uri(id)).into_iter().collect()
    }

    fn bundle_labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(TRUST_DOMAIN_LABEL.to_owned(), self.config.trust_domain.to_string())])
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        if let Some((key, _)) = request.user_annotations().first_key_value() {
            return Ok(Denial::of_unknown_user_annotation(key, &[]).into());
        }
        let pod = request.pod();
        let id = service_account_id(&self.config.trust_domain, &pod.namespace, &pod.service_account_name)?;
        Ok(Decision::issue(svid().uri(id.to_string().parse()?)))
    }
}

/// X509-SVID §4.4: where there are extended key usages, both of these are among them.
const USAGES: [ExtendedKeyUsage; 2] = [ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::ServerAuth];

fn svid() -> Leaf {
    Leaf::new(USAGES)
}

#[cfg(test)]
mod tests;

//! The signer and its configuration.

use std::collections::BTreeMap;

use signer_core::{
    ANY_LABEL, BoxError, Decision, Denial, ExtendedKeyUsage, Leaf, Request, Signer, SignerName,
};

use crate::{spiffe_id::SpiffeId, trust_domain::TrustDomain};

/// The item of the trust bundle's label `<path>.<domain>/trust-domain`.
const TRUST_DOMAIN_LABEL: &str = "trust-domain";

/// How a [`SpiffeSigner`] is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpiffeConfig {
    /// The name under which pods ask for it.
    pub name: SignerName,
    /// The trust domain of all IDs that it issues. There is no default: two clusters of one trust domain trust each other's names.
    pub trust_domain: TrustDomain,
}

/// Issues X.509-SVIDs: certificates whose only name is the SPIFFE ID of the pod's service account.
///
/// ```
/// use signer_core::{Decision, Signer, testing::RequestBuilder};
/// use signer_spiffe::{SpiffeConfig, SpiffeSigner};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), signer_core::BoxError> {
/// let name = "row-major.net/spiffe".parse()?;
/// let signer = SpiffeSigner::new(SpiffeConfig { name, trust_domain: "cluster.local".parse()? });
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
        let id = SpiffeId::of_service_account(&self.config.trust_domain, ANY_LABEL, ANY_LABEL);
        id.ok().and_then(|id| id.to_uri().ok()).map(|id| svid().uri(id)).into_iter().collect()
    }

    fn bundle_labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(TRUST_DOMAIN_LABEL.to_owned(), self.config.trust_domain.to_string())])
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        if let Some((key, _)) = request.user_annotations().first_key_value() {
            return Ok(Denial::of_unknown_user_annotation(key, &[]).into());
        }
        let pod = request.pod();
        let id = SpiffeId::of_service_account(
            &self.config.trust_domain,
            &pod.namespace,
            &pod.service_account_name,
        )?;
        Ok(Decision::issue(svid().uri(id.to_uri()?)))
    }
}

/// X509-SVID §4.4: where there are extended key usages, both of these are among them.
const USAGES: [ExtendedKeyUsage; 2] = [ExtendedKeyUsage::ClientAuth, ExtendedKeyUsage::ServerAuth];

fn svid() -> Leaf {
    Leaf::new(USAGES)
}

#[cfg(test)]
mod tests;

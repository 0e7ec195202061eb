//! The signer and its configuration.

use std::collections::BTreeMap;

use signer_core::{
    ANY_LABEL, BoxError, CommonName, Decision, Denial, Leaf, Request, Signer, SignerName,
    ca_pool::{LeafExtension, LeafExtensionError, SubjectAttribute},
};

use crate::identity::PodIdentity;

/// RFC 4519: organizationName, which kube-apiserver takes for a group.
const ORGANIZATION: &str = "2.5.4.10";
/// What kube-apiserver takes for the user's UID, from 1.34 on.
const USER_UID: &str = "1.3.6.1.4.1.57683.2";
/// In examples, in the place of a UID.
const ANY_UID: &str = "00000000-0000-4000-8000-000000000000";

/// What a certificate says of the pod, and to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// All of it, in an extension.
    #[default]
    Kep,
    /// Its service account, as a user of kube-apiserver. A CA in kube-apiserver's `--client-ca-file` can make
    /// cluster administrators, and a certificate outlives its service account.
    ApiServer,
}

/// Arcs whose extensions mean something else to verifiers: those of X.509, of PKIX, of certificate transparency, and
/// kube-apiserver's UID.
const TAKEN: [&str; 4] = ["2.5.29", "1.3.6.1.5.5.7", "1.3.6.1.4.1.11129.2.4", USER_UID];

/// An object identifier can't be that of the extension.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidError {
    /// It isn't one, or is that of an extension which every certificate has.
    #[error(transparent)]
    Invalid(#[from] LeafExtensionError),
    /// It means something else.
    #[error(
        "{oid} is below {arc}, whose extensions mean something else to verifiers; choose one of an arc of your own"
    )]
    Taken {
        /// What was given.
        oid: String,
        /// Whose it is.
        arc: &'static str,
    },
}

/// How a [`PodIdentitySigner`] is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodIdentityConfig {
    name: SignerName,
    format: Format,
    oid: String,
}

impl PodIdentityConfig {
    /// A signer of this name, which pods ask for.
    #[must_use]
    pub fn new(name: SignerName, format: Format) -> Self {
        Self { name, format, oid: PodIdentity::OID.to_owned() }
    }

    /// The same, with another object identifier for the extension.
    ///
    /// # Errors
    /// If it isn't one, or is that of an extension which every certificate has.
    pub fn with_oid(self, oid: &str) -> Result<Self, OidError> {
        let example = LeafExtension::new(oid, false, vec![0x30, 0])?;
        let below = format!("{oid}.");
        if let Some(arc) = TAKEN.iter().find(|arc| below.starts_with(&format!("{arc}."))) {
            return Err(OidError::Taken { oid: oid.to_owned(), arc });
        }
        Ok(Self { oid: example.oid(), ..self })
    }

    /// The name under which pods ask for it.
    #[must_use]
    pub fn name(&self) -> &SignerName {
        &self.name
    }

    /// What its certificates say.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The object identifier of the extension.
    #[must_use]
    pub fn oid(&self) -> &str {
        &self.oid
    }
}

/// Issues client certificates that say which pod it is.
///
/// ```
/// use signer_core::{Decision, Signer, testing::RequestBuilder};
/// use signer_pod_identity::{Format, PodIdentityConfig, PodIdentitySigner};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), signer_core::BoxError> {
/// let config = PodIdentityConfig::new("row-major.net/pod-identity".parse()?, Format::ApiServer);
/// let request = RequestBuilder::new("row-major.net/pod-identity").build();
/// let Decision::Issue(leaf) = PodIdentitySigner::new(config).decide(&request).await? else { panic!() };
/// let user = leaf.common_name.unwrap();
/// assert_eq!(user.as_str(), "system:serviceaccount:shop:server");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PodIdentitySigner {
    config: PodIdentityConfig,
}

impl PodIdentitySigner {
    /// A signer that is set up like this.
    #[must_use]
    pub fn new(config: PodIdentityConfig) -> Self {
        Self { config }
    }

    fn identity(&self, identity: &PodIdentity) -> Result<Leaf, BoxError> {
        let extension = LeafExtension::new(&self.config.oid, false, identity.to_der()?)?;
        Ok(Leaf::client().nameless().extension(extension))
    }
}

impl Signer for PodIdentitySigner {
    fn name(&self) -> &SignerName {
        &self.config.name
    }

    /// The KEP's spelling, beside the one of all signers.
    fn bundle_labels(&self) -> BTreeMap<String, String> {
        let name = self.config.name.as_str();
        let domain = name.strip_suffix("/pod-identity");
        let label = |domain: &str| (format!("podidentity.{domain}/canarying"), "live".to_owned());
        domain.map(label).into_iter().collect()
    }

    fn reads_namespaces(&self) -> bool {
        self.config.format == Format::Kep
    }

    fn examples(&self) -> Vec<Leaf> {
        let any = || ANY_LABEL.to_owned();
        let uid = || ANY_UID.to_owned();
        let example = match self.config.format {
            Format::ApiServer => user(ANY_LABEL, ANY_LABEL, ANY_UID),
            Format::Kep => self.identity(&PodIdentity {
                namespace: any(),
                namespace_uid: uid(),
                service_account_name: any(),
                service_account_uid: uid(),
                pod_name: any(),
                pod_uid: uid(),
                node_name: any(),
                node_uid: uid(),
            }),
        };
        example.into_iter().collect()
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        if let Some((key, _)) = request.user_annotations().first_key_value() {
            return Ok(Denial::of_unknown_user_annotation(key, &[]).into());
        }
        let pod = request.pod();
        let leaf = match self.config.format {
            Format::ApiServer => {
                user(&pod.namespace, &pod.service_account_name, request.claimed_service_account_uid())?
            }
            Format::Kep => {
                let namespace = request.namespace_object()?;
                self.identity(&PodIdentity::of(request, &namespace.uid))?
            }
        };
        Ok(Decision::issue(leaf))
    }
}

/// A service account as kube-apiserver knows it (apiserver `serviceaccount.MakeUsername`, `MakeGroupNames`).
fn user(namespace: &str, service_account: &str, uid: &str) -> Result<Leaf, BoxError> {
    let name = format!("system:serviceaccount:{namespace}:{service_account}");
    let group = |group: String| SubjectAttribute::new(ORGANIZATION, group);
    Ok(Leaf::client()
        .common_name(CommonName::beyond_x520(&name)?)
        .subject_attribute(group("system:serviceaccounts".to_owned())?)
        .subject_attribute(group(format!("system:serviceaccounts:{namespace}"))?)
        .subject_attribute(SubjectAttribute::new(USER_UID, uid)?))
}

#[cfg(test)]
mod tests;

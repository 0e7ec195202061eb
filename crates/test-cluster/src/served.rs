//! Which versions of the two kinds an API server serves, and what its kubelet would send.

use kube::{
    Client,
    core::{ApiResource, GroupVersionKind},
};

use crate::Error;

const GROUP: &str = "certificates.k8s.io";

/// In which order a client should prefer versions of PodCertificateRequest: v1beta1 shows the fields of old
/// kubelets that v1 doesn't have, so it goes first while it is served.
const REQUEST_VERSIONS: [&str; 3] = ["v1beta1", "v1", "v1alpha1"];

/// ClusterTrustBundle has the same fields in each version.
const TRUST_BUNDLE_VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

/// How a kubelet shows the key that it wants certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMaterial {
    /// `stubPKCS10Request`, a CSR: kubelet 1.36 and newer.
    CertificateSigningRequest,
    /// `pkixPublicKey` and `proofOfPossession`: kubelet 1.34 and 1.35.
    PublicKeyAndProof,
}

/// What an API server offers to signers and kubelets.
#[derive(Debug, Clone)]
pub struct Served {
    /// The server's version as it calls itself, such as `v1.36.3`.
    pub kubernetes: String,
    /// The number after `1.` in it.
    pub minor: u32,
    /// Versions of PodCertificateRequest, the preferred one first; empty if the API is off.
    pub request_versions: Vec<&'static str>,
    /// Versions of ClusterTrustBundle, the preferred one first; empty if the API is off.
    pub trust_bundle_versions: Vec<&'static str>,
}

impl Served {
    /// Asks the API server.
    ///
    /// # Errors
    /// [`Error::Api`], and [`Error::Unexpected`] if the version can't be read.
    pub async fn discover(client: &Client) -> Result<Self, Error> {
        let info = client
            .apiserver_version()
            .await
            .map_err(Error::api(|| "asking the API server's version".into()))?;
        let digits: String = info.minor.chars().take_while(char::is_ascii_digit).collect();
        let minor = digits.parse().map_err(|_| Error::Unexpected {
            what: format!("API server version {:?}", info.git_version),
            why: format!("its minor version {:?} is not a number", info.minor),
        })?;
        Ok(Self {
            kubernetes: info.git_version,
            minor,
            request_versions: versions_of(client, "podcertificaterequests", REQUEST_VERSIONS).await?,
            trust_bundle_versions: versions_of(client, "clustertrustbundles", TRUST_BUNDLE_VERSIONS).await?,
        })
    }

    /// The key material that this Kubernetes version's kubelet sends.
    pub fn key_material(&self) -> KeyMaterial {
        if self.minor >= 36 { KeyMaterial::CertificateSigningRequest } else { KeyMaterial::PublicKeyAndProof }
    }

    /// Whether a pod can give annotations to a signer (`userAnnotations`; Kubernetes 1.35 and newer).
    pub fn has_user_annotations(&self) -> bool {
        self.minor >= 35
    }

    /// The preferred version of PodCertificateRequest.
    ///
    /// # Errors
    /// [`Error::NotServed`]
    pub fn request_resource(&self) -> Result<ApiResource, Error> {
        self.first(&self.request_versions, "PodCertificateRequest").map(request_resource)
    }

    /// The preferred version of ClusterTrustBundle.
    ///
    /// # Errors
    /// [`Error::NotServed`]
    pub fn trust_bundle_resource(&self) -> Result<ApiResource, Error> {
        self.first(&self.trust_bundle_versions, "ClusterTrustBundle").map(trust_bundle_resource)
    }

    fn first(&self, versions: &[&'static str], kind: &str) -> Result<&'static str, Error> {
        let none =
            || Error::NotServed { server: format!("Kubernetes {}", self.kubernetes), missing: kind.into() };
        versions.first().copied().ok_or_else(none)
    }
}

/// PodCertificateRequest in that version of `certificates.k8s.io`.
pub(crate) fn request_resource(version: &str) -> ApiResource {
    resource(version, "PodCertificateRequest", "podcertificaterequests")
}

fn trust_bundle_resource(version: &str) -> ApiResource {
    resource(version, "ClusterTrustBundle", "clustertrustbundles")
}

fn resource(version: &str, kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, version, kind), plural)
}

/// Not from the list of API groups: a server names a version there though it serves none of its resources.
async fn versions_of(
    client: &Client,
    plural: &str,
    preference: [&'static str; 3],
) -> Result<Vec<&'static str>, Error> {
    let mut served = Vec::new();
    for version in preference {
        match client.list_api_group_resources(&format!("{GROUP}/{version}")).await {
            Ok(list) if list.resources.iter().any(|resource| resource.name == plural) => served.push(version),
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(Error::api(|| format!("asking what {GROUP}/{version} serves"))(error)),
        }
    }
    Ok(served)
}

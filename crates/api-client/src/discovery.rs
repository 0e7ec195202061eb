//! Which versions of `certificates.k8s.io` the API server serves.

use kube::{Client, api::ApiResource, core::GroupVersionKind};

use super::{
    error::{describe, is_status},
    timeout::with_timeout,
};

const GROUP: &str = "certificates.k8s.io";
const REQUESTS: &str = "podcertificaterequests";
const BUNDLES: &str = "clustertrustbundles";

/// In this order of preference. v1beta1 comes before v1 as long as it is served: through v1, a request of a
/// kubelet of 1.35 shows no key.
const REQUEST_VERSIONS: [&str; 3] = ["v1beta1", "v1", "v1alpha1"];
const BUNDLE_VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

/// The resources by which a signer talks to the cluster, in the versions that this cluster serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificatesApi {
    /// `PodCertificateRequest`
    pub requests: ApiResource,
    /// `ClusterTrustBundle`
    pub bundles: ApiResource,
}

/// Why a cluster can't be served yet.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The API server serves no version of a resource.
    #[error(
        "the API server ({version}) doesn't serve {resource} of {GROUP}. Kubernetes 1.37 does by default; from 1.34 on, switch it on: start kube-apiserver with \
         --feature-gates=PodCertificateRequest=true,ClusterTrustBundle=true,ClusterTrustBundleProjection=true and \
         --runtime-config={GROUP}/{api_version}/{REQUESTS}=true,{GROUP}/{bundle_version}/{BUNDLES}=true, and kube-controller-manager and kubelet with the \
         same feature gates"
    )]
    NotServed {
        /// The resource's plural.
        resource: &'static str,
        /// The API server's version.
        version: String,
        /// The version that this API server can serve requests in.
        api_version: &'static str,
        /// The version that this API server can serve bundles in.
        bundle_version: &'static str,
    },
    /// The API server doesn't answer.
    #[error("asking the API server for the versions of {GROUP}: {}", describe(.0))]
    Unreachable(#[source] kube::Error),
}

/// Asks the API server.
pub async fn discover(client: &Client) -> Result<CertificatesApi, DiscoveryError> {
    let requests = find(client, REQUESTS, "PodCertificateRequest", &REQUEST_VERSIONS).await?;
    let bundles = find(client, BUNDLES, "ClusterTrustBundle", &BUNDLE_VERSIONS).await?;
    match (requests, bundles) {
        (Some(requests), Some(bundles)) => Ok(CertificatesApi { requests, bundles }),
        (None, _) => Err(not_served(client, REQUESTS).await),
        (_, None) => Err(not_served(client, BUNDLES).await),
    }
}

async fn find(
    client: &Client,
    plural: &str,
    kind: &str,
    versions: &[&str],
) -> Result<Option<ApiResource>, DiscoveryError> {
    for version in versions {
        match with_timeout(client.list_api_group_resources(&format!("{GROUP}/{version}"))).await {
            Ok(list) if list.resources.iter().any(|resource| resource.name == plural) => {
                let gvk = GroupVersionKind::gvk(GROUP, version, kind);
                return Ok(Some(ApiResource::from_gvk_with_plural(&gvk, plural)));
            }
            Ok(_) => {}
            Err(error) if is_status(&error, 404) => {}
            Err(error) => return Err(DiscoveryError::Unreachable(error)),
        }
    }
    Ok(None)
}

async fn not_served(client: &Client, resource: &'static str) -> DiscoveryError {
    match with_timeout(client.apiserver_version()).await {
        Ok(info) => {
            let minor = info.minor.trim_end_matches('+').parse().unwrap_or(u32::MAX);
            let (api_version, bundle_version) = versions_of(minor);
            DiscoveryError::NotServed { resource, version: info.git_version, api_version, bundle_version }
        }
        Err(error) => DiscoveryError::Unreachable(error),
    }
}

/// What a minor release of Kubernetes can serve.
fn versions_of(minor: u32) -> (&'static str, &'static str) {
    match minor {
        ..=34 => ("v1alpha1", "v1beta1"),
        35 | 36 => ("v1beta1", "v1beta1"),
        _ => ("v1", "v1"),
    }
}

#[cfg(test)]
mod tests;

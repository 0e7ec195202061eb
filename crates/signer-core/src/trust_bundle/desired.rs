//! What a signer's trust bundle has to say.

use std::collections::BTreeMap;

use kube::{ResourceExt, api::ApiResource};

use crate::{
    api::{ClusterTrustBundle, ClusterTrustBundleSpec},
    signer_name::SignerName,
};

/// A signer's bundle as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DesiredBundle {
    signer_name: SignerName,
    labels: BTreeMap<String, String>,
    anchors: String,
}

impl DesiredBundle {
    /// A bundle of these anchors (PEM), with the label by which workloads select it and these further ones.
    pub(crate) fn new(signer_name: &SignerName, labels: &BTreeMap<String, String>, anchors: String) -> Self {
        let qualified = |key: &String| if key.contains('/') { key.clone() } else { signer_name.label_key(key) };
        let mut all: BTreeMap<_, _> = labels.iter().map(|(key, value)| (qualified(key), value.clone())).collect();
        all.insert(signer_name.label_key("canarying"), "live".to_owned());
        Self { signer_name: signer_name.clone(), labels: all, anchors }
    }

    /// The bundle to create where there is none.
    pub(crate) fn created(&self, resource: &ApiResource) -> ClusterTrustBundle {
        let spec = ClusterTrustBundleSpec { signer_name: self.signer_name.to_string(), trust_bundle: self.anchors.clone() };
        let mut bundle = ClusterTrustBundle::new(&self.signer_name.bundle_name(), resource, spec);
        bundle.metadata.labels = Some(self.labels.clone());
        bundle
    }

    /// The bundle to write over this one, if it differs. What others have added to its metadata stays.
    pub(crate) fn repaired(&self, current: &ClusterTrustBundle) -> Option<ClusterTrustBundle> {
        let has_labels = self.labels.iter().all(|(key, value)| current.labels().get(key) == Some(value));
        if has_labels && current.spec.trust_bundle == self.anchors {
            return None;
        }
        let mut bundle = current.clone();
        bundle.labels_mut().extend(self.labels.clone());
        bundle.spec.trust_bundle.clone_from(&self.anchors);
        Some(bundle)
    }

    /// Who else the bundle says that it belongs to.
    pub(crate) fn foreign_owner<'a>(&self, current: &'a ClusterTrustBundle) -> Option<&'a str> {
        let owner = current.spec.signer_name.as_str();
        (owner != self.signer_name.as_str()).then_some(owner)
    }
}

#[cfg(test)]
mod tests {
    use kube::core::GroupVersionKind;

    use super::*;

    fn resource() -> ApiResource {
        ApiResource::from_gvk(&GroupVersionKind::gvk("certificates.k8s.io", "v1", "ClusterTrustBundle"))
    }

    fn desired() -> DesiredBundle {
        let labels = BTreeMap::from([("trust-domain".to_owned(), "cluster.local".to_owned())]);
        DesiredBundle::new(&"row-major.net/spiffe".parse().unwrap(), &labels, "PEM".to_owned())
    }

    #[test]
    fn carries_the_name_and_labels_of_the_contract() {
        let bundle = desired().created(&resource());
        assert_eq!(bundle.name_any(), "row-major.net:spiffe:primary-bundle");
        assert_eq!(bundle.spec.signer_name, "row-major.net/spiffe");
        let expected = [("spiffe.row-major.net/canarying", "live"), ("spiffe.row-major.net/trust-domain", "cluster.local")];
        let labels: Vec<_> = bundle.labels().iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(labels, expected);
    }

    #[test]
    fn is_written_only_when_it_differs() {
        let current = desired().created(&resource());
        assert_eq!(desired().repaired(&current), None);
        let mut with_more = current.clone();
        with_more.labels_mut().insert("team".into(), "infra".into());
        assert_eq!(desired().repaired(&with_more), None);
        let mut drifted = with_more.clone();
        drifted.spec.trust_bundle.clear();
        drifted.labels_mut().remove("spiffe.row-major.net/canarying");
        assert_eq!(desired().repaired(&drifted), Some(with_more));
    }

    #[test]
    fn a_bundle_of_someone_else_is_seen() {
        let mut current = desired().created(&resource());
        assert_eq!(desired().foreign_owner(&current), None);
        current.spec.signer_name = "example.com/other".into();
        assert_eq!(desired().foreign_owner(&current), Some("example.com/other"));
    }
}

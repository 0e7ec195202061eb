//! Pods that ask for certificates.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, Pod, PodCertificateProjection, PodSpec, ProjectedVolumeSource, Toleration, Volume,
    VolumeProjection,
};
use kube::api::ObjectMeta;

use crate::{Error, KeyType, Served};

/// One `podCertificate` source of a pod's projected volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSource {
    /// Who is to sign.
    pub signer_name: String,
    /// What kind of key kubelet makes.
    pub key_type: KeyType,
    /// The longest lifetime that the pod accepts, in seconds; `None` lets the API server put 86400.
    pub max_expiration_seconds: Option<i32>,
    /// What the pod's author tells the signer (Kubernetes 1.35 and newer).
    pub user_annotations: BTreeMap<String, String>,
}

impl CertificateSource {
    /// A source with nothing but the two fields that it can't do without.
    pub fn new(signer_name: &str, key_type: KeyType) -> Self {
        let (signer_name, user_annotations) = (signer_name.into(), BTreeMap::new());
        Self { signer_name, key_type, max_expiration_seconds: None, user_annotations }
    }

    /// Asks for a lifetime of at most that many seconds.
    pub fn max_expiration_seconds(mut self, seconds: i32) -> Self {
        self.max_expiration_seconds = Some(seconds);
        self
    }

    /// Adds a user annotation.
    pub fn user_annotation(mut self, key: &str, value: &str) -> Self {
        self.user_annotations.insert(key.into(), value.into());
        self
    }

    fn to_projection(&self, index: usize) -> VolumeProjection {
        let annotations = (!self.user_annotations.is_empty()).then(|| self.user_annotations.clone());
        let projection = PodCertificateProjection {
            signer_name: self.signer_name.clone(),
            key_type: self.key_type.name().into(),
            max_expiration_seconds: self.max_expiration_seconds,
            user_annotations: annotations,
            credential_bundle_path: Some(format!("{index}.pem")),
            ..PodCertificateProjection::default()
        };
        VolumeProjection { pod_certificate: Some(projection), ..VolumeProjection::default() }
    }
}

/// A pod to be created on a node.
#[derive(Debug, Clone)]
pub struct NewPod {
    metadata: ObjectMeta,
    service_account: String,
    hostname: Option<String>,
    subdomain: Option<String>,
    sources: Vec<CertificateSource>,
}

impl NewPod {
    /// A pod of that name, with the service account `default` and no certificate.
    pub fn new(namespace: &str, name: &str) -> Self {
        let metadata = ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            ..ObjectMeta::default()
        };
        Self {
            metadata,
            service_account: "default".into(),
            hostname: None,
            subdomain: None,
            sources: Vec::new(),
        }
    }

    /// Runs as that service account, which is made if there is none.
    pub fn service_account(mut self, name: &str) -> Self {
        self.service_account = name.into();
        self
    }

    /// Adds a label, by which Services select the pod.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.metadata.labels.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Adds an annotation of the pod itself.
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.metadata.annotations.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Sets `spec.hostname`.
    pub fn hostname(mut self, hostname: &str) -> Self {
        self.hostname = Some(hostname.into());
        self
    }

    /// Sets `spec.subdomain`, which with a headless Service of that name gives the pod a DNS name of its own.
    pub fn subdomain(mut self, subdomain: &str) -> Self {
        self.subdomain = Some(subdomain.into());
        self
    }

    /// Adds a source to its volume.
    pub fn certificate(mut self, source: CertificateSource) -> Self {
        self.sources.push(source);
        self
    }

    pub(super) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn service_account_name(&self) -> &str {
        &self.service_account
    }

    pub(super) fn to_object(&self, node_name: &str) -> Pod {
        let sources: Vec<_> =
            self.sources.iter().enumerate().map(|(i, source)| source.to_projection(i)).collect();
        let projected = ProjectedVolumeSource { sources: Some(sources), ..ProjectedVolumeSource::default() };
        let volume = Volume { name: "certificates".into(), projected: Some(projected), ..Volume::default() };
        // The image is never pulled: nothing runs on this node.
        let container = Container {
            name: "main".into(),
            image: Some("registry.invalid/main".into()),
            ..Container::default()
        };
        let everything = Toleration { operator: Some("Exists".into()), ..Toleration::default() };
        let spec = PodSpec {
            node_name: Some(node_name.into()),
            service_account_name: Some(self.service_account.clone()),
            automount_service_account_token: Some(false),
            hostname: self.hostname.clone(),
            subdomain: self.subdomain.clone(),
            containers: vec![container],
            volumes: (!self.sources.is_empty()).then(|| vec![volume]),
            tolerations: Some(vec![everything]),
            ..PodSpec::default()
        };
        Pod { metadata: self.metadata.clone(), spec: Some(spec), status: None }
    }

    pub(super) fn bound(self, created: Pod, service_account_uid: String) -> BoundPod {
        BoundPod {
            namespace: self.namespace().into(),
            name: self.name().into(),
            uid: created.metadata.uid.unwrap_or_default(),
            service_account: self.service_account,
            service_account_uid,
            sources: self.sources,
        }
    }
}

/// A pod that exists, on a [`Kubelet`](crate::Kubelet)'s node.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BoundPod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its service account.
    pub service_account: String,
    /// The UID of that.
    pub service_account_uid: String,
    /// What certificates it asks for, in the order of its volume.
    pub sources: Vec<CertificateSource>,
}

/// Whether the API server has kept each source as it was sent.
///
/// # Errors
/// [`Error::NotServed`] names the field that it dropped.
pub(super) fn check_volumes(wanted: &Pod, created: &Pod, served: &Served) -> Result<(), Error> {
    let dropped = |missing: &str| {
        Err(Error::NotServed { server: format!("Kubernetes {}", served.kubernetes), missing: missing.into() })
    };
    let (wanted, created) = (sources(wanted), sources(created));
    if wanted.len() != created.len() {
        return dropped("the podCertificate volume source");
    }
    let same = |(wanted, created): (&&PodCertificateProjection, &&PodCertificateProjection)| {
        wanted.user_annotations == created.user_annotations
    };
    if !wanted.iter().zip(&created).all(same) {
        return dropped("userAnnotations of the podCertificate volume source (Kubernetes 1.35 and newer)");
    }
    Ok(())
}

fn sources(pod: &Pod) -> Vec<&PodCertificateProjection> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let projected = volumes.filter_map(|volume| volume.projected.as_ref());
    projected
        .flat_map(|projected| projected.sources.iter().flatten())
        .filter_map(|s| s.pod_certificate.as_ref())
        .collect()
}

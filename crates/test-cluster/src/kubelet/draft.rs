//! A PodCertificateRequest before it is sent: as a kubelet makes it, or as a liar does.

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{
    Api, Client, ResourceExt,
    core::{ApiResource, DynamicObject},
};
use serde_json::{Value, json};

use super::{BoundPod, CertificateSource, Kubelet, RequestSpec, SentRequest, informer_lag::create};
use crate::{Cluster, Error, KeyMaterial, KeyType, PodKey, served::request_resource};

/// As whom a request is created.
#[derive(Debug, Clone, Copy)]
enum Creator {
    /// The node: NodeRestriction holds the request against the pod.
    Node,
    /// An administrator: nothing is checked. The request has no owner, so that the garbage collector leaves
    /// it alone though its pod may not exist.
    Admin,
}

/// Which key the request is for.
enum KeyChoice {
    New(KeyType),
    Given(PodKey),
}

/// What a CSR asks for besides its key; nothing, if it is kubelet's.
#[derive(Default)]
struct CsrNames {
    common_name: Option<String>,
    alternative: Vec<String>,
}

/// A request to be sent. Made by [`Kubelet::draft`] with all that kubelet would put in.
pub struct RequestDraft {
    /// Whom it is for.
    pub spec: RequestSpec,
    cluster: Cluster,
    as_node: Client,
    namespace: String,
    owner: OwnerReference,
    creator: Creator,
    key: KeyChoice,
    material: KeyMaterial,
    csr_names: CsrNames,
    version: Option<String>,
}

impl RequestDraft {
    pub(super) fn of_kubelet(kubelet: &Kubelet, pod: &BoundPod, source: &CertificateSource) -> Self {
        Self {
            spec: RequestSpec::of_kubelet(kubelet, pod, source),
            cluster: kubelet.cluster.clone(),
            as_node: kubelet.as_node.clone(),
            namespace: pod.namespace.clone(),
            owner: owner(pod),
            creator: Creator::Node,
            key: KeyChoice::New(source.key_type),
            material: kubelet.cluster.served().key_material(),
            csr_names: CsrNames::default(),
            version: None,
        }
    }

    /// Changes fields: `.with(|spec| spec.pod_uid = "another".into())`. What NodeRestriction would refuse
    /// takes [`RequestDraft::as_admin`] too.
    pub fn with(mut self, change: impl FnOnce(&mut RequestSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    /// Creates it as an administrator, whose word nobody checks.
    pub fn as_admin(mut self) -> Self {
        self.creator = Creator::Admin;
        self
    }

    /// Uses that key, instead of a new one of the source's type.
    pub fn key(mut self, key: PodKey) -> Self {
        self.key = KeyChoice::Given(key);
        self
    }

    /// Sends the key in that form, instead of the one that the cluster's version of kubelet uses.
    pub fn key_material(mut self, material: KeyMaterial) -> Self {
        self.material = material;
        self
    }

    /// Sends a CSR that asks for names.
    pub fn csr_names(mut self, common_name: &str, alternative_names: &[&str]) -> Self {
        self.material = KeyMaterial::CertificateSigningRequest;
        let alternative = alternative_names.iter().map(ToString::to_string).collect();
        self.csr_names = CsrNames { common_name: Some(common_name.into()), alternative };
        self
    }

    /// Creates it in that API version, instead of the one that a signer should prefer.
    pub fn version(mut self, version: &str) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Creates the request. While the API server's informers lag behind, it is tried again, as kubelet does.
    ///
    /// # Errors
    /// [`Error::Api`] if the API server refuses it; [`Error::code`] tells 403 (NodeRestriction) from 422
    /// (validation).
    pub async fn send(self) -> Result<SentRequest, Error> {
        let resource = match &self.version {
            Some(version) => request_resource(version),
            None => self.cluster.served().request_resource()?,
        };
        let key = match self.key {
            KeyChoice::Given(key) => key,
            KeyChoice::New(key_type) => PodKey::make(key_type).await?,
        };
        let mut spec = json!(self.spec);
        add_key(&mut spec, &key, self.material, &self.csr_names, &self.spec.pod_uid)?;
        let mut request = to_object(&resource, spec);
        let client = match self.creator {
            Creator::Node => {
                request.owner_references_mut().push(self.owner);
                self.as_node
            }
            Creator::Admin => self.cluster.client(),
        };
        let api = Api::namespaced_with(client, &self.namespace, &resource);
        let created = create(&api, &request).await.map_err(Error::api(|| {
            let RequestSpec { signer_name, pod_name, .. } = &self.spec;
            format!("creating a request to {signer_name} for pod {}/{pod_name}", self.namespace)
        }))?;
        let api = Api::namespaced_with(self.cluster.client(), &self.namespace, &resource);
        Ok(SentRequest::new(api, self.namespace, created.name_any(), created.uid().unwrap_or_default(), key))
    }
}

impl std::fmt::Debug for RequestDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestDraft")
            .field("spec", &self.spec)
            .field("creator", &self.creator)
            .finish_non_exhaustive()
    }
}

fn add_key(
    spec: &mut Value,
    key: &PodKey,
    material: KeyMaterial,
    names: &CsrNames,
    pod_uid: &str,
) -> Result<(), Error> {
    match material {
        KeyMaterial::CertificateSigningRequest => {
            spec["stubPKCS10Request"] =
                STANDARD.encode(key.csr(names.common_name.as_deref(), &names.alternative)?).into();
        }
        KeyMaterial::PublicKeyAndProof => {
            spec["pkixPublicKey"] = STANDARD.encode(key.public_key_der()).into();
            spec["proofOfPossession"] = STANDARD.encode(key.proof_of_possession(pod_uid)?).into();
        }
    }
    Ok(())
}

/// The object that kubelet makes (`podcertificatemanager.go`), less its owner.
fn to_object(resource: &ApiResource, spec: Value) -> DynamicObject {
    let mut object = DynamicObject::new("", resource).data(json!({ "spec": spec }));
    object.metadata.name = None;
    object.metadata.generate_name = Some("req-".into());
    object
}

fn owner(pod: &BoundPod) -> OwnerReference {
    let (name, uid) = (pod.name.clone(), pod.uid.clone());
    OwnerReference { api_version: "v1".into(), kind: "Pod".into(), name, uid, ..OwnerReference::default() }
}

#[cfg(test)]
mod tests;

//! Plays kubelet: a Node, pods bound to it, and the requests that a kubelet makes for them.

mod burst;
mod draft;
mod informer_lag;
mod pod;
mod request;
mod spec;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Node, NodeSpec, Pod, Taint};
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

pub use burst::{Answered, Burst};
pub use draft::RequestDraft;
pub use pod::{BoundPod, CertificateSource, NewPod};
pub use request::SentRequest;
pub use spec::RequestSpec;

use crate::{
    Cluster, Error,
    scope::{ensure_service_account, named},
};

/// How many calls are under way at once where many objects are made.
const AT_ONCE: usize = 32;

/// One node's kubelet, as far as pod certificates go. Made by [`Scope::kubelet`](crate::Scope::kubelet).
pub struct Kubelet {
    cluster: Cluster,
    node_name: String,
    node_uid: String,
    as_node: Client,
    account_uids: Mutex<HashMap<(String, String), String>>,
}

impl Kubelet {
    /// Registers the node. No pod but those of this kubelet's own gets onto it.
    pub(crate) async fn start(cluster: &Cluster, node_name: &str) -> Result<Self, Error> {
        let keep_off = Taint { key: "test-cluster".into(), effect: "NoSchedule".into(), ..Taint::default() };
        let spec =
            NodeSpec { taints: Some(vec![keep_off]), unschedulable: Some(true), ..NodeSpec::default() };
        let node = Node { metadata: named(node_name), spec: Some(spec), ..Node::default() };
        let doing = || format!("creating node {node_name}");
        let node = Api::all(cluster.client())
            .create(&PostParams::default(), &node)
            .await
            .map_err(Error::api(doing))?;
        let user = format!("system:node:{node_name}");
        Ok(Self {
            cluster: cluster.clone(),
            node_name: node_name.into(),
            node_uid: node.metadata.uid.unwrap_or_default(),
            as_node: cluster.client_as(&user, &["system:nodes", "system:authenticated"])?,
            account_uids: Mutex::default(),
        })
    }

    /// The node's name.
    pub fn node_name(&self) -> &str {
        &self.node_name
    }

    /// The node's UID.
    pub fn node_uid(&self) -> &str {
        &self.node_uid
    }

    /// Creates a pod on this node, and its service account if there is none. Its phase is Pending.
    ///
    /// # Errors
    /// [`Error::Api`]; [`Error::NotServed`] if the API server doesn't know the pod's volume sources, which it
    /// drops without a word.
    pub async fn start_pod(&self, pod: NewPod) -> Result<BoundPod, Error> {
        let account_uid = self.account_uid(pod.namespace(), pod.service_account_name()).await?;
        let wanted = pod.to_object(&self.node_name);
        let pods = self.pods(pod.namespace());
        let doing = || format!("creating pod {}/{}", pod.namespace(), pod.name());
        let created = pods.create(&PostParams::default(), &wanted).await.map_err(Error::api(doing))?;
        pod::check_volumes(&wanted, &created, self.cluster.served())?;
        Ok(pod.bound(created, account_uid))
    }

    /// Creates many pods, some dozens at once, in the given order.
    ///
    /// # Errors
    /// As [`Kubelet::start_pod`]; the first that fails ends it.
    pub async fn start_pods(&self, pods: impl IntoIterator<Item = NewPod>) -> Result<Vec<BoundPod>, Error> {
        stream::iter(pods).map(|pod| self.start_pod(pod)).buffered(AT_ONCE).try_collect().await
    }

    /// Drafts the request that kubelet makes for one source of a pod; a test may change it before it is sent.
    pub fn draft(&self, pod: &BoundPod, source: &CertificateSource) -> RequestDraft {
        RequestDraft::of_kubelet(self, pod, source)
    }

    /// Asks for a certificate, exactly as a kubelet of the cluster's version does: as the node, with a new
    /// key.
    ///
    /// # Errors
    /// As [`RequestDraft::send`].
    pub async fn request(&self, pod: &BoundPod, source: &CertificateSource) -> Result<SentRequest, Error> {
        self.draft(pod, source).send().await
    }

    /// Sets the pod's phase: `Pending`, `Running`, `Succeeded` or `Failed`.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn set_phase(&self, pod: &BoundPod, phase: &str) -> Result<(), Error> {
        let patch = Patch::Merge(json!({"status": {"phase": phase}}));
        let doing = || format!("setting the phase of pod {}/{} to {phase}", pod.namespace, pod.name);
        let pods = self.pods(&pod.namespace);
        pods.patch_status(&pod.name, &PatchParams::default(), &patch).await.map_err(Error::api(doing))?;
        Ok(())
    }

    /// Changes the pod's annotations; `None` removes one.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn annotate(&self, pod: &BoundPod, annotations: &[(&str, Option<&str>)]) -> Result<(), Error> {
        let annotations: serde_json::Map<String, Value> =
            annotations.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
        self.patch(pod, json!({"metadata": {"annotations": annotations}})).await
    }

    /// Leaves the pod terminating: deleted, and held by a finalizer until the test ends.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn terminate(&self, pod: &BoundPod) -> Result<(), Error> {
        self.patch(pod, json!({"metadata": {"finalizers": ["test-cluster.example.test/hold"]}})).await?;
        self.delete(pod, &DeleteParams::default()).await
    }

    /// Removes the pod at once, so that another of the same name can follow.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn remove(&self, pod: &BoundPod) -> Result<(), Error> {
        self.delete(pod, &DeleteParams::default().grace_period(0)).await
    }

    async fn patch(&self, pod: &BoundPod, patch: Value) -> Result<(), Error> {
        let doing = || format!("changing pod {}/{}", pod.namespace, pod.name);
        let pods = self.pods(&pod.namespace);
        pods.patch(&pod.name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .map_err(Error::api(doing))?;
        Ok(())
    }

    async fn delete(&self, pod: &BoundPod, how: &DeleteParams) -> Result<(), Error> {
        let doing = || format!("deleting pod {}/{}", pod.namespace, pod.name);
        self.pods(&pod.namespace).delete(&pod.name, how).await.map_err(Error::api(doing))?;
        Ok(())
    }

    fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.cluster.client(), namespace)
    }

    /// Remembered, since thousands of pods may share an account.
    async fn account_uid(&self, namespace: &str, name: &str) -> Result<String, Error> {
        let key = (namespace.to_owned(), name.to_owned());
        let known = || self.account_uids.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = known().get(&key).cloned();
        if let Some(uid) = remembered {
            return Ok(uid);
        }
        let uid = ensure_service_account(self.cluster.client(), namespace, name).await?;
        known().insert(key, uid.clone());
        Ok(uid)
    }
}

impl std::fmt::Debug for Kubelet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubelet").field("node", &self.node_name).finish_non_exhaustive()
    }
}

//! Removes what a test made. Nothing here fails the test: what can't be removed is named on standard error.

use std::{mem, sync::PoisonError};

use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::json;

use super::{Made, Scope};

impl Scope {
    /// Asks for the removal of everything; a namespace's contents go a moment later.
    pub(super) async fn remove_all(&self) {
        let made = mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let Made { namespaces, nodes, signer_names } = made;
        for namespace in &namespaces {
            self.remove_namespace(namespace).await;
        }
        let all_nodes: Api<Node> = Api::all(self.client());
        for node in &nodes {
            note(&format!("node {node}"), all_nodes.delete(node, &DeleteParams::default()).await);
        }
        for signer_name in &signer_names {
            self.remove_trust_bundles(signer_name).await;
        }
    }

    /// Pods go first and by force: a pod on a node waits for its kubelet's word, and there is no kubelet.
    async fn remove_namespace(&self, namespace: &str) {
        let pods: Api<Pod> = Api::namespaced(self.client(), namespace);
        match pods.list_metadata(&ListParams::default()).await {
            Ok(list) => {
                let held = list.items.iter().filter(|pod| pod.metadata.finalizers.is_some());
                for name in held.filter_map(|pod| pod.metadata.name.as_deref()) {
                    let release = Patch::Merge(json!({"metadata": {"finalizers": null}}));
                    note(
                        &format!("pod {namespace}/{name}"),
                        pods.patch(name, &PatchParams::default(), &release).await,
                    );
                }
            }
            failed => note(&format!("pods of {namespace}"), failed),
        }
        let at_once = DeleteParams::default().grace_period(0);
        note(&format!("pods of {namespace}"), pods.delete_collection(&at_once, &ListParams::default()).await);
        let namespaces: Api<Namespace> = Api::all(self.client());
        note(&format!("namespace {namespace}"), namespaces.delete(namespace, &DeleteParams::default()).await);
    }

    async fn remove_trust_bundles(&self, signer_name: &str) {
        let Ok(resource) = self.cluster.served().trust_bundle_resource() else { return };
        let bundles: Api<kube::core::DynamicObject> = Api::all_with(self.client(), &resource);
        let of_signer = ListParams::default().fields(&format!("spec.signerName={signer_name}"));
        note(
            &format!("trust bundles of {signer_name}"),
            bundles.delete_collection(&DeleteParams::default(), &of_signer).await,
        );
    }
}

/// Says what is left over. Gone already is as good as removed.
fn note<T>(what: &str, result: kube::Result<T>) {
    match result {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => eprintln!("test-cluster: {what} may be left over: {error}"),
    }
}

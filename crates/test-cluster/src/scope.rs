//! What one test makes in a cluster, and its removal.

mod removal;

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::{Mutex, PoisonError},
};

use futures::FutureExt;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};

use crate::{Cluster, Error, Kubelet, unique};

/// A test's own corner of the cluster: namespaces, signer names and nodes that nobody else uses. See
/// [`Cluster::run`].
#[derive(Debug)]
pub struct Scope {
    cluster: Cluster,
    made: Mutex<Made>,
}

/// What is to be removed at the end. Everything else lies in the namespaces.
#[derive(Debug, Default)]
struct Made {
    namespaces: Vec<String>,
    nodes: Vec<String>,
    signer_names: Vec<String>,
}

impl Cluster {
    /// Runs a test, and then removes what it made through its [`Scope`], also when the test panics.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), test_cluster::Error> {
    /// let cluster = test_cluster::Cluster::connect().await?;
    /// cluster
    ///     .run(async |scope| {
    ///         let namespace = scope.namespace("shop").await?;
    ///         // …
    ///         Ok(())
    ///     })
    ///     .await
    /// # }
    /// ```
    pub async fn run<T>(&self, test: impl AsyncFnOnce(&Scope) -> T) -> T {
        let scope = Scope { cluster: self.clone(), made: Mutex::default() };
        let result = AssertUnwindSafe(test(&scope)).catch_unwind().await;
        scope.remove_all().await;
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Makes things, and leaves them there: in a cluster that is thrown away afterwards.
    pub async fn keep<T>(&self, make: impl AsyncFnOnce(&Scope) -> T) -> T {
        make(&Scope { cluster: self.clone(), made: Mutex::default() }).await
    }
}

impl Scope {
    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// An administrator's client.
    pub fn client(&self) -> Client {
        self.cluster.client()
    }

    /// Makes a namespace `<prefix>-<random>`, ready for pods, and returns its name.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn namespace(&self, prefix: &str) -> Result<String, Error> {
        self.exact_namespace(&format!("{prefix}-{}", unique::label())).await
    }

    /// Makes the namespace of exactly that name, which must not exist: it is removed at the end.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn exact_namespace(&self, name: &str) -> Result<String, Error> {
        let doing = || format!("creating namespace {name}");
        let namespace = Namespace { metadata: named(name), ..Namespace::default() };
        Api::all(self.client())
            .create(&PostParams::default(), &namespace)
            .await
            .map_err(Error::api(doing))?;
        self.made(|made| made.namespaces.push(name.into()));
        self.ensure_service_account(name, "default").await?;
        Ok(name.into())
    }

    /// Makes a service account unless there is one, so that no pod has to wait for a controller that may not
    /// run. Returns its UID.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn ensure_service_account(&self, namespace: &str, name: &str) -> Result<String, Error> {
        ensure_service_account(self.client(), namespace, name).await
    }

    /// A signer name that nobody else uses: `<random>.example.test/<path>`. Its trust bundles are removed at
    /// the end.
    pub fn signer_name(&self, path: &str) -> String {
        let name = format!("{}.example.test/{path}", unique::label());
        self.owns_signer_name(&name);
        name
    }

    /// Has the trust bundles of this signer name removed at the end, whoever published them.
    pub fn owns_signer_name(&self, name: &str) {
        self.made(|made| made.signer_names.push(name.into()));
    }

    /// Makes a Node, and plays its kubelet.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn kubelet(&self) -> Result<Kubelet, Error> {
        let node = format!("node-{}", unique::label());
        self.made(|made| made.nodes.push(node.clone()));
        Kubelet::start(&self.cluster, &node).await
    }

    fn made(&self, note: impl FnOnce(&mut Made)) {
        note(&mut self.made.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

pub(crate) async fn ensure_service_account(
    client: Client,
    namespace: &str,
    name: &str,
) -> Result<String, Error> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client, namespace);
    let account = ServiceAccount { metadata: named(name), ..ServiceAccount::default() };
    let result = match accounts.create(&PostParams::default(), &account).await {
        Err(kube::Error::Api(status)) if status.code == 409 => accounts.get(name).await,
        other => other,
    };
    let account = result.map_err(Error::api(|| format!("making service account {namespace}/{name}")))?;
    Ok(account.metadata.uid.unwrap_or_default())
}

pub(crate) fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() }
}

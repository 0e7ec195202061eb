//! The cluster that tests run against.

use std::{
    env,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
    core::DynamicObject,
};

use crate::{ControlPlane, Error, Minor, Options, Served, served::request_resource};

/// A cluster to test on, connected as an administrator. Cheap to clone; belongs to the tokio runtime that
/// connected it.
#[derive(Clone)]
pub struct Cluster {
    config: Config,
    client: Client,
    served: Arc<Served>,
    kubeconfig: Option<PathBuf>,
}

impl Cluster {
    /// Connects to the cluster that the environment names.
    ///
    /// - `SIGNER_TEST_CLUSTER=existing`: the one that `KUBECONFIG`, or the pod that this runs in, leads to;
    /// - otherwise a control plane of this process's own, started at the first call and shared by all tests
    ///   of the process, of the version in `SIGNER_TEST_KUBERNETES` (`1.36`, `oldest`; default: `newest`).
    ///
    /// # Errors
    /// [`Error::Build`], [`Error::Start`], [`Error::NoCluster`], [`Error::Api`]
    pub async fn connect() -> Result<Self, Error> {
        if uses_existing() {
            return Self::existing().await;
        }
        let kubeconfig = tokio::task::spawn_blocking(shared_control_plane)
            .await
            .map_err(|panic| Error::NoCluster(panic.into()))?
            .map_err(|failure| Error::NoCluster(failure.into()))?;
        Self::with_kubeconfig(kubeconfig).await
    }

    /// Connects to the cluster that kube's own rules lead to: `KUBECONFIG`, `~/.kube/config`, then the pod's
    /// account.
    ///
    /// # Errors
    /// [`Error::NoCluster`], [`Error::Api`]
    pub async fn existing() -> Result<Self, Error> {
        let config = Config::infer().await.map_err(|error| Error::NoCluster(error.into()))?;
        Self::with_config(config, env::var_os("KUBECONFIG").map(PathBuf::from)).await
    }

    /// Connects to a control plane that the caller started: for tests that need one of their own.
    ///
    /// # Errors
    /// [`Error::NoCluster`], [`Error::Api`]
    pub async fn of(control_plane: &ControlPlane) -> Result<Self, Error> {
        Self::with_kubeconfig(control_plane.kubeconfig().to_owned()).await
    }

    async fn with_kubeconfig(path: PathBuf) -> Result<Self, Error> {
        let unusable = |error: kube::config::KubeconfigError| Error::NoCluster(error.into());
        let kubeconfig = Kubeconfig::read_from(&path).map_err(unusable)?;
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(unusable)?;
        Self::with_config(config, Some(path)).await
    }

    async fn with_config(config: Config, kubeconfig: Option<PathBuf>) -> Result<Self, Error> {
        let client = client(config.clone())?;
        let served = Arc::new(Served::discover(&client).await?);
        Ok(Self { config, client, served, kubeconfig })
    }

    /// An administrator's client, for the current test alone: a client belongs to its test's tokio runtime.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A client that acts as somebody else, by impersonation: a node, or a controller's service account with
    /// the rights that its manifests give it.
    ///
    /// # Errors
    /// [`Error::Api`] if the client can't be made.
    pub fn client_as(&self, user: &str, groups: &[&str]) -> Result<Client, Error> {
        let mut config = self.config.clone();
        config.auth_info.impersonate = Some(user.into());
        config.auth_info.impersonate_groups = Some(groups.iter().map(ToString::to_string).collect());
        client(config)
    }

    /// How the cluster is reached, for code under test that makes its own client.
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// The kubeconfig file, for programs under test (`KUBECONFIG`); none if this runs in a pod of the
    /// cluster.
    pub fn kubeconfig(&self) -> Option<&PathBuf> {
        self.kubeconfig.as_ref()
    }

    /// What the API server serves.
    pub fn served(&self) -> &Served {
        &self.served
    }

    /// PodCertificateRequests of a namespace, in the version that a signer should prefer.
    ///
    /// # Errors
    /// [`Error::NotServed`]
    pub fn requests(&self, namespace: &str) -> Result<Api<DynamicObject>, Error> {
        Ok(Api::namespaced_with(self.client(), namespace, &self.served.request_resource()?))
    }

    /// PodCertificateRequests of a namespace, in a version of the caller's choice.
    pub fn requests_in_version(&self, version: &str, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client(), namespace, &request_resource(version))
    }
}

impl std::fmt::Debug for Cluster {
    /// Without the configuration, which holds the administrator's key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("server", &self.config.cluster_url)
            .field("served", &self.served)
            .finish_non_exhaustive()
    }
}

/// Whether the environment names a cluster to use (`SIGNER_TEST_CLUSTER=existing`).
pub fn uses_existing() -> bool {
    env::var("SIGNER_TEST_CLUSTER").is_ok_and(|value| value == "existing")
}

/// The options for a control plane of a test's own, with `SIGNER_TEST_KUBERNETES`'s version. `None` if the
/// test must do without, because a foreign cluster is all there is; such a test says so, and passes.
///
/// # Errors
/// [`Error::UnknownMinor`]
pub fn own_control_plane() -> Result<Option<Options>, Error> {
    // `cargo xtask test` sets both: the cluster that it started for all, and its version.
    let version = env::var("SIGNER_TEST_KUBERNETES").ok();
    if uses_existing() && version.is_none() {
        return Ok(None);
    }
    let kubernetes = version.as_deref().map(Minor::named).transpose()?;
    Ok(Some(Options { kubernetes, ..Options::default() }))
}

fn client(config: Config) -> Result<Client, Error> {
    Client::try_from(config).map_err(Error::api(|| "making a client".into()))
}

/// The kubeconfig of this process's control plane. A failed start is told to every test, and not tried again.
fn shared_control_plane() -> Result<PathBuf, String> {
    static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
    let start = || {
        let options =
            own_control_plane().and_then(|options| ControlPlane::start(&options.unwrap_or_default()));
        options.map_err(|error| crate::story(&error))
    };
    SHARED.get_or_init(start).as_ref().map(|plane| plane.kubeconfig().to_owned()).map_err(Clone::clone)
}

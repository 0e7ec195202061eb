//! What all measurements stand on: a control plane, pods that ask, CA pools.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ca_pool::{
    CaPool, CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType, root_common_name,
};
use jiff::Timestamp;
use kube::api::{DeleteParams, ListParams};
use tempfile::TempDir;
use test_cluster::{
    BoundPod, CertificateSource, Cluster, ControlPlane, KeyType, Kubelet, Minor, NewPod, NewService, Options,
    Scope,
};

use crate::{Result, load::Load};

/// A signer that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signer {
    /// The signer's name, after the domain.
    pub(crate) path: &'static str,
    /// Its fields in the configuration; none for the null signer, which has none.
    pub(crate) fields: &'static str,
    /// The CA's key.
    pub(crate) ca: SigningKeyType,
    /// The pods' keys.
    pub(crate) key_type: KeyType,
}

const DOMAIN: &str = "bench.example.com";

const fn signer(path: &'static str, fields: &'static str, ca: SigningKeyType, key_type: KeyType) -> Signer {
    Signer { path, fields, ca, key_type }
}

const SERVICES: &str = "kind: service-dns";

/// Signs whatever it is asked to.
pub(crate) const NULL: Signer = signer("null", "", SigningKeyType::EcdsaP256, KeyType::EcdsaP256);
/// The signer that reads most.
pub(crate) const SERVICE_DNS: Signer =
    signer("service-dns", SERVICES, SigningKeyType::EcdsaP256, KeyType::EcdsaP256);
/// One of each kind, of each kind of CA key that matters, and of each kind of pod key that does.
pub(crate) const ALL: [Signer; 7] = [
    NULL,
    SERVICE_DNS,
    signer(
        "spiffe",
        "kind: spiffe, trustDomain: cluster.local",
        SigningKeyType::EcdsaP256,
        KeyType::EcdsaP256,
    ),
    signer("annotation", "kind: annotation", SigningKeyType::EcdsaP256, KeyType::EcdsaP256),
    signer("ed25519", SERVICES, SigningKeyType::Ed25519, KeyType::Ed25519),
    signer("p384", SERVICES, SigningKeyType::EcdsaP384, KeyType::EcdsaP384),
    signer("rsa-pods", SERVICES, SigningKeyType::EcdsaP256, KeyType::Rsa3072),
];

const PODS: usize = 200;
const NAMESPACES: usize = 10;

impl Signer {
    pub(crate) fn name(&self) -> String {
        format!("{DOMAIN}/{}", self.path)
    }

    /// Which of a pod's sources asks it.
    fn index(&self) -> usize {
        ALL.iter().position(|signer| signer == self).unwrap_or_default()
    }
}

/// Everything that runs or lies on disk for a measurement.
pub(crate) struct Stage {
    // dropped in this order
    pub(crate) load: Load,
    pub(crate) kubelet: Arc<Kubelet>,
    pub(crate) cluster: Cluster,
    pub(crate) pods: Arc<Vec<BoundPod>>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) signer_manager: PathBuf,
    plane: ControlPlane,
    pub(crate) dir: TempDir,
}

impl Stage {
    /// Starts a control plane, and creates pods in some namespaces, each with a Service.
    pub(crate) async fn new(kubernetes: Option<Minor>, signer_manager: &Path) -> Result<Self> {
        let options = Options { kubernetes, ..Options::default() };
        let plane = tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await??;
        let cluster = Cluster::of(&plane).await?;
        let dir = tempfile::tempdir()?;
        for signer in ALL {
            write_pool(&pool_path(dir.path(), &signer), signer.ca)?;
        }
        let kubelet = Arc::new(cluster.keep(Scope::kubelet).await?);
        let (namespaces, pods) = cluster.keep(async |scope| pods(scope, &kubelet).await).await?;
        let load = Load::watch(&cluster).await?;
        let signer_manager = signer_manager.to_owned();
        Ok(Self { load, kubelet, cluster, pods: Arc::new(pods), namespaces, signer_manager, plane, dir })
    }

    /// Where the API server listens: host and port.
    pub(crate) fn server(&self) -> String {
        self.plane.server().trim_start_matches("https://").trim_end_matches('/').to_owned()
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        self.plane.kubeconfig()
    }

    pub(crate) fn kubernetes(&self) -> &str {
        self.plane.kubernetes()
    }

    pub(crate) fn pool(&self, signer: &Signer) -> PathBuf {
        pool_path(self.dir.path(), signer)
    }

    /// Further Services, which select none of the pods.
    pub(crate) async fn crowd(&self, from: usize, to: usize) -> Result<()> {
        let service = |i: usize| {
            let namespace = &self.namespaces[i % self.namespaces.len()];
            NewService::new(namespace, &format!("other-{i}")).selects("app", "other").selects("tier", "front")
        };
        Ok(self.cluster.keep(async |scope| scope.create_services((from..to).map(service)).await).await?)
    }

    /// Deletes all requests, as the API server's cleaner does after a quarter of an hour.
    pub(crate) async fn clear(&self) -> Result<()> {
        for namespace in &self.namespaces {
            let requests = self.cluster.requests(namespace)?;
            requests.delete_collection(&DeleteParams::default(), &ListParams::default()).await?;
        }
        Ok(())
    }

    /// The requests of a load: one for each pod in turn, by the positions of the pod and of its source.
    pub(crate) fn asks(&self, signer: &Signer) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (index, pods) = (signer.index(), self.pods.len());
        (0..).map(move |i| (i % pods, index))
    }
}

fn pool_path(dir: &Path, signer: &Signer) -> PathBuf {
    dir.join(format!("{}.json", signer.path))
}

fn write_pool(path: &Path, key_type: SigningKeyType) -> Result<()> {
    let root = NewRoot {
        id: "1".into(),
        common_name: root_common_name("bench", "1", [1, 2, 3, 4])?,
        uri: None,
        validity: NewRoot::DEFAULT_VALIDITY,
    };
    let serial = SerialNumber::from_random([7; 16]);
    let key = SigningKey::generate(key_type)?;
    let authority =
        CertificateAuthority::new_root(root, key, serial, Timestamp::now() - Duration::from_secs(3600))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(&CaPool::new(vec![authority])?.to_json()?)?)
}

async fn pods(
    scope: &Scope,
    kubelet: &Kubelet,
) -> std::result::Result<(Vec<String>, Vec<BoundPod>), test_cluster::Error> {
    let mut namespaces = Vec::new();
    for i in 0..NAMESPACES {
        namespaces.push(scope.exact_namespace(&format!("team-{i}")).await?);
    }
    let services = namespaces
        .iter()
        .map(|namespace| NewService::new(namespace, "web").selects("app", "web").selects("tier", "front"));
    scope.create_services(services).await?;
    let pod = |i: usize| {
        let pod = NewPod::new(&namespaces[i % NAMESPACES], &format!("web-{i}"));
        let source = |signer: &Signer| CertificateSource::new(&signer.name(), signer.key_type);
        ALL.iter().map(source).fold(pod.label("app", "web").label("tier", "front"), NewPod::certificate)
    };
    let pods = kubelet.start_pods((0..PODS).map(pod)).await?;
    Ok((namespaces, pods))
}

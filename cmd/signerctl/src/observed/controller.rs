//! The controller as it is deployed: its configuration, its Deployment, and where it has its pools from.

use std::{collections::BTreeMap, path::Path, rc::Rc};

use ca_pool::PoolSource;
use clap::Args;
use serde::Deserialize;
use signer_manager::Config;

use super::ObservedPod;
use crate::{
    error::Error,
    store::{cluster::Cluster, plain::Plain, secret::SecretPlace},
    text::arguments,
};

/// Its Deployment, service account and ConfigMap have this name.
pub(crate) const NAME: &str = "signer-manager";
const KEY: &str = "signers.yaml";

/// Where the controller runs.
#[derive(Args)]
pub(crate) struct ControllerArguments {
    /// The namespace of the controller.
    #[arg(long, value_name = "NAMESPACE", default_value = "mesh-controller", value_parser = arguments::namespace)]
    controller_namespace: String,
}

impl ControllerArguments {
    pub(crate) fn controller<'a>(&'a self, cluster: &'a Cluster) -> Controller<'a> {
        Controller { cluster, namespace: &self.controller_namespace }
    }
}

/// The controller of a namespace.
#[derive(Clone, Copy)]
pub(crate) struct Controller<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
}

impl Controller<'_> {
    /// The configuration that its replicas have read, or will read when they start again.
    pub(crate) fn config(self) -> Result<Config, Error> {
        let path = format!("/api/v1/namespaces/{}/configmaps", self.namespace);
        let what = format!("ConfigMap {}/{NAME}", self.namespace);
        let found = self.cluster.get_plain::<ConfigMap>(&path, NAME)?;
        let mut found = found.ok_or_else(|| self.missing(what.clone()))?;
        let text = found.data.remove(KEY).ok_or_else(|| self.missing(format!("key {KEY} of {what}")))?;
        Ok(Config::parse(&text, &format!("{what} {KEY}"))?)
    }

    pub(crate) fn deployment(self) -> Result<Deployment, Error> {
        let path = format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace);
        let found = self.cluster.get_plain::<DeploymentWire>(&path, NAME)?;
        let missing = || self.missing(format!("Deployment {}/{NAME}", self.namespace));
        Ok(found.ok_or_else(missing)?.into())
    }

    /// The pods of its Deployment that haven't finished.
    pub(crate) fn pods(self) -> Result<Vec<ObservedPod>, Error> {
        let path = format!("/api/v1/namespaces/{}/pods", self.namespace);
        let mut pods = self.cluster.list::<ObservedPod>(&path, None)?.objects;
        let is_ours = |pod: &ObservedPod| {
            let owner = pod.owner.as_ref();
            owner.is_some_and(|owner| owner.kind == "Deployment" && owner.name == NAME) && !pod.is_finished()
        };
        pods.retain(is_ours);
        pods.sort_by(|a, b| a.pod.name.cmp(&b.pod.name));
        Ok(pods)
    }

    fn missing(self, what: String) -> Error {
        let remedy = "Say where the controller runs with --controller-namespace, or choose another cluster with --context; \
                      without it, `kubectl apply -k controller-manifests` installs it";
        Error::NotThere { what, cluster: self.cluster.to_string(), remedy: remedy.to_owned() }
    }
}

/// The Secret in which a signer's pool is: where the configuration says that it is a file, what the Deployment
/// mounts there.
pub(crate) fn pool_place(
    cluster: &Rc<Cluster>,
    controller: Controller<'_>,
    pool: &PoolSource,
) -> Result<SecretPlace, Error> {
    let (namespace, name) = match pool {
        PoolSource::Secret(secret) => (secret.namespace.clone(), secret.name.clone()),
        files => {
            let deployment = controller.deployment()?;
            let name = deployment.secret_of(files).ok_or(Error::PoolElsewhere)?;
            (controller.namespace.to_owned(), name.to_owned())
        }
    };
    Ok(SecretPlace { cluster: Rc::clone(cluster), namespace, name })
}

/// The texts of a ConfigMap.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigMap {
    data: BTreeMap<String, String>,
}

impl Plain for ConfigMap {
    const KIND: &'static str = "ConfigMap";
}

/// The controller's Deployment.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) replicas: u32,
    pub(crate) ready: u32,
    pub(crate) updated: u32,
    /// The Secrets that are mounted, by the path at which they are.
    secrets: Vec<(String, String)>,
}

impl Deployment {
    /// The Secret of the controller's namespace from which it has a pool.
    pub(crate) fn secret_of(&self, pool: &PoolSource) -> Option<&str> {
        let file = match pool {
            PoolSource::Secret(_) => return None,
            PoolSource::PoolFile(file) => file,
            PoolSource::PemFiles { key, .. } => key,
        };
        let holds = |(path, _): &&(String, String)| file.starts_with(Path::new(path));
        self.secrets
            .iter()
            .filter(holds)
            .max_by_key(|(path, _)| path.len())
            .map(|(_, secret)| secret.as_str())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeploymentWire {
    spec: DeploymentSpecWire,
    status: DeploymentStatusWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeploymentSpecWire {
    replicas: Option<u32>,
    template: TemplateWire,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DeploymentStatusWire {
    ready_replicas: u32,
    updated_replicas: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TemplateWire {
    spec: PodSpecWire,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodSpecWire {
    containers: Vec<ContainerWire>,
    volumes: Vec<VolumeWire>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerWire {
    volume_mounts: Vec<MountWire>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct MountWire {
    name: String,
    mount_path: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct VolumeWire {
    name: String,
    secret: Option<SecretWire>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SecretWire {
    secret_name: String,
}

impl Plain for DeploymentWire {
    const KIND: &'static str = "Deployment";
}

impl From<DeploymentWire> for Deployment {
    fn from(DeploymentWire { spec, status }: DeploymentWire) -> Self {
        let PodSpecWire { containers, volumes } = spec.template.spec;
        let secrets =
            volumes.into_iter().filter_map(|volume| Some((volume.name, volume.secret?.secret_name)));
        let secrets: BTreeMap<String, String> = secrets.collect();
        let mounts = containers.into_iter().flat_map(|container| container.volume_mounts);
        let mounted = mounts.filter_map(|mount| Some((mount.mount_path, secrets.get(&mount.name)?.clone())));
        Self {
            replicas: spec.replicas.unwrap_or(1),
            ready: status.ready_replicas,
            updated: status.updated_replicas,
            secrets: mounted.collect(),
        }
    }
}

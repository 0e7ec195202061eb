//! The controller as it is deployed: its configuration, its Deployment, and where it has its pools from.

use std::{cell::OnceCell, collections::BTreeMap, path::Path, rc::Rc};

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
        Controller { cluster, namespace: &self.controller_namespace, deployment: OnceCell::new() }
    }
}

/// The controller of a namespace. Its Deployment is read once.
pub(crate) struct Controller<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) namespace: &'a str,
    deployment: OnceCell<Deployment>,
}

impl Controller<'_> {
    /// The configuration that its replicas have read, or will read when they start again.
    pub(crate) fn config(&self) -> Result<Config, Error> {
        let path = format!("/api/v1/namespaces/{}/configmaps", self.namespace);
        let what = format!("ConfigMap {}/{NAME}", self.namespace);
        let found = self.cluster.get_plain::<ConfigMap>(&path, NAME)?;
        let mut found = found.ok_or_else(|| self.missing(what.clone()))?;
        let text = found.data.remove(KEY).ok_or_else(|| self.missing(format!("key {KEY} of {what}")))?;
        Ok(Config::parse(&text, &format!("{what} {KEY}"))?)
    }

    pub(crate) fn deployment(&self) -> Result<&Deployment, Error> {
        if let Some(known) = self.deployment.get() {
            return Ok(known);
        }
        let path = format!("/apis/apps/v1/namespaces/{}/deployments", self.namespace);
        let found = self.cluster.get_plain::<DeploymentWire>(&path, NAME)?;
        let missing = || self.missing(format!("Deployment {}/{NAME}", self.namespace));
        let found = found.ok_or_else(missing)?;
        Ok(self.deployment.get_or_init(|| found.into()))
    }

    /// The pods of its Deployment that haven't finished.
    pub(crate) fn pods(&self) -> Result<Vec<ObservedPod>, Error> {
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

    fn missing(&self, what: String) -> Error {
        let remedy = "Say where the controller runs with --controller-namespace, or choose another cluster with --context; \
                      without it, `kubectl apply -k controller-manifests` installs it";
        Error::NotThere { what, cluster: self.cluster.to_string(), remedy: remedy.to_owned() }
    }
}

/// The Secret in which a signer's pool is: where the configuration says that it is a file, what the Deployment
/// mounts there.
pub(crate) fn pool_place(
    cluster: &Rc<Cluster>,
    controller: &Controller<'_>,
    pool: &PoolSource,
) -> Result<SecretPlace, Error> {
    let (namespace, name) = match pool {
        PoolSource::Secret(secret) => (secret.namespace.clone(), secret.name.clone()),
        files => {
            let name = controller.deployment()?.secret_of(files).ok_or(Error::PoolElsewhere)?;
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
#[derive(Debug, Default)]
pub(crate) struct Deployment {
    pub(crate) replicas: u32,
    pub(crate) ready: u32,
    pub(crate) updated: u32,
    /// Whether it authenticates those who read its metrics.
    pub(crate) has_metrics_auth: bool,
    pub(crate) service_account: String,
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
#[serde(rename_all = "camelCase", default)]
struct PodSpecWire {
    service_account_name: Option<String>,
    containers: Vec<ContainerWire>,
    volumes: Vec<VolumeWire>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerWire {
    args: Vec<String>,
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
    projected: Option<ProjectedWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectedWire {
    sources: Vec<SourceWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SourceWire {
    secret: Option<ProjectedSecretWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectedSecretWire {
    name: String,
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
        let PodSpecWire { service_account_name, containers, volumes } = spec.template.spec;
        let has_metrics_auth = containers
            .iter()
            .any(|container| container.args.iter().any(|argument| argument == "--metrics-auth"));
        let secrets: BTreeMap<String, String> = volumes.into_iter().filter_map(VolumeWire::secret).collect();
        let mounts = containers.into_iter().flat_map(|container| container.volume_mounts);
        let mounted = mounts.filter_map(|mount| Some((mount.mount_path, secrets.get(&mount.name)?.clone())));
        Self {
            replicas: spec.replicas.unwrap_or(1),
            ready: status.ready_replicas,
            updated: status.updated_replicas,
            has_metrics_auth,
            // what the API server fills in
            service_account: service_account_name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| "default".to_owned()),
            secrets: mounted.collect(),
        }
    }
}

impl VolumeWire {
    /// Its name, and that of the Secret in it. Which files of a projected volume are of which Secret isn't told
    /// apart, so one with several counts as none.
    fn secret(self) -> Option<(String, String)> {
        let projected = self.projected.into_iter().flat_map(|projected| projected.sources);
        let mut projected = projected.filter_map(|source| Some(source.secret?.name));
        let secret = match self.secret {
            Some(secret) => secret.secret_name,
            None => projected.next().filter(|_| projected.next().is_none())?,
        };
        Some((self.name, secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_in_the_secret_that_is_mounted_where_its_file_is() {
        let deployment = serde_json::json!({"spec": {"template": {"spec": {
            "serviceAccountName": "signers",
            "containers": [{"args": ["--metrics-auth"], "volumeMounts": [
                {"name": "a", "mountPath": "/run/pools"},
                {"name": "b", "mountPath": "/run/pools/b"},
                {"name": "c", "mountPath": "/run/c"},
            ]}],
            "volumes": [
                {"name": "a", "secret": {"secretName": "of-a"}},
                {"name": "b", "projected": {"sources": [{"configMap": {"name": "x"}}, {"secret": {"name": "of-b"}}]}},
                {"name": "c", "projected": {"sources": [{"secret": {"name": "x"}}, {"secret": {"name": "y"}}]}},
            ],
        }}}});
        let deployment = Deployment::from(serde_json::from_value::<DeploymentWire>(deployment).unwrap());
        assert!(deployment.has_metrics_auth);
        assert_eq!(deployment.service_account, "signers");
        for (file, expected) in [
            ("/run/pools/pool", Some("of-a")),
            ("/run/pools/b/pool", Some("of-b")),
            ("/run/c/pool", None),
            ("/elsewhere", None),
        ] {
            assert_eq!(deployment.secret_of(&PoolSource::PoolFile(file.into())), expected, "{file}");
        }
    }
}

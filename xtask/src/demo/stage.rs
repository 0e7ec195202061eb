//! What the demo stands on: programs, a cluster, CA pools, a running signer-manager.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;
use test_cluster::{Cluster, ControlPlane, Minor, Options, control_plane::Program, uses_existing};

use super::{
    configuration::{POOLS, configuration},
    manager::Manager,
};
use crate::{
    cargo, controlplane,
    error::Error,
    program::{self, blocking},
    terminal::Steps,
};

/// How much of a log a failure shows.
const LOG_LINES: usize = 25;

/// The programs that an operator would install.
pub(super) struct Programs {
    pub(super) signerctl: PathBuf,
    signer_manager: PathBuf,
}

/// Everything that runs or lies on disk for the demo; gone when this is dropped.
pub(super) struct Stage {
    // Dropped in this order: the controller before its API server, and the files last.
    manager: Option<Manager>,
    control_plane: Option<ControlPlane>,
    dir: TempDir,
}

/// Builds the two programs, and the control plane unless a cluster exists.
pub(super) async fn build(minor: Minor, steps: &Steps) -> Result<Programs, Error> {
    let programs = blocking(|| cargo::build(&["signerctl", "signer-manager"]));
    let mut programs = steps.loud("building signerctl and signer-manager", programs).await?;
    let mut program = |name: &str| {
        programs.remove(name).ok_or_else(|| Error::Unmet(format!("cargo built no program named {name}")))
    };
    let programs = Programs { signerctl: program("signerctl")?, signer_manager: program("signer-manager")? };
    if !uses_existing() {
        let build = blocking(move || controlplane::build(Program::ControlPlane, minor));
        steps
            .loud(&format!("building the control plane of Kubernetes {minor}, unless it was before"), build)
            .await?;
    }
    Ok(programs)
}

impl Stage {
    pub(super) fn new() -> Result<Self, Error> {
        let dir = tempfile::Builder::new().prefix("signer-demo-").tempdir();
        Ok(Self {
            manager: None,
            control_plane: None,
            dir: dir.map_err(Error::io("creating", std::env::temp_dir()))?,
        })
    }

    /// Whether the cluster is the demo's own.
    pub(super) fn owns_cluster(&self) -> bool {
        self.control_plane.is_some()
    }

    /// Starts the control plane, or connects to the existing cluster.
    pub(super) async fn connect(&mut self, minor: Minor, steps: &Steps) -> Result<Cluster, Error> {
        if uses_existing() {
            let existing = async { Ok(Cluster::existing().await?) };
            return steps.quiet("connecting to the existing cluster", existing).await;
        }
        let options = Options { kubernetes: Some(minor), ..Options::default() };
        let start = async {
            let plane = self.control_plane.insert(controlplane::start(options).await?);
            Ok(Cluster::of(plane).await?)
        };
        steps
            .quiet(&format!("starting etcd, kube-apiserver and controllers of Kubernetes {minor}"), start)
            .await
    }

    /// Has `signerctl` create a CA pool for each signer.
    pub(super) async fn create_pools(&self, signerctl: &Path, steps: &Steps) -> Result<(), Error> {
        let create = async {
            for pool in POOLS {
                let mut command = Command::new(signerctl);
                command.args(["ca-pool", "create", "--ca-id", "1", "--signer", pool.signer_name]);
                command.args(["--key-type", pool.key_type, "--file"]).arg(self.dir.path().join(pool.file));
                blocking(move || program::output(&mut command)).await?;
            }
            Ok(())
        };
        steps.quiet("creating a CA pool for each of three signers with signerctl", create).await
    }

    /// Writes the configuration and starts `signer-manager` on it.
    pub(super) async fn start_manager(
        &mut self,
        programs: &Programs,
        cluster: &Cluster,
        payments: &str,
        steps: &Steps,
    ) -> Result<(), Error> {
        let file = self.config();
        fs::write(&file, configuration(self.dir.path(), payments)).map_err(Error::io("writing", &file))?;
        let log = self.dir.path().join("signer-manager.log");
        let kubeconfig = cluster.kubeconfig().map(PathBuf::as_path);
        let start = async {
            let manager =
                self.manager.insert(Manager::start(&programs.signer_manager, &file, kubeconfig, log)?);
            manager.ready().await
        };
        steps.quiet("starting signer-manager and waiting until its three signers are ready", start).await
    }

    /// Returns if signer-manager ends by itself, which is an error.
    pub(super) async fn manager_ends(&mut self) -> Error {
        let step = "running signer-manager".to_owned();
        let source = match &mut self.manager {
            Some(manager) => manager.ends_by_itself().await,
            None => Error::Unmet("it was not started".into()),
        };
        Error::Step { step, source: Box::new(source), log: String::new() }
    }

    /// Ends signer-manager as kubelet would.
    pub(super) async fn stop_manager(&mut self) -> Result<(), Error> {
        match &mut self.manager {
            Some(manager) => manager.stop().await,
            None => Ok(()),
        }
    }

    /// Ends signer-manager at once; its log can still be read.
    pub(super) fn kill_manager(&mut self) {
        if let Some(manager) = &mut self.manager {
            manager.kill();
        }
    }

    /// Ends everything.
    pub(super) async fn clear(&mut self) -> Result<(), Error> {
        let (manager, control_plane) = (self.manager.take(), self.control_plane.take());
        blocking(move || {
            drop(manager);
            drop(control_plane);
            Ok(())
        })
        .await
    }

    pub(super) fn config(&self) -> PathBuf {
        self.dir.path().join("signer-manager.yaml")
    }

    pub(super) fn manager(&self) -> Option<&Manager> {
        self.manager.as_ref()
    }

    /// The end of the log that tells most: signer-manager's once that runs.
    pub(super) fn log_tail(&self) -> String {
        let (of, tail) = match (&self.manager, &self.control_plane) {
            (Some(manager), _) => ("signer-manager", manager.log_tail(LOG_LINES)),
            (None, Some(plane)) => ("the control plane", plane.log_tail(LOG_LINES)),
            (None, None) => return String::new(),
        };
        format!("the last lines of the log of {of}:\n{tail}")
    }
}

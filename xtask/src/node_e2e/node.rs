//! The node with its control plane.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use test_cluster::{ControlPlane, Minor, Options, RealNode, control_plane::Program};

use super::{
    component::Component,
    kubectl::{Kubectl, Seen, until},
    layout::{self, inside},
};
use crate::{
    controlplane,
    error::Error,
    program::{self, blocking},
    terminal::{Progress, Steps},
};

/// For what takes seconds; a loaded machine may take longer.
const SOON: Duration = Duration::from_secs(300);

/// containerd's own name for what the kubelet runs.
const CONTAINERD_NAMESPACE: &str = "k8s.io";

/// A running node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kubectl: Kubectl,
    pub(super) kubelet: Component,
    others: Vec<Component>,
    plane: ControlPlane,
}

impl Node {
    /// Starts it, up to a cluster DNS that answers.
    pub(super) async fn start(minor: Minor, steps: &Steps) -> Result<Self, Error> {
        let plane = steps
            .quiet(&format!("starting the control plane of Kubernetes {minor}"), control_plane(minor))
            .await?;
        let program = blocking(move || controlplane::build(Program::Node, minor)).await?;
        let kubectl = Kubectl { program: program.clone(), kubeconfig: plane.kubeconfig().to_owned() };
        let containerd = steps.quiet("starting containerd, and loading two images", containerd()).await?;
        let scheduler = scheduler(&program)?;
        let kubelet = kubelet(&program)?;
        let proxy = kube_proxy(&program)?;
        let mut node = Self { kubectl, kubelet, others: vec![containerd, scheduler, proxy], plane };
        let ready = async |progress: &Progress| node.ready(progress).await;
        steps.watched("starting kubelet, kube-proxy and kube-scheduler", ready).await?;
        let dns = async |progress: &Progress| node.cluster_dns(progress).await;
        steps.watched("starting cluster DNS", dns).await?;
        Ok(node)
    }

    /// The full version, such as `v1.37.1`.
    pub(super) fn kubernetes(&self) -> &str {
        self.plane.kubernetes()
    }

    /// Fails if one of its programs has ended.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.others.iter_mut().chain([&mut self.kubelet]).try_for_each(Component::check)
    }

    /// Waits until the Node object says Ready.
    pub(super) async fn ready(&mut self, progress: &Progress) -> Result<(), Error> {
        let kubectl = self.kubectl.clone();
        until(
            SOON,
            |missing| progress.tell(missing),
            async || {
                self.check()?;
                let conditions = "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}";
                let ready = kubectl.run(&format!("get nodes -o {conditions}")).await?;
                Ok(if ready == "True" {
                    Seen::Done(())
                } else {
                    Seen::Missing("the node isn't ready".into())
                })
            },
        )
        .await
    }

    async fn cluster_dns(&mut self, progress: &Progress) -> Result<(), Error> {
        let manifest = write("cluster-dns.yaml", include_str!("config/cluster-dns.yaml"))?;
        self.kubectl.run(&format!("apply -f {}", manifest.display())).await?;
        let kubectl = self.kubectl.clone();
        until(
            SOON,
            |missing| progress.tell(missing),
            async || {
                self.check()?;
                let available = "jsonpath={.status.availableReplicas}";
                let pods =
                    kubectl.run(&format!("get -n kube-system deployment coredns -o {available}")).await?;
                Ok(if pods == "1" { Seen::Done(()) } else { Seen::Missing("CoreDNS isn't ready".into()) })
            },
        )
        .await
    }
}

/// On the node's address, where pods reach it by its Service.
async fn control_plane(minor: Minor) -> Result<ControlPlane, Error> {
    let address = layout::ADDRESS.parse().map_err(|_| Error::Unmet("the node's address is none".into()))?;
    let node = Some(RealNode { name: layout::NODE.into(), address });
    let (kubernetes, dir) = (Some(minor), Some(inside("plane")));
    let plane = controlplane::start(Options { kubernetes, dir, node, ..Options::default() }).await?;
    Ok(plane)
}

async fn containerd() -> Result<Component, Error> {
    write("cni/pods.conflist", include_str!("config/pods.conflist"))?;
    let config = write("containerd.toml", include_str!("config/containerd.toml"))?;
    let arguments = ["--config", &config.to_string_lossy()];
    let mut containerd = Component::start("containerd", Path::new("containerd"), &arguments)?;
    until(
        SOON,
        |_| (),
        async || {
            containerd.check()?;
            let answer = blocking(|| program::output(Command::new("ctr").arg("version"))).await;
            Ok(answer.map_or_else(|error| Seen::Missing(error.to_string()), Seen::Done))
        },
    )
    .await?;
    for archive in [layout::node_image(), layout::image()] {
        let mut import = Command::new("ctr");
        import.args(["--namespace", CONTAINERD_NAMESPACE, "images", "import"]).arg(archive);
        blocking(move || program::output(&mut import)).await?;
    }
    Ok(containerd)
}

fn scheduler(program: &Path) -> Result<Component, Error> {
    let kubeconfig = format!("--kubeconfig={}", inside("plane/kube-scheduler.kubeconfig").display());
    Component::start("kube-scheduler", program, &["kube-scheduler", &kubeconfig, "--leader-elect=false"])
}

fn kubelet(program: &Path) -> Result<Component, Error> {
    let config = write("kubelet.yaml", include_str!("config/kubelet.yaml"))?;
    let arguments = [
        "kubelet",
        &format!("--config={}", config.display()),
        &format!("--kubeconfig={}", inside("plane/node-node.kubeconfig").display()),
        &format!("--hostname-override={}", layout::NODE),
        &format!("--node-ip={}", layout::ADDRESS),
    ];
    Component::start("kubelet", program, &arguments)
}

fn kube_proxy(program: &Path) -> Result<Component, Error> {
    let config = write("kube-proxy.yaml", include_str!("config/kube-proxy.yaml"))?;
    Component::start("kube-proxy", program, &["kube-proxy", &format!("--config={}", config.display())])
}

/// Writes a file into the node's state.
pub(super) fn write(name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = inside(name);
    fs::write(&path, text).map_err(Error::io("writing", &path))?;
    Ok(path)
}

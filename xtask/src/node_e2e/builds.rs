//! Builds what the node runs: Kubernetes' programs, the project's image, and an image of CoreDNS and pause.

use std::{fs, process::Command};

use test_cluster::{Minor, control_plane::Program, workspace_dir};

use super::layout;
use crate::{
    controlplane,
    error::Error,
    image::{self, Contents, Optimised, write_archive},
    program::{self, blocking},
    terminal::Steps,
};

/// Builds all of it; what was built before takes seconds.
pub(super) async fn all(minor: Minor, optimised: Optimised, steps: &Steps) -> Result<(), Error> {
    let node = "building kubelet, kube-proxy, kube-scheduler and kubectl";
    steps.loud(node, blocking(move || controlplane::build(Program::Node, minor))).await?;
    let plane = "building etcd, kube-apiserver and the controllers";
    steps.loud(plane, blocking(move || controlplane::build(Program::ControlPlane, minor))).await?;
    steps.loud("building CoreDNS", blocking(node_image)).await?;
    let image = blocking(move || image::build(&layout::image(), optimised));
    steps.loud("building the project's image", image).await?;
    Ok(())
}

/// The pod sandbox's program and the cluster's DNS server, in one image. Both are static.
fn node_image() -> Result<(), Error> {
    let root = layout::node_image_root();
    fs::create_dir_all(&root).map_err(Error::io("creating", &root))?;
    let mut go = Command::new("go");
    go.current_dir(workspace_dir().join("hack/node-images"));
    // What the module file pins is what gets built, whatever the environment says.
    go.envs([("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", ""), ("GOWORK", "off")]);
    go.args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o"]);
    go.arg(&root).args(["./coredns", "./pause"]);
    program::output(&mut go)?;
    let contents =
        Contents { root: &root, name: "localhost/node-e2e:1", user: "0:0", command: Some(r#"["/pause"]"#) };
    write_archive(&contents, &layout::node_image())
}

//! `cargo xtask controlplane`: a control plane to play with.

use std::path::PathBuf;

use test_cluster::{
    ControlPlane, Minor, Options,
    control_plane::{self, Program},
};

use crate::{
    error::Error,
    interrupt::Interrupt,
    prerequisites::{self, CONTROL_PLANE},
    program::blocking,
};

/// Start a throw-away Kubernetes control plane, and keep it until Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Its version: 1.36, newest, oldest [default: newest].
    #[arg(long, value_name = "VERSION")]
    kubernetes: Option<Minor>,
    /// Have the API server write one line of JSON into FILE for each finished call.
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,
}

/// Runs until it is interrupted, which is success.
pub(crate) async fn run(arguments: Arguments, mut interrupt: Interrupt) -> Result<(), Error> {
    let Arguments { kubernetes, audit_log } = arguments;
    interrupt.or(blocking(|| prerequisites::require(CONTROL_PLANE))).await?;
    let plane = interrupt.or(start(Options { kubernetes, audit_log, ..Options::default() })).await?;
    println!("Kubernetes {} at {}", plane.kubernetes(), plane.server());
    println!("  export KUBECONFIG={}", plane.kubeconfig().display());
    println!("  export SIGNER_TEST_CLUSTER=existing   # to have tests and the demo use it");
    println!("Logs are in {}. Ctrl-C ends it, and leaves nothing behind.", plane.dir().display());
    interrupt.requested().await;
    Ok(())
}

/// Builds one of its programs unless it was before, with progress on standard error, and returns where it is.
pub(crate) fn build(program: Program, minor: Minor) -> Result<PathBuf, Error> {
    let mut progress = control_plane::Progress::new(program, minor);
    Ok(control_plane::build(program, minor, &mut |elapsed| progress.report(elapsed))?)
}

/// Builds and starts a control plane without blocking the runtime.
pub(crate) async fn start(options: Options) -> Result<ControlPlane, Error> {
    let started = tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await;
    let panicked = |error| Error::Unmet(format!("starting the control plane: {error}"));
    Ok(started.map_err(panicked)??)
}

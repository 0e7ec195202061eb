//! `cargo xtask node-e2e`: the product as its users meet it, on a real node.

mod builds;
mod checks;
mod component;
mod host;
mod inside;
mod kubectl;
mod layout;
mod machine;
mod namespaces;
mod node;
mod summary;

use std::{
    fs::{self, File},
    io,
    path::Path,
    time::Instant,
};

use test_cluster::Minor;

pub(crate) use self::inside::{InsideArguments, run_inside};
use crate::{
    error::Error,
    image::Optimised,
    interrupt::Interrupt,
    prerequisites::{self, CONTROL_PLANE, NODE},
    program::blocking,
    terminal::{Steps, Style},
};

/// Apply both folders of manifests on a real node (kubelet, containerd, kube-proxy, cluster DNS), and watch
/// pods speak mTLS.
///
/// For a Debian machine, as root. Installs the packages that are missing and builds the rest, starts the node
/// in namespaces of its own, ends it, and leaves nothing behind but what it has built, and its logs in
/// target/node-e2e/log.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave the node up until Ctrl-C, and say how to look at it.
    #[arg(long)]
    keep: bool,
    /// Its version: 1.36, newest, oldest [default: newest].
    #[arg(long, value_name = "VERSION")]
    kubernetes: Option<Minor>,
    /// Run unoptimised programs, which tests have built already; users' image takes minutes more.
    #[arg(long)]
    dev: bool,
    /// Install and build what is needed, and stop.
    #[arg(long, conflicts_with = "keep")]
    build_only: bool,
}

/// Runs it all. Whatever happens, the node ends.
pub(crate) async fn run(arguments: Arguments, mut interrupt: Interrupt) -> Result<(), Error> {
    let minor = arguments.kubernetes.map_or_else(Minor::newest, Ok)?;
    if !rustix::process::geteuid().is_root() {
        return Err(Error::Unmet("a node needs root; run it as root, or with sudo -E".into()));
    }
    let style = Style::of_stdout();
    let steps = Steps::new(style);
    println!("{}", style.bold(&format!("Pod certificates on a real node of Kubernetes {minor}")));
    let began = Instant::now();
    let optimised = if arguments.dev { Optimised::No } else { Optimised::Yes };
    let _lock = lock()?;
    interrupt.or(prepare(minor, optimised, &steps)).await?;
    println!("  prepared in {} s", began.elapsed().as_secs());
    if arguments.build_only {
        return Ok(());
    }
    clear()?;
    remove(&layout::logs())?;
    let settings = host::KernelSettings::remember(layout::kernel_settings())?;
    let result = namespaces::run(minor, arguments.keep, &mut interrupt).await;
    drop(settings);
    let cleared = steps.quiet("removing everything", blocking(clear)).await;
    result.and(cleared)
}

async fn prepare(minor: Minor, optimised: Optimised, steps: &Steps) -> Result<(), Error> {
    blocking(|| prerequisites::require(CONTROL_PLANE.iter().chain(NODE))).await?;
    builds::all(minor, optimised, steps).await
}

/// Two nodes would share control groups, and two builds the image's files.
fn lock() -> Result<File, Error> {
    let (root, path) = (layout::root(), layout::lock());
    fs::create_dir_all(&root).map_err(Error::io("creating", &root))?;
    let file = File::create(&path).map_err(Error::io("creating", &path))?;
    file.try_lock()
        .map_err(|_| Error::Unmet(format!("{} is held by another run; wait for its end", path.display())))?;
    Ok(file)
}

/// Removes what the node leaves on disk and in the kernel, be it of a run that was killed.
fn clear() -> Result<(), Error> {
    host::remove_pod_groups()?;
    let log = layout::state().join("plane/controlplane.log");
    if log.exists() {
        fs::rename(&log, layout::logs().join("controlplane.log")).map_err(Error::io("moving", &log))?;
    }
    remove(&layout::state())
}

fn remove(dir: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("removing", dir)(error)),
        _ => Ok(()),
    }
}

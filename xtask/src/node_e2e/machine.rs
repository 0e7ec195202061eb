//! Makes new namespaces look like a machine: file systems, an interface, packet forwarding.

use std::{fs, path::Path, process::Command};

use super::layout;
use crate::{error::Error, program};

/// Where containerd, CNI and kubelet keep what should go with the node. The machine's own files there are out
/// of sight.
const PRIVATE: [&str; 3] = ["/run", "/var/log", "/var/lib"];

/// Does it. To be called by the namespaces' first process, once.
pub(super) fn prepare() -> Result<(), Error> {
    for dir in [layout::state(), layout::logs()] {
        fs::create_dir_all(&dir).map_err(Error::io("creating", &dir))?;
    }
    file_systems()?;
    network()
}

fn file_systems() -> Result<(), Error> {
    run("mount", "--make-rprivate /")?;
    run("mount", "-t proc proc /proc")?;
    for dir in PRIVATE {
        run("mount", &format!("-t tmpfs -o mode=0755 private {dir}"))?;
    }
    // Short paths, whatever the workspace's is: a Unix socket's has 107 bytes at most.
    let state = Path::new(layout::STATE);
    fs::create_dir_all(state).map_err(Error::io("creating", state))?;
    bind(&layout::state(), state)?;
    // Images and volumes belong on a disk.
    for name in ["kubelet", "containerd", "cni"] {
        let dir = layout::inside(name);
        fs::create_dir_all(&dir).map_err(Error::io("creating", &dir))?;
    }
    let kubelet = Path::new("/var/lib/kubelet");
    fs::create_dir_all(kubelet).map_err(Error::io("creating", kubelet))?;
    bind(&layout::inside("kubelet"), kubelet)
}

/// A bridge without ports holds the address: not every kernel has dummy interfaces.
fn network() -> Result<(), Error> {
    run("ip", "link set lo up")?;
    run("ip", "link add node0 type bridge")?;
    run("ip", &format!("address add {}/32 dev node0", layout::ADDRESS))?;
    run("ip", "link set node0 up")?;
    let forwarding = Path::new("/proc/sys/net/ipv4/ip_forward");
    fs::write(forwarding, "1").map_err(Error::io("writing", forwarding))
}

fn bind(from: &Path, to: &Path) -> Result<(), Error> {
    program::output(Command::new("mount").arg("--bind").args([from, to])).map(|_| ())
}

fn run(program: &str, arguments: &str) -> Result<(), Error> {
    program::output(Command::new(program).args(arguments.split(' '))).map(|_| ())
}

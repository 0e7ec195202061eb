//! What Debian has and a node needs. Only what is missing is installed.

use std::{path::Path, process::Command};

use crate::{error::Error, program};

/// A file that tells whether a package is there, with the package.
const NEEDED: [(&str, &str); 8] = [
    ("buildah", "buildah"),
    ("containerd", "containerd"),
    ("runc", "runc"),
    ("/usr/lib/cni/ptp", "containernetworking-plugins"),
    ("iptables", "iptables"),
    ("ip", "iproute2"),
    ("mount", "mount"),
    ("openssl", "openssl"),
];

/// Where programs are, for root too.
const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// The packages that are missing.
pub(super) fn missing() -> Vec<&'static str> {
    let there = |file: &str| PATH.iter().any(|dir| Path::new(dir).join(file).exists());
    NEEDED.iter().filter(|(file, _)| !there(file)).map(|(_, package)| *package).collect()
}

/// Installs them with apt, without what they merely recommend.
///
/// # Errors
/// [`Error::Program`] with what apt said.
pub(super) fn install(packages: &[&str]) -> Result<(), Error> {
    apt_get(&["update", "-qq"])?;
    apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat())
}

fn apt_get(arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    program::output(&mut command).map(|_| ())
}

//! apt-get, which installs Debian's packages.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use super::search_path;
use crate::{error::Error, program};

/// How long another apt-get may take: one that runs at a machine's start installs upgrades.
const LOCKED: Duration = Duration::from_secs(600);

/// Installs packages, without those that they merely recommend.
///
/// # Errors [`Error::Program`] with what apt-get said; where it couldn't read the lists of packages either,
/// [`Error::Unmet`] with both.
pub(super) fn install(packages: &[&str]) -> Result<(), Error> {
    let arguments = [&["install", "-y", "-qq", "--no-install-recommends"], packages].concat();
    // The lists of packages that are there may do, also without a network. They may be old, or none.
    if apt_get(&arguments).is_ok() {
        return Ok(());
    }
    let updated = update();
    apt_get(&arguments).map_err(|install| match updated {
        Err(update) => Error::Unmet(format!("{install}\n{update}")),
        Ok(()) => install,
    })
}

/// Reads the lists of packages anew. For their lock, unlike dpkg's, apt-get doesn't wait.
fn update() -> Result<(), Error> {
    let began = Instant::now();
    loop {
        match apt_get(&["update", "-qq"]) {
            Err(Error::Program { output, .. })
                if output.contains("Could not get lock") && began.elapsed() < LOCKED =>
            {
                thread::sleep(Duration::from_secs(1));
            }
            other => return other,
        }
    }
}

fn apt_get(arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new("apt-get");
    command.arg("-o").arg(format!("DPkg::Lock::Timeout={}", LOCKED.as_secs())).args(arguments);
    command.envs([("DEBIAN_FRONTEND", "noninteractive"), ("LC_ALL", "C.UTF-8")]);
    // dpkg calls root's programs. Servers that packages bring needn't run: invoke-rc.d starts none in
    // runlevel 1.
    command.env("PATH", search_path()).env("RUNLEVEL", "1");
    program::output(&mut command).map(|_| ())
}

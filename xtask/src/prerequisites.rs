//! What commands run of this machine, beyond Rust and a C compiler, without which there is no xtask. It is
//! checked before anything is built, and installed by root on Debian.

mod apt;
mod list;
mod places;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use rustix::process::geteuid;

use self::places::Places;
pub(crate) use self::{
    list::{CONTROL_PLANE, DEMO, IMAGE, NODE, TESTS},
    places::search_path,
};
use crate::error::Error;

/// Install what demo, test and node-e2e need and this machine lacks (as root, on Debian), or list it.
///
/// Each of them does this by itself; as a first step of a long run, this tells at once.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

/// A program that is run, or a library that is loaded.
#[derive(Debug)]
pub(crate) struct Prerequisite {
    name: &'static str,
    origin: Origin,
    /// What it does here: a verb first.
    purpose: &'static str,
    /// All of these must be there; [`Places::have`] says what they mean.
    files: &'static [&'static str],
    /// The crates whose tests need it. None: whatever is tested.
    tests_of: &'static [&'static str],
}

/// Where it is to be had.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// A package of Debian's.
    Debian(&'static str),
    /// A page to download it from, where Debian's may be too old.
    Page(&'static str),
}

/// How packages get onto this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Installer {
    /// We call apt-get.
    Apt,
    /// Another user may.
    SudoApt,
    /// Not Debian.
    Other,
}

impl Prerequisite {
    /// Whether the tests of one of these packages, named as `cargo test --package` takes them, need it; of
    /// none: whether any test does.
    pub(crate) fn is_for(&self, chosen: &[&str]) -> bool {
        // a name, a URL or a version around it, or a pattern
        let chooses =
            |spec: &&str| spec.contains(['*', '?', '[']) || self.tests_of.iter().any(|of| spec.contains(of));
        chosen.is_empty() || self.tests_of.is_empty() || chosen.iter().any(chooses)
    }

    const fn package(&self) -> Option<&'static str> {
        match self.origin {
            Origin::Debian(package) => Some(package),
            Origin::Page(_) => None,
        }
    }
}

/// `cargo xtask prerequisites`: those of every command that this user can run.
///
/// # Errors
/// As [`require`].
pub(crate) fn run() -> Result<(), Error> {
    let node = if geteuid().is_root() { NODE } else { &[] };
    require([CONTROL_PLANE, DEMO, TESTS, node].into_iter().flatten())
}

/// Makes sure that all of these are there. On Debian, root installs what is missing, and is told so.
///
/// # Errors
/// [`Error::Unmet`] with everything that is missing, and how to install it; apt-get's own.
pub(crate) fn require<'a>(needed: impl IntoIterator<Item = &'a Prerequisite>) -> Result<(), Error> {
    let places = Places::of_this_machine();
    let missing = missing(needed, &places);
    if missing.is_empty() {
        return Ok(());
    }
    let installer = match places.have("apt-get") {
        true if geteuid().is_root() => Installer::Apt,
        true => Installer::SudoApt,
        false => Installer::Other,
    };
    if installer != Installer::Apt || missing.iter().any(|one| one.package().is_none()) {
        return Err(Error::Unmet(report(&missing, installer)));
    }
    println!("Installing with apt-get:\n{}", rows(&missing));
    apt::install(&packages(&missing))?;
    let still = self::missing(missing, &places);
    match still.as_slice() {
        [] => Ok(()),
        still => Err(Error::Unmet(format!(
            "apt-get has installed these, but their files are missing:\n{}\nTry: apt-get install --reinstall {}",
            rows(still),
            packages(still).join(" ")
        ))),
    }
}

/// Those that are not there, each once.
fn missing<'a>(needed: impl IntoIterator<Item = &'a Prerequisite>, places: &Places) -> Vec<&'a Prerequisite> {
    let mut seen = BTreeSet::new();
    needed.into_iter().filter(|one| seen.insert(one.name) && !places.have_all(one.files)).collect()
}

/// What is missing, and what to do.
fn report(missing: &[&Prerequisite], installer: Installer) -> String {
    let packages = packages(missing).join(" ");
    let how = match installer {
        _ if packages.is_empty() => "Install it, and try again.".into(),
        Installer::Apt => {
            format!("Install what is no package by hand; apt-get then does the rest: {packages}.")
        }
        Installer::SudoApt => {
            format!("Run: sudo apt-get update && sudo apt-get install --no-install-recommends {packages}")
        }
        Installer::Other => "Install them, and try again; the packages are Debian's.".into(),
    };
    format!("programs are missing:\n{}\n{how}", rows(missing))
}

/// A line for each: its name, what it does, and where it is to be had.
fn rows(missing: &[&Prerequisite]) -> String {
    let row = |one: &&Prerequisite| {
        let origin = match one.origin {
            Origin::Debian(package) => format!("package {package}"),
            Origin::Page(page) => page.to_owned(),
        };
        format!("  {:<11} {} ({origin})", one.name, one.purpose)
    };
    missing.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Their packages, each once.
fn packages(missing: &[&Prerequisite]) -> Vec<&'static str> {
    let packages: BTreeSet<_> = missing.iter().filter_map(|one| one.package()).collect();
    packages.into_iter().collect()
}

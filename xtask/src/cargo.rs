//! Runs the cargo that runs this.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;
use test_cluster::workspace_dir;

use crate::error::Error;

/// `cargo`, in the repository's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace_dir());
    command
}

/// Builds those binaries, with cargo's own progress on standard error, and returns where they are, by name.
///
/// The features of their dependencies are those that the tests have, so nothing is compiled twice.
///
/// # Errors
/// [`Error::Program`] if the build fails; cargo has shown why.
pub(crate) fn build(binaries: &[&str]) -> Result<BTreeMap<String, PathBuf>, Error> {
    build_with(&["--workspace"], "--bin", binaries)
}

/// Those packages' binaries as users get them: optimised, and with the dependencies that the lock file names.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_release(packages: &[&str]) -> Result<BTreeMap<String, PathBuf>, Error> {
    build_with(&["--release", "--locked", "--bins"], "--package", packages)
}

fn build_with(options: &[&str], each: &str, names: &[&str]) -> Result<BTreeMap<String, PathBuf>, Error> {
    let mut command = cargo();
    // Its messages tell where the binaries are, wherever the target directory is.
    command.args(["build", "--message-format=json-render-diagnostics"]).args(options);
    command.args(names.iter().flat_map(|name| [each, name])).stdout(Stdio::piped());
    let io = || Error::io("running", "cargo");
    let mut child = command.spawn().map_err(io())?;
    let mut binaries = BTreeMap::new();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let message: Value = serde_json::from_str(&line.map_err(io())?).unwrap_or_default();
        if let (Some(name), Some(path)) = (message["target"]["name"].as_str(), message["executable"].as_str())
        {
            binaries.insert(name.to_owned(), path.into());
        }
    }
    let status = child.wait().map_err(io())?;
    if !status.success() {
        let program = format!("cargo build {each} {}", names.join(&format!(" {each} ")));
        return Err(Error::Program { program, status, output: String::new() });
    }
    Ok(binaries)
}

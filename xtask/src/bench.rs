//! `cargo xtask bench`: how fast, how small, and how steady. The program that measures is a crate of its own,
//! built as what it measures is: optimised.

use std::{
    ffi::OsString,
    process::{Command, Stdio},
};

use test_cluster::{Minor, control_plane::Program, workspace_dir};

use crate::{
    cargo::build_release,
    controlplane,
    error::Error,
    prerequisites::{self, CONTROL_PLANE},
};

/// Measure the release build on a throw-away control plane, in turn with a signer that does nothing but write.
///
/// It prints tables, and writes JSON and SVG plots to target/bench. docs/performance.md explains them.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure: --quick, --only NAMES, --rounds NUMBER, --kubernetes VERSION, --out DIR, or --help.
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

/// Builds both programs, and lets the one measure the other.
pub(crate) fn run(arguments: Arguments) -> Result<(), Error> {
    prerequisites::require(CONTROL_PLANE)?;
    // not while it measures
    controlplane::build(Program::ControlPlane, Minor::newest()?)?;
    let programs = build_release(&["signer-manager", "bench"])?;
    let program = |name: &str| {
        programs.get(name).ok_or_else(|| Error::Unmet(format!("cargo built no program named {name}")))
    };
    let bench = program("bench")?;
    let mut command = Command::new(bench);
    command.current_dir(workspace_dir()).arg("run").arg("--signer-manager").arg(program("signer-manager")?);
    let status = command.args(arguments.options).stdin(Stdio::null()).status();
    match status.map_err(Error::io("running", bench))? {
        status if status.success() => Ok(()),
        status => Err(Error::Program { program: "bench".into(), status, output: String::new() }),
    }
}

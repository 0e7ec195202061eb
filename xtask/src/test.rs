//! `cargo xtask test`: every test, those on the API server included, on as many Kubernetes versions as
//! wanted.

mod tally;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use test_cluster::{ControlPlane, Minor, Options, control_plane::Program, uses_existing};

use crate::{
    cargo::cargo,
    controlplane,
    error::Error,
    prerequisites::{self, CONTROL_PLANE, TESTS},
};
use tally::Tally;

/// By this name of their file, tests on the API server are found (CONTRIBUTING.md).
const API_SERVER_TESTS: &str = "api_server*";

/// Run all tests. Those on the API server run against a throw-away control plane of each version, the others
/// once.
///
/// With SIGNER_TEST_CLUSTER=existing they run against the cluster that KUBECONFIG leads to.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Versions, such as 1.37,1.34 or newest,oldest.
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', default_value = "newest")]
    kubernetes: Vec<Minor>,
    /// Arguments for `cargo test`, such as `-p signer-manager` or `-- --nocapture`.
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// What is known of one version's run.
struct Run {
    cluster: String,
    tally: Tally,
    passed: bool,
    took: Duration,
}

/// Runs every version though one fails, and tells the sum.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let chosen = chosen(&arguments.cargo_test);
    let plane = if uses_existing() { &[] } else { CONTROL_PLANE };
    prerequisites::require(plane.iter().chain(TESTS.iter().filter(|one| one.is_for(&chosen))))?;
    let runs = if uses_existing() {
        vec![existing(arguments)?]
    } else {
        // All builds come first: a version that can't be built is to be known before the tests have run.
        arguments.kubernetes.iter().try_for_each(|minor| build(Program::ControlPlane, *minor))?;
        // kubectl, beside which tests run the programs on the same kubeconfig; its own version doesn't matter
        // to them
        build(Program::Node, Minor::newest()?)?;
        let each = |(index, minor): (usize, &Minor)| on_control_plane(arguments, *minor, index == 0);
        arguments.kubernetes.iter().enumerate().map(each).collect::<Result<_, _>>()?
    };
    println!();
    for Run { cluster, tally, passed, took } in &runs {
        let verdict = if *passed { "passed" } else { "FAILED" };
        println!("{cluster:<30} {verdict}: {tally} in {} s", took.as_secs());
    }
    if runs.iter().all(|run| run.passed) { Ok(()) } else { Err(Error::TestsFailed) }
}

fn build(program: Program, minor: Minor) -> Result<(), Error> {
    controlplane::build(program, minor).map(|_| ())
}

fn existing(arguments: &Arguments) -> Result<Run, Error> {
    finish("the existing cluster".into(), cargo_test(arguments, true))
}

fn on_control_plane(arguments: &Arguments, minor: Minor, first: bool) -> Result<Run, Error> {
    let plane = ControlPlane::start(&Options { kubernetes: Some(minor), ..Options::default() })?;
    let mut command = cargo_test(arguments, first);
    command.env("SIGNER_TEST_CLUSTER", "existing").env("KUBECONFIG", plane.kubeconfig());
    command.env("SIGNER_TEST_KUBERNETES", minor.to_string());
    finish(format!("Kubernetes {}", plane.kubernetes()), command)
}

fn cargo_test(arguments: &Arguments, everything: bool) -> Command {
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]);
    if chosen(&arguments.cargo_test).is_empty() {
        command.arg("--workspace");
    }
    if !everything {
        command.args(["--test", API_SERVER_TESTS]);
    }
    command.args(&arguments.cargo_test);
    command
}

/// The packages that arguments for `cargo test` choose, as they name them.
fn chosen(cargo_test: &[String]) -> Vec<&str> {
    let mut arguments = cargo_test.iter().map(String::as_str).take_while(|argument| *argument != "--");
    let mut chosen = Vec::new();
    while let Some(argument) = arguments.next() {
        let value = argument.strip_prefix("--package").or_else(|| argument.strip_prefix("-p"));
        chosen.extend(match value {
            Some("") => arguments.next(),
            Some(value) => Some(value.trim_start_matches('=')),
            None => None,
        });
    }
    chosen
}

/// Runs `cargo test`, and reads its results while showing them.
fn finish(cluster: String, mut command: Command) -> Result<Run, Error> {
    println!("\nTests on {cluster}");
    let io = || Error::io("running", "cargo test");
    let began = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(io())?;
    let mut tally = Tally::default();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let line = line.map_err(io())?;
        println!("{line}");
        tally.read(&line);
    }
    let passed = child.wait().map_err(io())?.success();
    Ok(Run { cluster, tally, passed, took: began.elapsed() })
}

#[cfg(test)]
mod tests;

//! `cargo xtask bench`: signer-manager on a real API server, in turn with a signer that does nothing but
//! write. What is compared runs in the same run, since machines are noisy.

mod fleet;
mod load;
mod machine;
mod null_signer;
mod proxy;
mod report;
mod scenarios;
mod stage;
mod usage;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use test_cluster::Minor;
use tokio::runtime::Builder;

use self::scenarios::Scenario;

/// Whatever ends a benchmark, with its causes.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
enum CommandLine {
    Run(Arguments),
    NullSigner(null_signer::Arguments),
}

/// Measures signer-manager beside a signer that does nothing but write.
#[derive(clap::Args)]
struct Arguments {
    /// The program that is measured.
    #[arg(long, value_name = "FILE")]
    signer_manager: PathBuf,
    /// A few minutes' worth: few rounds, small bursts, and no faults.
    #[arg(long)]
    quick: bool,
    /// These scenarios alone.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<Scenario>,
    /// How often each comparison is made [default: 5; quick: 2].
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<usize>,
    /// The Kubernetes version: 1.36, newest, oldest [default: newest].
    #[arg(long, value_name = "VERSION")]
    kubernetes: Option<Minor>,
    /// Where the results are written.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let result = match CommandLine::parse() {
        CommandLine::Run(arguments) => on(Builder::new_multi_thread(), scenarios::run(arguments)),
        CommandLine::NullSigner(arguments) => on(Builder::new_current_thread(), null_signer::run(arguments)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", test_cluster::story(&*error));
            ExitCode::FAILURE
        }
    }
}

fn on(mut runtime: Builder, work: impl Future<Output = Result<()>>) -> Result<()> {
    runtime.enable_all().build()?.block_on(work)
}

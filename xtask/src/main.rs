//! The commands of this repository: `cargo xtask --help`.

mod bench;
mod cargo;
mod controlplane;
mod demo;
mod docs;
mod error;
mod image;
mod interrupt;
mod node_e2e;
mod prerequisites;
mod program;
mod terminal;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, shows and tests the signers on a real Kubernetes API server.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Test(test::Arguments),
    Controlplane(controlplane::Arguments),
    Image(image::Arguments),
    Docs(docs::Arguments),
    Bench(bench::Arguments),
    Prerequisites(prerequisites::Arguments),
    NodeE2e(node_e2e::Arguments),
    #[command(hide = true)]
    NodeE2eInside(node_e2e::InsideArguments),
}

fn main() -> ExitCode {
    let result = match CommandLine::parse().command {
        Command::Demo(arguments) => interrupt::block_on(|interrupt| demo::run(arguments, interrupt)),
        Command::Image(arguments) => image::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Docs(docs::Arguments {}) => docs::run(),
        Command::NodeE2e(arguments) => interrupt::block_on(|interrupt| node_e2e::run(arguments, interrupt)),
        Command::NodeE2eInside(arguments) => {
            interrupt::block_on(|interrupt| node_e2e::run_inside(arguments, interrupt))
        }
        Command::Prerequisites(prerequisites::Arguments {}) => prerequisites::run(),
        Command::Test(arguments) => test::run(&arguments),
        Command::Controlplane(arguments) => {
            interrupt::block_on(|interrupt| controlplane::run(arguments, interrupt))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

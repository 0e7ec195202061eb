//! The binary: see the crate `mtls_demo`.

use std::{error::Error, io::IsTerminal, process::ExitCode};

use clap::Parser;
use mtls_demo::{
    cli::{Cli, Command},
    client, server,
};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let stderr = std::io::stderr;
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(stderr().is_terminal()).with_target(false).init();
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mtls-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    match command {
        Command::Server(args) => runtime.block_on(server::run(args)),
        Command::Client(args) => runtime.block_on(client::run(args)),
    }
}

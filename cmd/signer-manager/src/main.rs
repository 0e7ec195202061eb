//! The controller's binary: see the crate `signer_manager`.

use std::{error::Error, process::ExitCode};

use signer_manager::{causes::with_causes, check_config::check_config, cli::Command, run::run};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    match Command::from_arguments(std::env::args_os()).unwrap_or_else(|error| error.exit()) {
        Command::CheckConfig { file } => match check_config(&file) {
            Ok(summary) => {
                print!("{summary}");
                ExitCode::SUCCESS
            }
            Err(errors) => fail(&errors, 2),
        },
        Command::Run(args) => match Runtime::new().map(|runtime| runtime.block_on(run(args))) {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(error)) => fail(&error, error.exit_code()),
            Err(error) => fail(&error, 1),
        },
    }
}

/// Says why the process ends.
fn fail(error: &dyn Error, code: u8) -> ExitCode {
    eprintln!("{}", with_causes(error));
    ExitCode::from(code)
}

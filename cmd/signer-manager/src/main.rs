//! The controller's binary: see the crate `signer_manager`.

use std::{
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
};

use signer_manager::{
    causes::with_causes,
    check_config::check_config,
    cli::Command,
    run::{RunError, inject, run},
};
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    match Command::from_arguments(std::env::args_os()).unwrap_or_else(|error| error.exit()) {
        Command::CheckConfig { file } => match check_config(&file) {
            Ok(summary) => match io::stdout().write_all(summary.as_bytes()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(&error, 1),
                _ => ExitCode::SUCCESS,
            },
            Err(errors) => fail(&errors, 2),
        },
        Command::Run(args) => block_on(run(*args)),
        Command::CaInjector(args) => block_on(inject(args)),
    }
}

fn block_on(work: impl Future<Output = Result<(), RunError>>) -> ExitCode {
    match runtime().map(|runtime| runtime.block_on(work)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error, error.exit_code()),
        Err(error) => fail(&error, 1),
    }
}

/// One thread suffices for thousands of certificates a second, and more would cost a third more CPU for each, as
/// tasks move between them. Slow signatures and files run on the blocking pool.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Says why the process ends.
fn fail(error: &dyn Error, code: u8) -> ExitCode {
    eprintln!("{}", with_causes(error));
    ExitCode::from(code)
}

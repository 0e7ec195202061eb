//! Runs programs to their end.

use std::{path::Path, process::Command};

use crate::error::Error;

/// Runs a program and returns what it wrote on standard output. What it wrote on either counts if it fails.
///
/// # Errors
/// [`Error::Program`] with all that it wrote, [`Error::Io`] if it can't be run.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let output = command.output().map_err(Error::io("running", command.get_program()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stdout, output.stderr].concat();
    let output_text = format!("\n{}", String::from_utf8_lossy(&said).trim_end());
    Err(Error::Program { program: shown(command), status: output.status, output: output_text })
}

/// Runs a program that shows its own progress.
///
/// # Errors
/// [`Error::Program`] if it fails, [`Error::Io`] if it can't be run.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(Error::io("running", command.get_program()))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Program { program: shown(command), status, output: String::new() })
}

/// A command line to read: the program's name, and its arguments.
fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = [name].into_iter().chain(command.get_args()).map(|word| word.to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// Does what blocks without blocking the runtime.
///
/// # Errors
/// Those of the work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| Err(Error::Unmet(panic.to_string())))
}

//! Runs programs to their end.

use std::process::Command;

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
    Err(Error::Program { program: format!("{command:?}"), status: output.status, output: output_text })
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

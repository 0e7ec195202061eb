//! The log: to stderr, for people or for programs.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::cli::LogFormat;

/// Starts logging what the filter lets pass.
///
/// # Errors
/// If the filter isn't one.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(true).with_span_list(false).init()
        }
        LogFormat::Text => log.with_ansi(wants_colours()).init(),
    }
    Ok(())
}

/// On a terminal, unless its user has set `NO_COLOR` (no-color.org).
fn wants_colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

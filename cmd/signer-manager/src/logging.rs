//! The log: to stderr, for people or for programs. Whatever the filter says, no body of an object gets into
//! it.

mod panics;

use std::io::{self, IsTerminal};

use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::ParseError, filter::filter_fn, fmt, layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{audit_file::AuditFile, cli::LogFormat};

/// The target of audit records.
const AUDIT: &str = "audit";

/// Starts logging what the filter lets pass. Audit records go to a file of their own, if there is one, whatever
/// the filter says.
///
/// # Errors
/// If the filter isn't one.
pub(crate) fn start(format: LogFormat, filter: &str, audit: Option<AuditFile>) -> Result<(), ParseError> {
    let has_file = audit.is_some();
    let log = fmt::layer().with_writer(io::stderr);
    let log = match format {
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
        LogFormat::Text => log.with_ansi(wants_colours()).boxed(),
    };
    let is_for_the_log = filter_fn(move |metadata| !has_file || metadata.target() != AUDIT);
    let log = log.with_filter(parse(filter)?).with_filter(is_for_the_log);
    let records = audit.map(|file| {
        let records = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(file);
        records.with_filter(filter_fn(|metadata| metadata.target() == AUDIT))
    });
    Registry::default().with(log).with(records).with(without_bodies()).init();
    panics::log();
    Ok(())
}

fn parse(filter: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(filter)
}

/// Lets events and spans pass up to the level that their crate may have, beside what the user's filter says.
fn without_bodies<S: Subscriber>() -> impl Layer<S> {
    filter_fn(|metadata: &Metadata<'_>| *metadata.level() <= most(metadata.target()))
}

/// The most that a crate may log.
///
/// kube-client logs whole bodies (Secrets, pod specs) at `warn` where they can't be parsed, and at `debug`
/// where they tell of errors; its `error` is one line a second in an outage, of which our own log says what
/// it means. Other crates log requests, headers (a bearer token) and frames at `debug` and `trace`.
fn most(target: &str) -> LevelFilter {
    match target.split("::").next().unwrap_or_default() {
        "kube_client" => LevelFilter::OFF,
        // the target of the audit log, and the crates of this workspace that log
        name if name == AUDIT || name == "ca_injector" || name.starts_with("signer_") => LevelFilter::TRACE,
        _ => LevelFilter::WARN,
    }
}

/// On a terminal, unless its user has set `NO_COLOR` (no-color.org).
fn wants_colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests;

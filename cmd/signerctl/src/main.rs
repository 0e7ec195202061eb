//! `signerctl`: what operators need besides the controller. Results go to stdout, errors to stderr; exit 1
//! means that it couldn't be done or that the answer is a bad one, 2 that it wasn't understood.

mod audit;
mod bundle;
mod check;
mod commands;
#[cfg(test)]
mod documented;
mod error;
mod explain;
mod observed;
mod report;
mod revoke_status;
mod status;
mod store;
mod terminal;
mod text;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use ca_pool::forbid_core_dumps;
use clap::{Parser, Subcommand};
use jiff::Timestamp;

use crate::{
    error::Error,
    terminal::{Look, Report},
};

/// Makes, shows and rotates the CA pools of pod certificate signers, and finds what they have issued.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// The certificate authorities that signers sign with.
    #[command(subcommand, arg_required_else_help = true)]
    CaPool(commands::Command),
    /// What signers did: their audit records.
    #[command(subcommand, arg_required_else_help = true)]
    Audit(audit::Command),
    /// A signer's trust anchors: show them, verify a certificate or a server against them, or write them for a web
    /// server.
    #[command(subcommand, arg_required_else_help = true)]
    Bundle(bundle::Command),
    Check(check::Check),
    Explain(explain::Explain),
    Status(status::Status),
    RevokeStatus(revoke_status::RevokeStatus),
}

/// Whether an argument is what a file holds (`--file "$(cat pool.json)"`), and so may be a key. Messages quote
/// arguments, those of clap too.
fn is_content(argument: &str) -> bool {
    let argument = argument.trim_start();
    argument.contains("-----BEGIN") || argument.contains("LS0tLS1CRUdJTi") || argument.starts_with('{')
}

fn main() -> ExitCode {
    if env::args_os().any(|argument| is_content(&argument.to_string_lossy())) {
        eprintln!(
            "signerctl: an argument holds what a file should hold, which isn't shown here, as it may be a key; write the file's path"
        );
        return ExitCode::from(2);
    }
    let (subject, look) = (Arguments::parse().subject, Look::of_stdout());
    let done = forbid_core_dumps().map_err(Error::CoreDumps);
    let done = done.and_then(|()| match subject {
        Subject::CaPool(command) => command.run(look, Timestamp::now()).map(Report::from),
        Subject::Audit(command) => command.run(look).map(|()| Report::from(String::new())),
        Subject::Bundle(command) => command.run(look, Timestamp::now()),
        Subject::Check(check) => check.run(look),
        Subject::Explain(explain) => explain.run(look, Timestamp::now()),
        Subject::Status(status) => status.run(look),
        Subject::RevokeStatus(status) => status.run(look),
    });
    match done {
        Ok(Report { text, is_good }) => {
            let written = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
            match written {
                // whoever closes the pipe has read enough
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    eprintln!("signerctl: the output can't be written: {error}");
                    ExitCode::FAILURE
                }
                _ => ExitCode::from(u8::from(!is_good)),
            }
        }
        Err(error) => {
            eprintln!("signerctl: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

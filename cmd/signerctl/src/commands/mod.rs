//! `signerctl ca-pool …`: a file a subcommand.

pub(crate) mod create;
#[cfg(test)]
pub(crate) mod golden;
pub(crate) mod import;
pub(crate) mod new_authority;
pub(crate) mod prune;
pub(crate) mod replacement;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;
pub(crate) mod takeover;

use clap::Subcommand;
use jiff::Timestamp;

use crate::{error::Error, terminal::Look};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a CA pool with one new self-signed CA, in a file or in a Secret. An existing pool is never
    /// overwritten.
    Create(create::Create),
    /// Show the CAs of a pool: which one signs, what comes when, and what is to do. Keys are never shown.
    Show(show::Show),
    /// Add the CA that signs next. Pods trust it first, and it signs later.
    Rotate(Box<rotate::Rotate>),
    /// Add a CA that exists already as the one that signs next: a root, or an intermediate under an offline
    /// root.
    Import(Box<import::Import>),
    /// Remove the CAs that nothing needs any more.
    Prune(prune::Prune),
}

impl Command {
    /// Does it, and gives what is to be printed.
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        match self {
            Self::Create(create) => create.run(look, now),
            Self::Show(show) => show.run(look, now),
            Self::Rotate(rotate) => rotate.run(look, now),
            Self::Import(import) => import.run(look, now),
            Self::Prune(prune) => prune.run(look, now),
        }
    }
}

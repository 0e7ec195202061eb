//! `signerctl audit …`: what signers did, by their records.

mod find;
mod records;

use clap::Subcommand;

use crate::{error::Error, terminal::Look};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Find the records of a certificate, a pod, a name or a key: who has it, since when, and why not.
    Find(find::Find),
}

impl Command {
    /// Does it, and gives what is to be printed.
    pub(crate) fn run(self, look: Look) -> Result<String, Error> {
        match self {
            Self::Find(find) => find.run(look),
        }
    }
}

//! `signerctl audit …`: what signers did, by their records.

mod find;
mod records;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use clap::Subcommand;

use self::records::{Record, read};
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

/// Passes on each record of audit logs.
pub(crate) fn each_record(files: &[PathBuf], mut found: impl FnMut(Record)) -> Result<(), Error> {
    for file in files {
        read(open(file)?, |_, record| found(record)).map_err(Error::read(file))?;
    }
    Ok(())
}

/// `-` is standard input.
fn open(file: &Path) -> Result<Box<dyn BufRead>, Error> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(file).map_err(Error::read(file))?)))
}

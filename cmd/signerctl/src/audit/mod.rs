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
    /// Prints what it finds, as it finds it.
    pub(crate) fn run(self, look: Look) -> Result<(), Error> {
        match self {
            Self::Find(find) => find.run(look),
        }
    }
}

/// Passes on each record of audit logs, and returns their number.
pub(crate) fn each_record(files: &[PathBuf], mut found: impl FnMut(Record)) -> Result<usize, Error> {
    let mut count = 0;
    for file in files {
        count += read(open(file)?, |_, record| found(record)).map_err(Error::read(file))?;
    }
    Ok(count)
}

/// The files, for messages.
pub(crate) fn names(files: &[PathBuf]) -> String {
    let name = |file: &PathBuf| match file.as_path() {
        stdin if stdin == Path::new("-") => "standard input".to_owned(),
        file => file.display().to_string(),
    };
    files.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// `-` is standard input.
fn open(file: &Path) -> Result<Box<dyn BufRead>, Error> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(file).map_err(Error::read(file))?)))
}

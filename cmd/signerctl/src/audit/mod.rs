//! `signerctl audit …`: what signers did, by their records.

mod find;
mod records;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use clap::Subcommand;

use self::records::{Count, Record, read};
use crate::{error::Error, terminal::Look, text::arguments::plural};

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

/// Passes on each record of audit logs.
pub(crate) fn each_record(files: &[PathBuf], mut found: impl FnMut(&str, Record)) -> Result<(), Error> {
    let mut count = Count::default();
    for file in files {
        let of_file = read(open(file)?, &mut found).map_err(Error::read(file))?;
        count.records += of_file.records;
        count.damaged += of_file.damaged;
    }
    if count.damaged > 0 {
        eprintln!(
            "signerctl: {} in {} can't be read, and may have what is sought: cut off, or changed",
            plural(count.damaged, "record"),
            names(files)
        );
    }
    if count.records == 0 && !files.is_empty() {
        return Err(Error::NoRecords { files: names(files) });
    }
    Ok(())
}

/// The files, for messages.
fn names(files: &[PathBuf]) -> String {
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

//! The audit log in a file of its own. A thread writes it, so that issuing never waits for the disk. Records that
//! can't be written go to standard error, with the log. Records that come faster than they can be written are
//! dropped and counted.

mod rotated;

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use signer_core::prometheus_client::metrics::counter::Counter;
use tracing_subscriber::fmt::MakeWriter;

use self::rotated::RotatedFile;

/// Where audit records go, and how much of them is kept.
#[derive(Clone, Debug)]
pub(crate) struct AuditFileOptions {
    pub(crate) path: PathBuf,
    /// No file gets more bytes, unless a single record does.
    pub(crate) size: u64,
    /// How many older files are kept.
    pub(crate) backups: u32,
}

/// Takes records. Cheap to clone: clones write to the same file.
#[derive(Clone, Debug)]
pub(crate) struct AuditFile {
    sender: SyncSender<Message>,
    lost: Counter,
}

/// The thread that writes; dropped, it writes what is left.
#[derive(Debug)]
pub(crate) struct Writing {
    sender: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Record(Vec<u8>),
    End,
}

/// A record has about a kilobyte.
const MOST_WAITING: usize = 4096;

/// How often it is said that the file can't be written.
const SAID_EVERY: Duration = Duration::from_secs(60);

impl AuditFile {
    /// Opens the file, which is made if it isn't there.
    pub(crate) fn open(options: AuditFileOptions) -> io::Result<(Self, Writing)> {
        let file = RotatedFile::open(options)?;
        let (sender, records) = sync_channel(MOST_WAITING);
        let thread = thread::Builder::new().name("audit".to_owned()).spawn(move || write(file, &records))?;
        let writing = Writing { sender: sender.clone(), thread: Some(thread) };
        Ok((Self { sender, lost: Counter::default() }, writing))
    }

    /// Counts the records that are lost.
    pub(crate) fn lost(&self) -> Counter {
        self.lost.clone()
    }
}

/// A record is written in one piece.
impl Write for AuditFile {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        match self.sender.try_send(Message::Record(record.to_vec())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => drop(self.lost.inc()),
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for AuditFile {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // nobody reads it any more if the thread has ended
        let _ = self.sender.send(Message::End);
        self.thread.take().map(JoinHandle::join);
    }
}

fn write(mut file: RotatedFile, records: &Receiver<Message>) {
    let mut said: Option<Instant> = None;
    while let Ok(Message::Record(record)) = records.recv() {
        let Err(error) = file.write(&record) else { continue };
        if said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
            said = Some(Instant::now());
            tracing::warn!("the audit file {file} can't be written: {error}; its records are in this log");
        }
        // if that can't be written either, there is nobody left to tell
        let _ = io::stderr().write_all(&record);
    }
}

#[cfg(test)]
mod tests;

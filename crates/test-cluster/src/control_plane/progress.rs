//! Tells on standard error that a build goes on.

use std::{
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

use super::build::Program;
use crate::Minor;

/// One line that counts seconds on a terminal; elsewhere a line at first, and every half minute.
#[derive(Debug)]
pub struct Progress {
    what: Program,
    minor: Minor,
    next: Duration,
    on_terminal: bool,
}

impl Progress {
    /// Progress of building that program of that version. It shows nothing until the first report.
    pub fn new(what: Program, minor: Minor) -> Self {
        Self { what, minor, next: Duration::ZERO, on_terminal: stderr().is_terminal() }
    }

    /// To be called often, with the time since the beginning.
    pub fn report(&mut self, elapsed: Duration) {
        if elapsed < self.next {
            return;
        }
        self.next = elapsed + Duration::from_secs(if self.on_terminal { 1 } else { 30 });
        let (start, end) = if self.on_terminal { ("\r", "") } else { ("", "\n") };
        let (what, minor, seconds) = (self.what, self.minor, elapsed.as_secs());
        // Not eprintln!, which a test's output capture would hide until it is over.
        let _ = write!(
            stderr(),
            "{start}building {what} of Kubernetes {minor} (some minutes, once) … {seconds} s{end}"
        );
    }
}

impl Drop for Progress {
    /// The next output begins on a line of its own.
    fn drop(&mut self) {
        if self.on_terminal && self.next > Duration::ZERO {
            let _ = writeln!(stderr());
        }
    }
}

//! How far a long step is.

use std::{
    cell::RefCell,
    io::{Write, stdout},
    time::{Duration, Instant},
};

use super::{Style, steps::ERASE_LINE};

/// Where lines can't be written over, this often is enough.
const SELDOM: Duration = Duration::from_secs(15);

/// The line of a step that goes on.
#[derive(Debug)]
pub(crate) struct Progress {
    what: String,
    style: Style,
    last: RefCell<(Instant, String)>,
}

impl Progress {
    pub(super) fn new(what: &str, style: Style) -> Self {
        Self { what: what.into(), style, last: RefCell::new((Instant::now(), String::new())) }
    }

    /// Shows what is still missing, or how far it is. To be called as often as it is known.
    pub(crate) fn tell(&self, detail: &str) {
        let mut last = self.last.borrow_mut();
        if last.1 == detail {
            return;
        }
        if self.style.terminal {
            let line = format!("  … {}: {detail}", self.what);
            let line: String = line.chars().take(self.style.width.saturating_sub(1)).collect();
            print!("\r{ERASE_LINE}{}", self.style.dim(&line));
            let _ = stdout().flush();
        } else if last.0.elapsed() >= SELDOM {
            println!("      {detail}");
        } else {
            return;
        }
        *last = (Instant::now(), detail.to_owned());
    }
}

//! Shows what is being done, and for how long.

use std::{
    future::Future,
    io::{Write, stdout},
    time::{Duration, Instant},
};

use super::{Progress, Style, wrap};
use crate::error::Error;

/// A step that takes less is not worth a number.
const WORTH_TELLING: Duration = Duration::from_millis(100);

/// ECMA-48's EL, which terminals have had since the VT100.
pub(super) const ERASE_LINE: &str = "\x1b[2K";

/// Prints a line for each step.
#[derive(Debug)]
pub(crate) struct Steps {
    style: Style,
}

impl Steps {
    pub(crate) fn new(style: Style) -> Self {
        Self { style }
    }

    /// Does a step that prints nothing itself: on a terminal its line is there from the beginning, and
    /// finished later.
    ///
    /// # Errors
    /// [`Error::Step`] around the work's own; an interruption passes as it is.
    pub(crate) async fn quiet<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let line = self.style.terminal.then(|| OpenLine::new(&format!("  {} {what}", self.style.dim("…"))));
        self.finish(what, line, work).await
    }

    /// Does a step whose programs print their own progress, such as a build.
    ///
    /// # Errors
    /// As [`Steps::quiet`].
    pub(crate) async fn loud<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        println!("  {} {what}", self.style.dim("…"));
        self.finish(what, None, work).await
    }

    /// Does a step that takes long, and tells how far it is.
    ///
    /// # Errors
    /// As [`Steps::quiet`].
    pub(crate) async fn watched<T>(
        &self,
        what: &str,
        work: impl AsyncFnOnce(&Progress) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let progress = Progress::new(what, self.style);
        let line = self.style.terminal.then(|| OpenLine::new(&format!("  {} {what}", self.style.dim("…"))));
        self.finish(what, line, work(&progress)).await
    }

    /// Shows what a step has seen.
    pub(crate) fn tell(&self, what: &str) {
        for line in wrap(what, self.style.width.saturating_sub(6)) {
            println!("      {}", self.style.dim(&line));
        }
    }

    async fn finish<T>(
        &self,
        what: &str,
        line: Option<OpenLine>,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let result = work.await;
        let mark = if result.is_ok() { self.style.good("✓") } else { self.style.bad("✗") };
        let took = match began.elapsed() {
            short if short < WORTH_TELLING => String::new(),
            long => format!("  {:.1} s", long.as_secs_f32()),
        };
        if let Some(line) = line {
            line.start_over();
        }
        println!("  {mark} {what}{}", self.style.dim(&took));
        result.map_err(|error| match error {
            Error::Interrupted => error,
            error => Error::Step { step: what.into(), source: Box::new(error), log: String::new() },
        })
    }
}

/// A line on the terminal without its end. If its step is abandoned, what follows begins on a new line.
struct OpenLine {
    open: bool,
}

impl OpenLine {
    fn new(text: &str) -> Self {
        print!("{text}");
        let _ = stdout().flush();
        Self { open: true }
    }

    /// What is printed next takes its place.
    fn start_over(mut self) {
        self.open = false;
        print!("\r{ERASE_LINE}");
    }
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        if self.open {
            println!();
        }
    }
}

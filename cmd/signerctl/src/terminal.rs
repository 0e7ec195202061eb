//! The terminal, if there is one: colours, width, and questions to whoever sits there.

use std::{
    env,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    thread,
    time::Duration,
};

use clap::ValueEnum;
use serde::Serialize;

use crate::error::Error;

/// What is printed, and whether it is as whoever asked would have it: if not, the process ends with code 1.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) text: String,
    pub(crate) is_good: bool,
}

impl Report {
    /// What was found, as it is to be shown.
    pub(crate) fn of(
        output: Output,
        found: &impl Serialize,
        is_good: bool,
        text: impl FnOnce() -> String,
    ) -> Result<Self, Error> {
        let text = match output {
            Output::Text => text(),
            Output::Json => serde_json::to_string_pretty(found)? + "\n",
        };
        Ok(Self { text, is_good })
    }
}

impl From<String> for Report {
    fn from(text: String) -> Self {
        Self { text, is_good: true }
    }
}

/// How results are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How results look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether there are colours.
    pub(crate) has_colours: bool,
    /// How many characters a line may have.
    pub(crate) width: usize,
    /// Whether somebody sees it at once.
    pub(crate) is_terminal: bool,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Heading,
    /// As it should be.
    Good,
    /// In waiting.
    Coming,
    /// It ends, or somebody should act some day.
    Ending,
    /// Somebody must act.
    Bad,
    /// Of no importance any more.
    Faint,
}

impl Look {
    /// Without a terminal.
    pub(crate) const PLAIN: Self = Self { has_colours: false, width: 110, is_terminal: false };

    /// Colours where they are seen, unless `NO_COLOR` is set (<https://no-color.org>).
    pub(crate) fn of_stdout() -> Self {
        if !io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
        let width = if columns == 0 { Self::PLAIN.width } else { columns.clamp(40, 120) };
        Self { has_colours: !is_unwanted && !is_dumb, width, is_terminal: !is_dumb }
    }

    /// A text in the colour of what it is.
    pub(crate) fn paint(self, tone: Tone, text: impl AsRef<str>) -> String {
        let code = match tone {
            Tone::Heading => "1",
            Tone::Good => "32",
            Tone::Coming => "36",
            Tone::Ending => "33",
            Tone::Bad => "1;31",
            Tone::Faint => "2",
        };
        let text = text.as_ref();
        if self.has_colours && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Tells what is about to happen, and goes on only if whoever sits at the terminal says yes, or has said so
/// with `--yes`.
pub(crate) fn confirm(warning: &str, has_said_yes: bool) -> Result<(), Error> {
    eprintln!("{warning}");
    if has_said_yes {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Error::NobodyToAsk);
    }
    eprint!("Go on? Type yes: ");
    io::stderr().flush().map_err(Error::Terminal)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Error::Terminal)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Error::NotConfirmed) }
}

/// Draws a screen again and again, until it says that all is done, or nobody reads it any more. Without a terminal,
/// only what differs from the one before.
pub(crate) fn follow(
    look: Look,
    every: Duration,
    mut screen: impl FnMut() -> Result<(String, bool), Error>,
) -> Result<Report, Error> {
    let mut last = String::new();
    loop {
        let (text, is_done) = screen()?;
        // from the upper left corner, without what stood there
        let beginning = if look.is_terminal { "\x1b[H\x1b[2J" } else { "" };
        let mut stdout = io::stdout().lock();
        let is_new = look.is_terminal || text != last;
        if is_new && write!(stdout, "{beginning}{text}").and_then(|()| stdout.flush()).is_err() {
            return Ok(Report::from(String::new()));
        }
        if is_done {
            return Ok(Report::from(String::new()));
        }
        last = text;
        thread::sleep(every);
    }
}

//! The terminal, if there is one: colours, width, and questions to whoever sits there.

use std::{
    env,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
};

use crate::error::Error;

/// How results look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Whether there are colours.
    pub(crate) has_colours: bool,
    /// How many characters a line may have.
    pub(crate) width: usize,
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
    pub(crate) const PLAIN: Self = Self { has_colours: false, width: 110 };

    /// Colours where they are seen, unless `NO_COLOR` is set (<https://no-color.org>).
    pub(crate) fn of_stdout() -> Self {
        if !io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        let is_unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
        let width = if columns == 0 { Self::PLAIN.width } else { columns.clamp(40, 120) };
        Self { has_colours: !is_unwanted && !is_dumb, width }
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

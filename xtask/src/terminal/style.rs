//! How standard output looks.

use std::{
    env,
    io::{IsTerminal, stdout},
};

/// Colours, where they are wanted: on a terminal, and unless NO_COLOR is set (<https://no-color.org>).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Whether standard output is a terminal, on which a line may be written over.
    pub(crate) terminal: bool,
    colours: bool,
    /// How many columns a line may take.
    pub(crate) width: usize,
}

/// Without a terminal to ask, and without COLUMNS.
const WIDTH: usize = 120;

impl Style {
    /// As standard output is.
    pub(crate) fn of_stdout() -> Self {
        let terminal = stdout().is_terminal();
        let colours = terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let of_terminal =
            || rustix::termios::tcgetwinsize(stdout()).ok().map(|size| usize::from(size.ws_col));
        let of_environment = || env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = of_environment().or_else(of_terminal).filter(|columns| *columns > 0).unwrap_or(WIDTH);
        Self { terminal, colours, width }
    }

    /// For tests.
    #[cfg(test)]
    pub(crate) fn plain(width: usize) -> Self {
        Self { terminal: false, colours: false, width }
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn good(&self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn bad(&self, text: &str) -> String {
        self.paint("31", text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

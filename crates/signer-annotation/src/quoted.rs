//! Other people's texts in messages.

use std::fmt;

/// A text as it may stand in a message: in quotes, control characters escaped, cut where it is long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

/// Characters that are shown of a text: enough to recognise a DNS name by.
const MOST_CHARACTERS: usize = 128;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MOST_CHARACTERS) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}… ({} bytes)", &self.0[..end], self.0.len()),
        }
    }
}

/// Several texts in a row, the first few of them.
pub(crate) struct QuotedList<'a>(pub(crate) &'a [&'a str]);

const MOST_TEXTS: usize = 5;

impl fmt::Display for QuotedList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, text) in self.0.iter().take(MOST_TEXTS).enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{}", Quoted(text))?;
        }
        match self.0.len().checked_sub(MOST_TEXTS) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;

//! What is wrong with a configuration, and where.

use std::fmt;

/// A place in a file: lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// Where. Without it: the file as a whole.
    pub position: Option<Position>,
    /// The field's path, such as `signers[1].refreshAt`. Empty: none in particular.
    pub field: String,
    /// The value, the rule that it breaks, and what is accepted.
    pub message: String,
}

/// All that was found wrong with a configuration, in the order of the file. Each line that it prints is one
/// error: `FILE:LINE:COLUMN: FIELD: MESSAGE`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    /// The file's name, as it was given.
    pub file: String,
    /// The errors: one at least.
    pub errors: Vec<ConfigError>,
}

/// Errors that are printed. Who has more has another file in hand.
const MOST_PRINTED: usize = 50;

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().take(MOST_PRINTED).enumerate() {
            let (newline, separator) =
                (if i == 0 { "" } else { "\n" }, if error.position.is_some() { ":" } else { ": " });
            write!(f, "{newline}{}{separator}{error}", self.file)?;
        }
        match self.errors.len().checked_sub(MOST_PRINTED) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\n{}: and {more} more errors", self.file),
        }
    }
}

/// Gathers errors, so that one run tells all of them.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<ConfigError>);

impl Problems {
    /// The value, or nothing and one problem more.
    pub(super) fn ok<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// The value of an optional field, or its default. After a problem the default stands in for it: the
    /// configuration is refused anyway.
    pub(super) fn or_default<T>(&mut self, result: Result<Option<T>, ConfigError>, default: T) -> T {
        self.ok(result).flatten().unwrap_or(default)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn extend(&mut self, errors: impl IntoIterator<Item = ConfigError>) {
        self.0.extend(errors);
    }

    /// The value, if there were no problems.
    pub(super) fn into_result<T>(mut self, value: Option<T>, file: &str) -> Result<T, ConfigErrors> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                self.0.sort_by_key(|error| error.position);
                self.0.dedup();
                Err(ConfigErrors { file: file.to_owned(), errors: self.0 })
            }
        }
    }
}

#[cfg(test)]
mod tests;

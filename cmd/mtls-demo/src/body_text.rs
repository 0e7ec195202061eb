//! The beginning of an answer, fit for one line of a log.

/// More isn't read.
pub(crate) const MOST_BYTES: usize = 64 * 1024;

/// The first line, of 200 characters at most.
pub(crate) fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().next().unwrap_or_default();
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[cfg(test)]
mod tests;

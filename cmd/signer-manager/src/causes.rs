//! An error with its causes, in one line.

use std::error::Error;

/// The error and its causes, `: ` between them. Some errors say their cause themselves; it isn't repeated.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Sample {
        #[error("reading failed")]
        Silent(#[source] io::Error),
        #[error("reading failed: {0}")]
        Telling(#[source] io::Error),
    }

    #[test]
    fn says_each_cause_once() {
        let cause = || io::Error::other("the disk is gone");
        for error in [Sample::Silent(cause()), Sample::Telling(cause())] {
            assert_eq!(with_causes(&error), "reading failed: the disk is gone");
        }
    }
}

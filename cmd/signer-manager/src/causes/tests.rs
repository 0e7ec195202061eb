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

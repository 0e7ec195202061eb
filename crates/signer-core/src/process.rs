//! How many files the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the number of files that may be open at once, connections included, as far as the process may by
/// itself. Where that is refused, all stays as it was.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    // refused where the hard limit is above what the system allows by now
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// How many files may be open at once; `None`: any number.
pub(crate) fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

#[cfg(test)]
mod tests;

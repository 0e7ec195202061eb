use std::{
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::load_error::Problem;

/// Files that show a problem at the first reads.
#[derive(Debug)]
struct Torn {
    problem: Problem,
    reads: AtomicUsize,
    torn: usize,
}

#[derive(Debug, PartialEq)]
struct Whole;

impl sealed::Sealed for Whole {}

impl Files for Torn {
    type Content = Whole;
}

impl Mounted for Whole {
    type Files = Torn;

    fn read(files: &Torn) -> Result<Vec<Bytes>, LoadError> {
        match files.reads.fetch_add(1, Ordering::Relaxed) < files.torn {
            true => Err(LoadError::new(Path::new("file"), files.problem.clone())),
            false => Ok(Vec::new()),
        }
    }

    fn parse(_: &Torn, _: &[Bytes], _: SystemTime) -> Result<Self, LoadError> {
        Ok(Self)
    }

    fn still_good(&self, _: &Torn, _: SystemTime) -> Result<(), LoadError> {
        Ok(())
    }

    fn same_as(&self, _: &Self) -> bool {
        true
    }

    fn describe(&self) -> String {
        String::new()
    }
}

#[test]
fn files_read_across_a_swap_are_read_again_at_once() {
    let mismatch = Problem::Mismatch { elsewhere: String::new() };
    for (problem, torn, good, reads) in [
        (mismatch.clone(), 0, true, 1),
        (mismatch.clone(), 1, true, 2),
        (mismatch, 2, false, 2),
        (Problem::Missing, 1, true, 2),
        (Problem::NotAFile, 1, false, 1),
    ] {
        let files = || Torn { problem: problem.clone(), reads: AtomicUsize::new(0), torn };
        let once = files();
        assert_eq!(read_and_parse::<Whole>(&once, SystemTime::UNIX_EPOCH).is_ok(), good, "{problem}");
        assert_eq!(once.reads.into_inner(), reads, "{problem}");
        let watched: Watched<Whole> = Watched::once(files(), SystemTime::UNIX_EPOCH);
        assert_eq!(watched.current().is_some(), good, "{problem}");
    }
}

#[test]
fn what_is_kept_of_the_files_tells_them_apart() {
    let bytes = |text: &str| Bytes::new(text.as_bytes().to_vec());
    assert_eq!(digest(&[bytes("ab"), bytes("c")]), digest(&[bytes("ab"), bytes("c")]));
    assert_ne!(digest(&[bytes("ab"), bytes("c")]), digest(&[bytes("a"), bytes("bc")]));
}

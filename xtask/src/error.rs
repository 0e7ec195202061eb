//! How a command fails.

use std::{io, path::PathBuf, process::ExitCode};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The cluster, the kubelet stand-in or a verifier.
    #[error(transparent)]
    Cluster(#[from] test_cluster::Error),
    /// A file or a program of this machine.
    #[error("{doing} {}", path.display())]
    Io {
        /// Such as `writing`.
        doing: &'static str,
        /// The file or the program.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A program that was run to its end failed, and has said why, or says so here.
    #[error("{program} failed ({status}){output}")]
    Program {
        /// The command line.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it wrote, if that was not shown already; begins with a line break.
        output: String,
    },
    /// Tests failed, and have said so.
    #[error("tests failed")]
    TestsFailed,
    /// Some of the checks on a real node failed, and stand in its table.
    #[error("checks failed; logs are in {}", logs.display())]
    ChecksFailed {
        /// What the node's programs wrote.
        logs: PathBuf,
    },
    /// The node's first process failed, and has said why; or it was told to end.
    #[error("see above")]
    NodeFailed,
    /// What was seen is not what the demo promises.
    #[error("{0}")]
    Unmet(String),
    /// A step of the demo failed.
    #[error("{step}")]
    Step {
        /// What was being done.
        step: String,
        /// Why it failed.
        #[source]
        source: Box<Error>,
        /// The end of the log that tells more.
        log: String,
    },
    /// Ctrl-C, or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Tells the user on standard error, and chooses the exit status: 130 after Ctrl-C as for any program,
    /// else 1.
    pub(crate) fn report(&self) -> ExitCode {
        if !matches!(self, Self::NodeFailed) {
            eprintln!("error: {}", test_cluster::story(self));
        }
        if let Self::Step { log, .. } = self {
            eprintln!("{log}");
        }
        match self {
            Self::Interrupted => ExitCode::from(130),
            _ => ExitCode::FAILURE,
        }
    }

    /// Wraps an I/O error: `.map_err(Error::io("writing", path))`.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

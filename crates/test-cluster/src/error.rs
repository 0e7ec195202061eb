//! Why something could not be done. Every variant says what was wanted, why it failed, and the remedy where
//! one is known.

use std::{error::Error as StdError, fmt, io, path::PathBuf, time::Duration};

use crate::control_plane::Program;

/// Why a call of this crate failed.
///
/// A signer's verdict is never an `Error`: see [`Outcome`](crate::Outcome).
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name isn't that of a Kubernetes minor version that `hack/controlplane` knows.
    #[error("no test control plane for Kubernetes {asked:?}; there are: {}", known.join(", "))]
    UnknownMinor {
        /// What was asked for.
        asked: String,
        /// What there is, oldest first.
        known: Vec<String>,
    },
    /// `hack/controlplane/build` failed.
    #[error("building {what} of Kubernetes {minor} failed; needs Go and a Go module proxy:\n{output}")]
    Build {
        /// Which of them.
        what: Program,
        /// The Kubernetes minor version.
        minor: String,
        /// The end of what the build wrote.
        output: String,
    },
    /// The control plane ended, or didn't announce itself in time.
    #[error("the control plane of Kubernetes {minor} didn't start: {why}\n{output}")]
    Start {
        /// The Kubernetes minor version.
        minor: String,
        /// What was seen instead of the announcement.
        why: String,
        /// The end of what it wrote to standard error.
        output: String,
    },
    /// A file or a process of this machine.
    #[error("{doing}: {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or the program.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// There is no usable way to a cluster.
    #[error(
        "no cluster to connect to; set KUBECONFIG, or unset SIGNER_TEST_CLUSTER to start a throw-away one"
    )]
    NoCluster(#[source] Box<dyn StdError + Send + Sync>),
    /// A call to the API server failed.
    #[error("{doing}")]
    Api {
        /// What the call was for, with the object's name.
        doing: String,
        /// The API server's answer.
        #[source]
        source: Answer,
    },
    /// The API server doesn't serve what the tests are about.
    #[error(
        "{server} doesn't serve {missing}; up to Kubernetes 1.36 it takes the feature gates PodCertificateRequest, \
         ClusterTrustBundle and ClusterTrustBundleProjection, and --runtime-config=certificates.k8s.io/<version>/<resource>=true"
    )]
    NotServed {
        /// The API server's version.
        server: String,
        /// What was looked for.
        missing: String,
    },
    /// Something was waited for, and didn't come.
    #[error("waited {} s for {what}; last seen: {last}", waited.as_secs_f32())]
    TimedOut {
        /// What was waited for.
        what: String,
        /// For how long.
        waited: Duration,
        /// The last state that was seen.
        last: String,
    },
    /// An object is not what the platform's rules allow, or not what the caller said it was.
    #[error("{what}: {why}")]
    Unexpected {
        /// The object.
        what: String,
        /// The rule that it breaks.
        why: String,
    },
    /// A key or a certificate signing request couldn't be made.
    #[error("making {what}: {why}")]
    Crypto {
        /// What was to be made.
        what: &'static str,
        /// What the library said.
        why: String,
    },
}

/// A failed call's answer, in the API server's own words.
#[derive(Debug)]
pub struct Answer(Box<kube::Error>);

impl Error {
    /// Wraps a failed API call: `.map_err(Error::api(|| format!("creating namespace {name}")))`.
    pub(crate) fn api(doing: impl FnOnce() -> String) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Api { doing: doing(), source: Answer(Box::new(source)) }
    }

    /// The HTTP status code of a refused API call, for tests that expect a refusal.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Api { source: Answer(error), .. } => match &**error {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for Answer {
    /// The API server's message alone: kube's own rendering adds the whole Status structure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            kube::Error::Api(status) => write!(f, "{} ({} {})", status.message, status.code, status.reason),
            other => write!(f, "{other}"),
        }
    }
}

impl StdError for Answer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.0 {
            kube::Error::Api(_) => None, // the status, which Display has shown
            other => other.source(),
        }
    }
}

/// The whole story: a test that unwraps, or returns the error, prints it in full.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&story(self))
    }
}

/// An error's message with those of all its causes, once each: many libraries repeat their cause's words.
pub fn story(error: &dyn StdError) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !told.contains(&next) {
            told = format!("{told}: {next}");
        }
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests;

//! Why there is no way to a cluster.

use std::io;

/// Why there is no way to a cluster. No message holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kubeconfig that was asked for isn't there. Of a list in `KUBECONFIG`, missing files are skipped.
    #[error("{file} doesn't exist; correct the path of the kubeconfig")]
    Missing {
        /// Its path.
        file: String,
    },
    /// A file can't be read.
    #[error("{file} can't be read: {source}")]
    Unreadable {
        /// Its path.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A file is too large for what it should be.
    #[error("{file} is larger than {largest} KiB, the most that is read of it; correct the path")]
    TooLarge {
        /// Its path.
        file: String,
        /// The most that is read, in KiB.
        largest: usize,
    },
    /// A file isn't a kubeconfig.
    #[error("{file}{line}: {problem}")]
    NotAKubeconfig {
        /// Its path.
        file: String,
        /// `:` and the number of the line, where it is known.
        line: String,
        /// What is wrong, and what is right.
        problem: String,
    },
    /// A user, cluster or context can't be used as it is.
    #[error("{entry}: {problem}")]
    Entry {
        /// Which, and of which file.
        entry: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The context that was asked for, or the current one, isn't there.
    #[error("the kubeconfig has no context {context:?}; it has: {known}")]
    UnknownContext {
        /// Its name.
        context: String,
        /// Names of those that are there.
        known: String,
    },
    /// Nothing says which context, and this isn't a pod.
    #[error(
        "the kubeconfig has no current context; choose one with `kubectl config use-context NAME`. It has: {known}"
    )]
    NoContext {
        /// Names of those that are there.
        known: String,
    },
    /// There is no kubeconfig, and this isn't a pod.
    #[error("there is no kubeconfig ({looked_at}), and this is no pod that has a service account token")]
    NoCluster {
        /// Where it was looked for.
        looked_at: String,
    },
    /// A proxy of the environment can't be used.
    #[error("{variable} in the environment: {problem}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The program that gives credentials failed, or an identity has expired.
    #[error("{entry}: {problem}")]
    Login {
        /// Which user, and of which file.
        entry: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A server without a scheme doesn't answer to plain HTTP.
    #[error("{0}")]
    NotCallable(String),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

impl Error {
    /// Whether what was written must be corrected: in a kubeconfig, in a file that it names, or in the
    /// environment.
    #[must_use]
    pub fn is_wrong_configuration(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::TooLarge { .. }
            | Self::NotAKubeconfig { .. }
            | Self::Entry { .. }
            | Self::Environment { .. }
            | Self::UnknownContext { .. }
            | Self::NoContext { .. }
            | Self::NotCallable(_)
            | Self::Unreadable { .. } => true,
            Self::NoCluster { .. } | Self::Login { .. } | Self::Tls(_) => false,
        }
    }
}

//! Why a manager can't run.

use std::{io, net::SocketAddr};

use ca_pool::names::SignerName;

/// Why a manager can't run at all. Whatever may pass keeps a signer from being ready instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// It has nothing to do.
    #[error("no signers are configured")]
    NoSigners,
    /// Two signers would answer the same requests.
    #[error("two signers have the name {0}; give each a name of its own")]
    DuplicateSigner(SignerName),
    /// The address is taken, or isn't this machine's.
    #[error("can't listen on {address} for {what}; choose another address")]
    HttpBind {
        /// What was to be served there.
        what: &'static str,
        /// What was asked for.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The certificate of a server is to be issued by a signer that isn't there.
    #[error("a server's certificate is to be issued by {0}, which isn't among the signers; name one that is")]
    NoSuchSigner(SignerName),
    /// A background task ended, by a panic or otherwise, without which the manager can't go on.
    #[error("{0}. The process ends, so that it is started again; report it as a bug")]
    TaskEnded(String),
}

//! The way to a cluster, found and read as kubectl does: which kubeconfig, which context, which server, proxy
//! and credentials.
//!
//! kube's own reading differs from client-go's where files come from other tools: missing files of a list,
//! empty values, servers without a scheme, proxies, certificates that Go takes and rustls doesn't. Here
//! client-go's rules hold (`tools/clientcmd`, `rest`, `transport`), and what can't be done as there is
//! refused with a message that names the entry, the file and the remedy.
//! `cmd/signerctl/tests/api_server/kubeconfig` holds both programs against kubectl.
//!
//! Merging and resolving are pure (`document`, `target`, `server`, `proxy`, `no_proxy`). Files are read
//! through `files`, programs run by `exec`, connections made by `transport`.
//!
//! ```no_run
//! # async fn example() -> Result<(), kubeconfig::Error> {
//! use kubeconfig::{Environment, Options, connect};
//!
//! let connection = connect(&Options::default(), &Environment::of_process()).await?;
//! println!("{} as {}", connection.server, connection.user);
//! # Ok(())
//! # }
//! ```

mod connection;
mod credentials;
mod document;
mod environment;
mod error;
mod exec;
mod explain;
mod fields;
mod files;
mod find;
mod in_cluster;
mod material;
mod no_proxy;
mod oidc;
mod pem;
mod proxy;
mod server;
mod target;
mod transport;
mod verifier;
mod x509;

use std::{path::PathBuf, time::Duration};

use self::target::Target;
pub use self::{connection::Connection, environment::Environment, error::Error, explain::CallError};

/// A longer silence is a dead connection: watches of `signer-core` end after 25 to 31 s, and the API server
/// gives up on other calls after a minute (`--request-timeout`).
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// Which cluster.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The kubeconfig. Without it, what `KUBECONFIG` lists, or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The context. Without it, the current one.
    pub context: Option<String>,
}

/// Finds the cluster and makes a client for it. Where no kubeconfig has a context, the pod's own service
/// account is used.
///
/// Nothing is sent yet, except to a server without a scheme, of which it must be known whether it answers to
/// plain HTTP; and a program that the kubeconfig names for its credentials is run. A call isn't repeated by
/// the client: its callers have retries of their own.
///
/// # Errors
/// If nothing says which cluster, or what says so can't be used.
pub async fn connect(options: &Options, environment: &Environment) -> Result<Connection, Error> {
    let Options { kubeconfig, context } = options;
    let document = find::document(kubeconfig.as_deref(), environment)?;
    let target = match Target::resolve(&document, context.as_deref(), environment)? {
        Some(target) => target,
        None => in_cluster::target(environment)?.ok_or_else(|| match document.contexts.is_empty() {
            true => Error::NoCluster { looked_at: find::looked_at(kubeconfig.as_deref(), environment) },
            false => Error::NoContext { known: document.known_contexts() },
        })?,
    };
    Connection::to(target, LONGEST_SILENCE).await
}

//! From the configuration to running signers.

use std::{path::Path, time::Duration};

use kube::{Client, config::Kubeconfig};
use signer_annotation::{AnnotationSigner, ConfigError as AnnotationError};
use signer_core::{Manager, ManagerError, SignerOptions, shutdown_signal};
use signer_service_dns::ServiceDnsSigner;
use signer_spiffe::SpiffeSigner;

use crate::{
    cli::RunArgs,
    config::{Config, ConfigErrors, SignerConfig, SignerKind},
    logging,
};

/// Why the process ends without having been asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration isn't valid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// `--log` isn't a filter.
    #[error(
        "--log {filter:?} is no filter; write a level (error, warn, info, debug, trace) or directives such as info,signer_core=debug"
    )]
    Log {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// `--kubeconfig` can't be used.
    #[error("--kubeconfig {path}")]
    Kubeconfig {
        /// What was given.
        path: String,
        /// What is wrong with it.
        source: kube::config::KubeconfigError,
    },
    /// Nothing says where the cluster is.
    #[error(
        "no cluster is configured; give a --kubeconfig, or run in a pod that has a service account token"
    )]
    NoCluster(#[source] kube::config::InferConfigError),
    /// There can be no client for this cluster.
    #[error("the cluster's configuration can't be used")]
    Client(#[source] kube::Error),
    /// The settings of an annotation signer don't fit together.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// The process can't hear of its end.
    #[error("can't listen to signals")]
    Signals(#[source] std::io::Error),
    /// The manager can't run.
    #[error(transparent)]
    Manager(#[from] ManagerError),
}

impl RunError {
    /// The process's exit code: 2 for what was configured wrongly, 1 for all else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Log { .. } | Self::Kubeconfig { .. } | Self::Annotation(_) => 2,
            Self::NoCluster(_) | Self::Client(_) | Self::Signals(_) | Self::Manager(_) => 1,
        }
    }
}

/// Runs the signers of the configuration until SIGTERM or SIGINT.
///
/// # Errors
/// If the configuration or the command line is wrong, or the process can't begin its work. A cluster that doesn't answer is no error.
pub async fn run(args: RunArgs) -> Result<(), RunError> {
    let config = Config::load(&args.config)?;
    logging::start(args.log_format, &args.log)
        .map_err(|source| RunError::Log { filter: args.log, source })?;
    let shutdown = shutdown_signal().map_err(RunError::Signals)?;
    let client = client(args.kubeconfig.as_deref()).await?;
    tracing::info!(
        config = %args.config.display(), signers = config.signers.len(), version = env!("CARGO_PKG_VERSION"), "starting"
    );
    let manager = Manager::new(client).http_bind(args.http_bind);
    let manager = config.signers.into_iter().try_fold(manager, add_signer)?;
    Ok(manager.run(shutdown).await?)
}

/// A watch is ended by the API server within five minutes, so a longer silence is a dead connection.
const LONGEST_SILENCE: Duration = Duration::from_secs(330);

async fn client(kubeconfig: Option<&Path>) -> Result<Client, RunError> {
    let mut config = match kubeconfig {
        Some(path) => from_kubeconfig(path).await.map_err(|source| {
            let path = path.display().to_string();
            RunError::Kubeconfig { path, source }
        })?,
        None => kube::Config::infer().await.map_err(RunError::NoCluster)?,
    };
    config.read_timeout.get_or_insert(LONGEST_SILENCE);
    Client::try_from(config).map_err(RunError::Client)
}

async fn from_kubeconfig(path: &Path) -> Result<kube::Config, kube::config::KubeconfigError> {
    kube::Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &Default::default()).await
}

fn add_signer(manager: Manager, signer: SignerConfig) -> Result<Manager, AnnotationError> {
    let SignerConfig { kind, ca_pool, policy } = signer;
    let options = SignerOptions { policy, ..SignerOptions::new(ca_pool) };
    Ok(match kind {
        SignerKind::ServiceDns(config) => manager.signer(ServiceDnsSigner::new(config), options),
        SignerKind::Spiffe(config) => manager.signer(SpiffeSigner::new(config), options),
        SignerKind::Annotation(config) => manager.signer(AnnotationSigner::new(config)?, options),
    })
}

//! From the configuration to running signers.

use std::path::PathBuf;

use ca_injector::Injector;
use kubeconfig::{Connection, Environment, Options, connect};
use signer_annotation::ConfigError as AnnotationError;
use signer_core::{
    Manager, SignerOptions,
    ca_pool::forbid_core_dumps,
    manager::{ManagerError, raise_open_files, serve_probes},
    shutdown_signal,
};

use crate::{
    audit_file::{AuditFile, AuditFileOptions, Writing},
    bundle_endpoint::BundleEndpointError,
    cli::{CaInjectorArgs, NoCertificate, RunArgs},
    config::{Config, ConfigErrors, SignerConfig, deny_rules},
    logging,
    summary::{Started, started},
};

/// Why the process ends without having been asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration isn't valid.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// `--log` isn't a filter.
    #[error(
        "--log {filter:?} is not a filter; write a level (error, warn, info, debug, trace) or directives such as info,signer_core=debug"
    )]
    Log {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Nothing says where the cluster is.
    #[error(
        "no cluster is configured; give a --kubeconfig, or run in a pod that has a service account token"
    )]
    NoCluster(#[source] kubeconfig::Error),
    /// The audit log's file can't be opened.
    #[error(
        "--audit-log-path {}: the file can't be opened or made; give one in a directory that exists and can be written", .path.display()
    )]
    AuditFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The command line says nothing of the certificate of the metrics' server.
    #[error(transparent)]
    MetricsCertificate(#[from] NoCertificate),
    /// The bundle endpoint can't be as the command line has it.
    #[error(transparent)]
    BundleEndpoint(#[from] BundleEndpointError),
    /// What says so can't be used.
    #[error("{}failed to read kubeconfig", .option.as_deref().unwrap_or_default())]
    Kubeconfig {
        /// The option, if it was given.
        option: Option<String>,
        /// What is wrong with it.
        source: kubeconfig::Error,
    },
    /// The settings of an annotation signer don't fit together.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// Core dumps, which would hold CA keys, can't be switched off.
    #[error("core dumps can't be switched off (RLIMIT_CORE, PR_SET_DUMPABLE); they would hold CA keys")]
    CoreDumps(#[source] std::io::Error),
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
            Self::Config(_) | Self::Log { .. } | Self::AuditFile { .. } | Self::Annotation(_) => 2,
            Self::MetricsCertificate(_) | Self::BundleEndpoint(_) => 2,
            Self::Manager(ManagerError::NoSuchSigner(_)) => 2,
            Self::Kubeconfig { source, .. } if source.is_wrong_configuration() => 2,
            Self::NoCluster(_)
            | Self::Kubeconfig { .. }
            | Self::CoreDumps(_)
            | Self::Signals(_)
            | Self::Manager(_) => 1,
        }
    }
}

/// Runs the signers of the configuration until SIGTERM or SIGINT.
///
/// # Errors
/// If the configuration or the command line is wrong, or the process can't begin its work. A cluster that
/// doesn't answer is no error.
pub async fn run(args: RunArgs) -> Result<(), RunError> {
    forbid_core_dumps().map_err(RunError::CoreDumps)?;
    raise_open_files();
    let config = Config::load(&args.config)?;
    let secure_metrics = args.secure_metrics()?;
    let bundle_endpoint = args.bundle_endpoint_options().endpoint(&config)?;
    // written to the end, however this function returns
    let (audit_file, _writing) = audit_file(&args)?.unzip();
    let records_lost = audit_file.as_ref().map(AuditFile::lost);
    logging::start(args.log_format, &args.log, audit_file)
        .map_err(|source| RunError::Log { filter: args.log, source })?;
    let mut shutdown = Box::pin(shutdown_signal().map_err(RunError::Signals)?);
    let Some(connection) = connection(args.kubeconfig, &mut shutdown).await? else { return Ok(()) };
    let Connection { client, server, user, .. } = connection;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"), config = %args.config.display(), server, user,
        signers = config.signers.len(), "starting"
    );
    for signer in &config.signers {
        let Started { kind, ca_pool } = started(signer);
        tracing::info!(signer = %signer.name(), kind, ca_pool, "configured");
    }
    let mut manager = Manager::new(client).http_bind(args.http_bind).status_page(args.status_page);
    if let Some(server) = secure_metrics {
        manager = manager.secure_metrics(server);
    }
    if let Some(endpoint) = bundle_endpoint {
        manager = manager.bundle_endpoint(endpoint);
    }
    if let Some(lost) = records_lost {
        let help = "Audit records that were lost, as they came faster than they could be written";
        manager =
            manager.register_metrics(move |registry| registry.register("audit_records_lost", help, lost));
    }
    if let Some(source) = config.deny {
        tracing::info!(%source, "following deny rules");
        manager = manager.deny(source, deny_rules);
    }
    let manager = config.signers.into_iter().try_fold(manager, add_signer)?;
    Ok(manager.run(shutdown).await?)
}

/// Keeps the `caBundle`s of the targets until SIGTERM or SIGINT.
///
/// # Errors
/// If the command line is wrong, or the process can't begin its work.
pub async fn inject(args: CaInjectorArgs) -> Result<(), RunError> {
    logging::start(args.log_format, &args.log, None)
        .map_err(|source| RunError::Log { filter: args.log, source })?;
    let mut shutdown = Box::pin(shutdown_signal().map_err(RunError::Signals)?);
    let Some(connection) = connection(args.kubeconfig, &mut shutdown).await? else { return Ok(()) };
    let Connection { client, server, user, .. } = connection;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        server,
        user,
        targets = args.targets.len(),
        "injecting trust anchors"
    );
    let (injector, state) = Injector::new(client, args.targets);
    let readiness = move || state.borrow().readiness();
    tokio::select! {
        () = shutdown => Ok(()),
        () = injector.run() => Ok(()),
        served = serve_probes(args.http_bind, readiness) => Ok(served?),
    }
}

fn audit_file(args: &RunArgs) -> Result<Option<(AuditFile, Writing)>, RunError> {
    let Some(path) = &args.audit_log_path else { return Ok(None) };
    let size = u64::from(args.audit_log_maxsize) * 1_000_000;
    let options = AuditFileOptions { path: path.clone(), size, backups: args.audit_log_maxbackup };
    let opened = AuditFile::open(options);
    opened.map(Some).map_err(|source| RunError::AuditFile { path: path.clone(), source })
}

/// The way to the cluster; none if the process is asked to end before that is found: a credential plugin may take
/// minutes.
async fn connection(
    kubeconfig: Option<PathBuf>,
    shutdown: impl Future<Output = ()>,
) -> Result<Option<Connection>, RunError> {
    let connection = tokio::select! {
        () = shutdown => {
            tracing::info!("asked to end before the way to the cluster was found");
            return Ok(None);
        }
        connection = connect_to_cluster(kubeconfig) => connection?,
    };
    for warning in &connection.warnings {
        tracing::warn!("{warning}");
    }
    Ok(Some(connection))
}

async fn connect_to_cluster(kubeconfig: Option<PathBuf>) -> Result<Connection, RunError> {
    let option = kubeconfig.as_ref().map(|path| format!("--kubeconfig {}: ", path.display()));
    let options = Options { kubeconfig, context: None };
    connect(&options, &Environment::of_process()).await.map_err(|source| match source {
        kubeconfig::Error::NoCluster { .. } => RunError::NoCluster(source),
        source => RunError::Kubeconfig { option, source },
    })
}

fn add_signer(manager: Manager, signer: SignerConfig) -> Result<Manager, AnnotationError> {
    let federation = signer.federation();
    let SignerConfig { kind, ca_pool, policy } = signer;
    let options = SignerOptions { policy, federation, ..SignerOptions::new(ca_pool) };
    kind.register(manager, options)
}

//! The command line.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

use ca_injector::Target;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use signer_core::{
    DnsName, Leaf, SignerName,
    manager::{SecureMetrics, ServingCertificate},
};

use spiffe_id::{SpiffeId, parse_spiffe_id};

use crate::bundle_endpoint::BundleEndpointOptions;

/// Answers Kubernetes PodCertificateRequests: runs the signers of a configuration, each with its own CA, and
/// publishes their trust anchors.
#[derive(Debug, Parser)]
#[command(
    name = "signer-manager",
    version,
    subcommand_negates_reqs = true,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Option<RunArgs>,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the signers: what is done without a subcommand
    #[command(skip)]
    Run(Box<RunArgs>),
    /// Validate a configuration, show what would run, and exit: 0 if it is valid, 2 if not
    CheckConfig {
        /// The configuration, in YAML
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Keep the caBundle of webhooks, APIServices and CRD conversions at the trust anchors of the signer that their
    /// annotation pod-certificate-signers/inject-anchors-of names
    CaInjector(CaInjectorArgs),
}

/// What is kept, and how the process runs.
#[derive(Debug, Args)]
pub struct CaInjectorArgs {
    /// An object whose caBundle is kept: validatingwebhookconfigurations/NAME, mutatingwebhookconfigurations/NAME,
    /// apiservices/NAME or customresourcedefinitions/NAME. May be repeated
    #[arg(long = "target", value_name = "KIND/NAME", required = true)]
    pub targets: Vec<Target>,
    /// How to reach the cluster [default: $KUBECONFIG, then ~/.kube/config, then the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// How the log is written, to stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged: a level, or tracing directives
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Where /livez and /readyz are answered; without an IP, at all of IPv4 and IPv6
    #[arg(long, value_name = "ADDRESS", default_value = ":8080", value_parser = address)]
    pub http_bind: SocketAddr,
}

/// How the signers run.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The configuration, in YAML
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// How to reach the cluster [default: $KUBECONFIG, then ~/.kube/config, then the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// How the log is written, to stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged: a level, or tracing directives such as info,signer_core=debug. Crates of others log
    /// warnings at most
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Where `/livez`, `/readyz` and `/metrics` are answered.
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = ":8080",
        value_parser = address,
        help = "Where /livez, /readyz and /metrics are answered; without an IP, at all of IPv4 and IPv6"
    )]
    pub http_bind: SocketAddr,
    /// Serve /metrics and the status page over TLS, at --metrics-bind, to those whom the API server allows it
    /// (TokenReview, SubjectAccessReview); /livez and /readyz stay at --http-bind
    #[arg(long)]
    pub metrics_auth: bool,
    /// Where: a port after a colon, or an IP before it too
    #[arg(long, value_name = "ADDRESS", default_value = ":8443", value_parser = address, requires = "metrics_auth")]
    pub metrics_bind: SocketAddr,
    /// The certificate of that server, in PEM; read again when it changes
    #[arg(
        long,
        value_name = "FILE",
        requires = "metrics_auth",
        requires = "metrics_key_file",
        conflicts_with = "metrics_signer"
    )]
    pub metrics_cert_file: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "metrics_cert_file")]
    pub metrics_key_file: Option<PathBuf>,
    /// Without files: the signer of the configuration that issues the certificate, in this process
    #[arg(long, value_name = "SIGNER", requires = "metrics_auth", requires = "metrics_dns_name")]
    pub metrics_signer: Option<SignerName>,
    /// The DNS name in it, by which scrapers verify the server
    #[arg(long, value_name = "NAME", requires = "metrics_signer")]
    pub metrics_dns_name: Option<DnsName>,
    /// Serve the trust anchors of spiffe signers as SPIFFE bundles over TLS, to whoever comes: a port after a colon,
    /// or an IP before it too
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub bundle_endpoint: Option<SocketAddr>,
    /// The certificate of that server, in PEM (profile https_web); read again when it changes
    #[arg(
        long,
        value_name = "FILE",
        requires = "bundle_endpoint",
        requires = "bundle_endpoint_key_file",
        conflicts_with = "bundle_endpoint_spiffe_id"
    )]
    pub bundle_endpoint_cert_file: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "bundle_endpoint_cert_file")]
    pub bundle_endpoint_key_file: Option<PathBuf>,
    /// Without files: the SPIFFE ID of that server (profile https_spiffe), whose certificate the spiffe signer of its
    /// trust domain issues in this process
    #[arg(long, value_name = "ID", requires = "bundle_endpoint", value_parser = parse_spiffe_id)]
    pub bundle_endpoint_spiffe_id: Option<SpiffeId>,
    /// A file for the audit records, which stand in the log otherwise
    #[arg(long, value_name = "FILE")]
    pub audit_log_path: Option<PathBuf>,
    /// How large it gets, in megabytes, before another one is begun
    #[arg(long, value_name = "MB", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..), requires = "audit_log_path")]
    pub audit_log_maxsize: u32,
    /// How many older ones are kept: FILE.1, FILE.2 and so on
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=1000), requires = "audit_log_path")]
    pub audit_log_maxbackup: u32,
    /// Whether `/` there is a page for people: signers, CAs, replicas, waiting requests, last decisions.
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        action = clap::ArgAction::Set,
        help = "Whether / there is a status page, which names pods of all namespaces to whoever reaches the address"
    )]
    pub status_page: bool,
}

/// `--metrics-auth` stands alone.
#[derive(Debug, thiserror::Error)]
#[error(
    "--metrics-auth needs a certificate: give --metrics-signer and --metrics-dns-name to have a signer issue it, or --metrics-cert-file and --metrics-key-file"
)]
pub struct NoCertificate;

impl RunArgs {
    /// How bundles are served, if they are.
    #[must_use]
    pub fn bundle_endpoint_options(&self) -> BundleEndpointOptions {
        BundleEndpointOptions {
            bind: self.bundle_endpoint,
            files: self.bundle_endpoint_cert_file.clone().zip(self.bundle_endpoint_key_file.clone()),
            spiffe_id: self.bundle_endpoint_spiffe_id.clone(),
        }
    }

    /// How metrics are served, if not at `--http-bind`.
    ///
    /// # Errors
    /// If no certificate is named.
    pub fn secure_metrics(&self) -> Result<Option<SecureMetrics>, NoCertificate> {
        if !self.metrics_auth {
            return Ok(None);
        }
        let files = self.metrics_cert_file.clone().zip(self.metrics_key_file.clone());
        let files = files.map(|(cert, key)| ServingCertificate::Files { cert, key });
        let issued = self.metrics_signer.clone().zip(self.metrics_dns_name.clone());
        let issued = issued.map(|(signer, dns_name)| {
            let leaf = Box::new(Leaf::server().dns_name(dns_name));
            ServingCertificate::Issued { signer, leaf }
        });
        let certificate = files.or(issued).ok_or(NoCertificate)?;
        Ok(Some(SecureMetrics { bind: self.metrics_bind, certificate }))
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For programs: one JSON object a line
    Json,
    /// For people: with colours on a terminal
    Text,
}

impl Command {
    /// Reads a command line, the program's name first. Without a subcommand it is to run.
    ///
    /// # Errors
    /// If it isn't one, or asks for help or the version; [`clap::Error::exit`] then says so as it should be
    /// said.
    pub fn from_arguments(
        arguments: impl IntoIterator<Item: Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let Cli { command, run } = Cli::try_parse_from(arguments)?;
        let missing =
            || Cli::command().error(ErrorKind::MissingRequiredArgument, "--config <FILE> is missing");
        command.or_else(|| run.map(|run| Self::Run(Box::new(run)))).ok_or_else(missing)
    }
}

/// An IP address with a port, or a port after a colon, as Go's programs take it.
fn address(text: &str) -> Result<SocketAddr, String> {
    let whole = if text.starts_with(':') { format!("[::]{text}") } else { text.to_owned() };
    whole.parse().map_err(|_| {
        "use a port after a colon, such as :8080, or an IP before it too: 127.0.0.1:8080, [::1]:8080".into()
    })
}

#[cfg(test)]
mod tests;

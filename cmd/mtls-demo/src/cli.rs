//! The command line.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{ArgAction, Args, Parser, Subcommand};
use hyper::Uri;
use pod_credentials::{SpiffeId, TrustDomain, parse_spiffe_id, parse_trust_domain};

/// Speaks TLS and mutual TLS with the certificates of pods, as an example server or client.
#[derive(Debug, Parser)]
#[command(name = "mtls-demo", version)]
pub struct Cli {
    /// Which of the two.
    #[command(subcommand)]
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve /healthz, /spiffe-echo and /status over TLS
    Server(ServerArgs),
    /// Fetch URLs again and again, each time over a new connection
    Client(ClientArgs),
}

/// A server's options.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Where TLS is served; without an IP, at all of IPv4 and IPv6
    #[arg(long, value_name = "ADDRESS", default_value = ":8443", value_parser = address)]
    pub listen: SocketAddr,
    /// Where /healthz and /status are served without TLS, for probes
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub status_listen: Option<SocketAddr>,
    /// The server's credential bundle: key, then certificate chain
    #[arg(long, value_name = "FILE")]
    pub server_creds: PathBuf,
    /// Ask clients for an X.509-SVID, and tell those that show one who they are at /spiffe-echo
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(default_value_t = false, default_missing_value = "true")]
    #[arg(requires_if("true", "spiffe_trust_bundle"))]
    pub enable_spiffe_client_support: bool,
    /// Close the door to everybody without such an identity, in the handshake, where no reason can be given
    #[arg(long, requires = "enable_spiffe_client_support")]
    pub require_spiffe_client: bool,
    /// The trust anchors of SPIFFE clients
    #[arg(
        long,
        value_name = "FILE",
        requires = "enable_spiffe_client_support",
        conflicts_with = "client_trust_bundle"
    )]
    pub spiffe_trust_bundle: Option<PathBuf>,
    /// The trust domain of SPIFFE clients
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = parse_trust_domain)]
    pub spiffe_trust_domain: TrustDomain,
    /// A SPIFFE ID that may come; may be repeated [default: all of the trust domain]
    #[arg(long, value_name = "ID", requires = "enable_spiffe_client_support", value_parser = parse_spiffe_id)]
    pub allow_spiffe_id: Vec<SpiffeId>,
    /// Require a client certificate under these trust anchors
    #[arg(long, value_name = "FILE")]
    pub client_trust_bundle: Option<PathBuf>,
    /// A DNS name that a client's certificate may have; may be repeated [default: any]
    #[arg(long, value_name = "NAME", requires = "client_trust_bundle")]
    pub allow_client_dns: Vec<String>,
    /// How often the mounted files are looked at
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub reload_interval: Duration,
}

impl ServerArgs {
    /// The trust anchors of SPIFFE clients, if those are asked for at all.
    ///
    /// # Errors
    /// If they aren't, and an option would keep others out.
    pub(crate) fn spiffe_clients(&self) -> Result<Option<&Path>, String> {
        if self.enable_spiffe_client_support {
            return Ok(self.spiffe_trust_bundle.as_deref());
        }
        if self.require_spiffe_client || !self.allow_spiffe_id.is_empty() {
            return Err(
                "--require-spiffe-client and --allow-spiffe-id need --enable-spiffe-client-support=true"
                    .into(),
            );
        }
        Ok(None)
    }
}

/// A client's options.
#[derive(Debug, Args)]
pub struct ClientArgs {
    /// What to fetch, an https URL; may be repeated
    #[arg(long, value_name = "URL", required = true, value_parser = https_url)]
    pub fetch_url: Vec<Uri>,
    /// The trust anchors of the server
    #[arg(long, value_name = "FILE")]
    pub server_trust_bundle: PathBuf,
    /// The client's credential bundle: key, then certificate chain [default: show no certificate]
    #[arg(long, value_name = "FILE")]
    pub client_cred_bundle: Option<PathBuf>,
    /// Who the server must be, by its SPIFFE ID; its DNS name then doesn't count
    #[arg(long, value_name = "ID", value_parser = parse_spiffe_id)]
    pub server_spiffe_id: Option<SpiffeId>,
    /// How long to wait between polls
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub poll_interval: Duration,
    /// How often the mounted files are looked at
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub reload_interval: Duration,
}

/// An IP address with a port, or a port after a colon, as Go's programs take it.
fn address(text: &str) -> Result<SocketAddr, String> {
    let whole = if text.starts_with(':') { format!("[::]{text}") } else { text.to_owned() };
    whole.parse().map_err(|_| {
        "use a port after a colon, such as :8443, or an IP before it too: 127.0.0.1:8443, [::1]:8443".into()
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "use a number with a unit, more than 0: 10s, 500ms, 2m".to_owned();
    let duration = text.parse::<jiff::SignedDuration>().map_err(|_| wrong())?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero()).ok_or_else(wrong)
}

fn https_url(text: &str) -> Result<Uri, String> {
    let url = text.parse::<Uri>().map_err(|error| error.to_string())?;
    match (url.scheme_str(), url.host()) {
        (Some("https"), Some(_)) => Ok(url),
        _ => Err("use an https URL, such as https://server.shop.svc/spiffe-echo".into()),
    }
}

#[cfg(test)]
mod tests;

//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use hyper::Uri;
use pod_credentials::{SpiffeId, TrustDomain};

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
    /// Where TLS is served
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8443")]
    pub listen: SocketAddr,
    /// Where /healthz and /status are served without TLS, for probes
    #[arg(long, value_name = "ADDRESS")]
    pub status_listen: Option<SocketAddr>,
    /// The server's credential bundle: key, then certificate chain
    #[arg(long, value_name = "FILE")]
    pub server_creds: PathBuf,
    /// Ask clients for an X.509-SVID, and tell those that show one who they are at /spiffe-echo
    #[arg(long, requires = "spiffe_trust_bundle", conflicts_with = "client_trust_bundle")]
    pub enable_spiffe_client_support: bool,
    /// Close the door to everybody without such an identity, in the handshake, where no reason can be given
    #[arg(long, requires = "enable_spiffe_client_support")]
    pub require_spiffe_client: bool,
    /// The trust anchors of SPIFFE clients
    #[arg(long, value_name = "FILE", requires = "enable_spiffe_client_support")]
    pub spiffe_trust_bundle: Option<PathBuf>,
    /// The trust domain of SPIFFE clients
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local")]
    pub spiffe_trust_domain: TrustDomain,
    /// A SPIFFE ID that may come; may be repeated [default: all of the trust domain]
    #[arg(long, value_name = "ID", requires = "enable_spiffe_client_support")]
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
    #[arg(long, value_name = "ID")]
    pub server_spiffe_id: Option<SpiffeId>,
    /// How long to wait between polls
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub poll_interval: Duration,
    /// How often the mounted files are looked at
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub reload_interval: Duration,
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
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        let words = ["mtls-demo"].into_iter().chain(line.split(' '));
        Cli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string())
    }

    #[test]
    fn takes_the_options_of_the_examples() {
        Cli::command().debug_assert();
        for line in [
            "server --server-creds /run/tls/credentials.pem",
            "server --listen 0.0.0.0:8443 --server-creds c --enable-spiffe-client-support --spiffe-trust-bundle t \
             --spiffe-trust-domain example.org --allow-spiffe-id spiffe://example.org/a --allow-spiffe-id spiffe://example.org/b \
             --require-spiffe-client",
            "server --server-creds c --client-trust-bundle t --allow-client-dns a --allow-client-dns b --status-listen [::]:8080",
            "client --fetch-url https://server.web.svc/spiffe-echo --server-trust-bundle t",
            "client --fetch-url https://a --fetch-url https://b:8443/x --server-trust-bundle t --client-cred-bundle c \
             --server-spiffe-id spiffe://a/b --poll-interval 500ms",
        ] {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            parse(&line).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, said) in [
            ("server", "--server-creds"),
            ("server --server-creds c --enable-spiffe-client-support", "--spiffe-trust-bundle"),
            ("server --server-creds c --require-spiffe-client", "--enable-spiffe-client-support"),
            ("server --server-creds c --spiffe-trust-bundle t", "--enable-spiffe-client-support"),
            ("server --server-creds c --allow-client-dns a", "--client-trust-bundle"),
            (
                "server --server-creds c --client-trust-bundle t --enable-spiffe-client-support --spiffe-trust-bundle t",
                "cannot be used with",
            ),
            ("client --server-trust-bundle t", "--fetch-url"),
            ("client --server-trust-bundle t --fetch-url http://a", "use an https URL"),
            (
                "client --server-trust-bundle t --fetch-url https://a --poll-interval 10",
                "a number with a unit",
            ),
            ("client --server-trust-bundle t --fetch-url https://a --poll-interval 0s", "more than 0"),
            (
                "client --server-trust-bundle t --fetch-url https://a --server-spiffe-id a",
                "looks like spiffe://",
            ),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}

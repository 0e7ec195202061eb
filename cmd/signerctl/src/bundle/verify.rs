//! `signerctl bundle verify`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use signer_core::certificate_facts::CertificateFacts;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{
    anchors::{Anchors, BundleArguments, read_file},
    peer,
};
use crate::{
    error::Error,
    observed::LeafCertificate,
    store::cluster::ClusterArguments,
    terminal::{Look, Report, Tone},
    text::{table::fields, wrap::wrap_behind},
};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["signer"]).multiple(true)))]
pub(crate) struct Verify {
    #[command(flatten)]
    bundle: BundleArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    subject: Subject,
    /// For what it is to be good.
    #[arg(long, value_enum, default_value_t = Purpose::Server)]
    purpose: Purpose,
    /// The name by which the server is to be known. With --connect, it is asked for it too.
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
}

/// What is verified.
#[derive(Args)]
#[group(id = "subject", required = true, multiple = false)]
struct Subject {
    /// The certificate in this file in PEM, and those between it and the anchors.
    #[arg(long, value_name = "PATH")]
    cert_file: Option<PathBuf>,
    /// What the TLS server there shows.
    #[arg(long, value_name = "HOST:PORT")]
    connect: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Purpose {
    /// TLS servers.
    Server,
    /// TLS clients.
    Client,
}

impl Verify {
    /// It isn't good if it isn't verified.
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<Report, Error> {
        let chain = match (&self.subject.cert_file, &self.subject.connect) {
            (Some(path), _) => {
                let text = read_file(path)?;
                let blocks = pem_blocks::blocks(&text).map_err(|bad| Error::Pem {
                    name: path.display().to_string(),
                    problem: format!("line {}: {}", bad.line, bad.problem),
                })?;
                let blocks = blocks.iter().filter(|block| block.label == "CERTIFICATE");
                blocks.map(|block| CertificateDer::from(block.der.to_vec())).collect()
            }
            (None, connect) => {
                // clap has seen to it that one of them is there
                let address = connect.as_deref().unwrap_or_default();
                peer::chain(address, self.server_name.as_deref())?
            }
        };
        let anchors = self.bundle.read(self.cluster)?;
        let verdict = verdict(&anchors, &chain, self.purpose, self.server_name.as_deref(), now);
        let facts = chain.first().and_then(|leaf| CertificateFacts::of_der(leaf));
        let certificate =
            facts.map(LeafCertificate::of).map(|leaf| fields(&leaf.rows(), look)).unwrap_or_default();
        let (tone, text, is_good) = match verdict {
            Ok(()) => (Tone::Good, format!("{} stands behind it", anchors.name), true),
            Err(problem) => {
                (Tone::Bad, format!("{} doesn't stand behind it: {problem}", anchors.name), false)
            }
        };
        let text = wrap_behind("", &text, look.width)
            .lines()
            .map(|line| look.paint(tone, line) + "\n")
            .collect::<String>();
        Ok(Report { text: text + &certificate, is_good })
    }
}

/// As rustls decides it.
fn verdict(
    anchors: &Anchors,
    chain: &[CertificateDer<'_>],
    purpose: Purpose,
    name: Option<&str>,
    now: Timestamp,
) -> Result<(), String> {
    let [leaf, intermediates @ ..] = chain else { return Err("there is no certificate".to_owned()) };
    // webpki doesn't look at the times of anchors; others do
    let valid = anchors
        .certificates
        .iter()
        .filter(|anchor| (anchor.not_before()..=anchor.not_after()).contains(&now));
    let ders: Vec<CertificateDer<'_>> = valid.map(|anchor| CertificateDer::from(anchor.der())).collect();
    if ders.is_empty() {
        return Err("none of its anchors is valid now; `signerctl bundle show` has their times".to_owned());
    }
    let anchors: Vec<_> = ders.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
    let leaf = EndEntityCert::try_from(leaf).map_err(|error| error.to_string())?;
    let usage = match purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    };
    let second = u64::try_from(now.as_second()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(second));
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, intermediates, time, usage, None, None)
        .map_err(|error| words(&error))?;
    let Some(name) = name else { return Ok(()) };
    let server = ServerName::try_from(name)
        .map_err(|_| format!("{name:?} is neither a DNS name nor an IP address"))?;
    leaf.verify_is_valid_for_subject_name(&server).map_err(|error| words(&error))
}

fn words(error: &webpki::Error) -> String {
    match error {
        // or one of the issuer's name has another key
        webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => {
            "none of its anchors has signed it, nor what it was sent with".to_owned()
        }
        webpki::Error::CertExpired { .. } => "it has expired".to_owned(),
        webpki::Error::CertNotValidYet { .. } => "it isn't valid yet".to_owned(),
        webpki::Error::RequiredEkuNotFoundContext(_) => {
            "it isn't for that purpose (extended key usage)".to_owned()
        }
        webpki::Error::CaUsedAsEndEntity => {
            "it is a CA's certificate, and not that of a server or client".to_owned()
        }
        webpki::Error::CertNotValidForName(_) => "it hasn't that name".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;

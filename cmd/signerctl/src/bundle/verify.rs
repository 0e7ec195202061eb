//! `signerctl bundle verify`.

use std::path::PathBuf;

use ca_pool::CaCertificate;
use clap::{ArgGroup, Args, ValueEnum};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde::Serialize;
use signer_core::certificate_facts::CertificateFacts;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{
    anchors::{Anchors, BundleArguments, certificate_blocks, read_file},
    peer,
};
use crate::{
    error::Error,
    observed::LeafCertificate,
    store::cluster::ClusterArguments,
    terminal::{Look, Output, Report, Tone},
    text::{
        table::fields,
        times::{minute, minute_from_now},
        wrap::wrap_painted,
    },
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
    #[arg(long, value_name = "NAME", value_parser = server_name)]
    server_name: Option<ServerName<'static>>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
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

/// What became of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    is_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    anchors: String,
    certificate: LeafCertificate,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Verify {
    /// It isn't good if it isn't verified.
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<Report, Error> {
        let Self { bundle, cluster, subject, purpose, server_name, output } = self;
        let (name, chain) = subject.chain(server_name.as_ref())?;
        let not_x509 = || Error::NotX509 { name, problem: "its first certificate isn't one of X.509" };
        let facts = chain.first().and_then(|leaf| CertificateFacts::of_der(leaf)).ok_or_else(not_x509)?;
        let anchors = bundle.read(cluster)?;
        let verdict = verdict(&anchors, &chain, purpose, server_name.as_ref(), now);
        let verified = Verified {
            is_verified: verdict.is_ok(),
            problem: verdict.err(),
            anchors: anchors.name,
            not_before: facts.not_before,
            not_after: facts.not_after,
            certificate: LeafCertificate::of(facts),
        };
        Report::of(output, &verified, verified.is_verified, || verified.shown(look, now))
    }
}

impl Subject {
    /// What it is called, and its certificates, the leaf first.
    fn chain(
        self,
        server_name: Option<&ServerName<'static>>,
    ) -> Result<(String, Vec<CertificateDer<'static>>), Error> {
        if let Some(path) = self.cert_file {
            let name = path.display().to_string();
            let certificates = certificate_blocks(&name, &read_file(&path)?)?;
            return Ok((name, certificates.into_iter().map(|(_, der)| CertificateDer::from(der)).collect()));
        }
        // clap has seen to it that one of them is there
        let address = self.connect.unwrap_or_default();
        let chain = peer::chain(&address, server_name)?;
        Ok((address, chain))
    }
}

impl Verified {
    fn shown(&self, look: Look, now: Timestamp) -> String {
        let (tone, verdict) = match &self.problem {
            None => (Tone::Good, format!("verified against {}", self.anchors)),
            Some(problem) => (Tone::Bad, format!("not verified against {}: {problem}", self.anchors)),
        };
        let verdict = wrap_painted(look, tone, &verdict);
        let valid = format!("{} to {}", minute(self.not_before), minute_from_now(self.not_after, now));
        let mut rows = self.certificate.rows();
        rows.push(("valid", valid));
        verdict + &fields(&rows, look)
    }
}

fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned()).map_err(|_| "it is neither a DNS name nor an IP address".to_owned())
}

/// As rustls decides it; but anchors count only while they are valid, as for other verifiers.
fn verdict(
    anchors: &Anchors,
    chain: &[CertificateDer<'_>],
    purpose: Purpose,
    name: Option<&ServerName<'_>>,
    now: Timestamp,
) -> Result<(), String> {
    let is_valid = |anchor: &&CaCertificate| (anchor.not_before()..=anchor.not_after()).contains(&now);
    let (valid, others): (Vec<&CaCertificate>, Vec<_>) = anchors.certificates.iter().partition(is_valid);
    // an anchor that webpki can't use verifies nothing, and its name helps more than what follows of it
    if let Some((anchor, error)) = valid.iter().find_map(|anchor| Some((anchor, unusable(anchor)?))) {
        return Err(format!("its anchor {} can't be used: {error}", anchor.subject()));
    }
    match verify(&valid, chain, purpose, now) {
        Ok(leaf) => {
            let Some(name) = name else { return Ok(()) };
            leaf.verify_is_valid_for_subject_name(name).map_err(|error| words(&error))
        }
        Err(error) if is_of_others(&error) => {
            let signed = others.iter().find(|anchor| match verify(&[anchor], chain, purpose, now) {
                Ok(_) => true,
                Err(error) => !is_of_others(&error),
            });
            Err(signed.map_or_else(|| words(&error), |anchor| not_valid(anchor, now)))
        }
        Err(error) => Err(words(&error)),
    }
}

/// Whether none of the anchors has signed it; or one of its issuer's name has, with another key.
fn is_of_others(error: &webpki::Error) -> bool {
    matches!(error, webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey)
}

fn unusable(anchor: &CaCertificate) -> Option<webpki::Error> {
    anchor_from_trusted_cert(&CertificateDer::from(anchor.der())).err()
}

fn not_valid(anchor: &CaCertificate, now: Timestamp) -> String {
    let (subject, end) = (anchor.subject(), anchor.not_after());
    if end < now {
        format!("{subject} has signed it, which expired at {}", minute_from_now(end, now))
    } else {
        format!(
            "{subject} has signed it, which isn't valid before {}",
            minute_from_now(anchor.not_before(), now)
        )
    }
}

fn verify<'a>(
    anchors: &[&CaCertificate],
    chain: &'a [CertificateDer<'_>],
    purpose: Purpose,
    now: Timestamp,
) -> Result<EndEntityCert<'a>, webpki::Error> {
    let [leaf, intermediates @ ..] = chain else { return Err(webpki::Error::BadDer) };
    let ders: Vec<CertificateDer<'_>> =
        anchors.iter().map(|anchor| CertificateDer::from(anchor.der())).collect();
    let anchors: Vec<_> = ders.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
    let leaf = EndEntityCert::try_from(leaf)?;
    let usage = match purpose {
        Purpose::Server => KeyUsage::server_auth(),
        Purpose::Client => KeyUsage::client_auth(),
    };
    let second = u64::try_from(now.as_second()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(second));
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, intermediates, time, usage, None, None)?;
    Ok(leaf)
}

fn words(error: &webpki::Error) -> String {
    match error {
        error if is_of_others(error) => {
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

//! What a signer would make of a pod, in words.

use std::{fmt, time::Duration};

use ca_pool::{KeyType, MAX_LEAF_LIFETIME, Terms, format_duration};
use serde::Serialize;
use signer_core::{
    cluster::{CertificateSource, Pod},
    preview::{Preview, Previewer, Surroundings},
};
use signer_manager::Config;

use crate::{
    observed::{LeafCertificate, shown},
    terminal::{Look, Tone},
    text::{table::nested, wrap::wrap_behind},
};

/// What becomes of one certificate that a pod asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    pub(crate) signer: String,
    pub(crate) outcome: VerdictOutcome,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<PreviewedCertificate>,
}

/// What a pod would get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum VerdictOutcome {
    Issued,
    Denied,
    Pending,
    /// The configuration has no signer of that name.
    NoSigner,
    /// The API server refuses the pod.
    Invalid,
}

impl fmt::Display for VerdictOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A certificate that would be issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewedCertificate {
    #[serde(flatten)]
    pub(crate) certificate: LeafCertificate,
    lifetime_seconds: u64,
    /// At the latest.
    refresh_after_seconds: u64,
}

impl Verdict {
    /// Asks the signer of the configuration.
    pub(crate) async fn of(
        previewer: &mut Previewer,
        config: &Config,
        pod: &Pod,
        source: &CertificateSource,
        surroundings: Surroundings<'_>,
    ) -> Self {
        let signer = shown(&source.signer_name);
        let ended = |outcome, reason: &str, message: String| Self {
            signer: signer.clone(),
            outcome,
            reason: reason.to_owned(),
            message: shown(&message),
            certificate: None,
        };
        if let Some(problem) = invalid(source) {
            return ended(
                VerdictOutcome::Invalid,
                "",
                format!("the API server refuses such a pod: {problem}"),
            );
        }
        let Some(configured) =
            config.signers.iter().find(|known| known.name().as_str() == source.signer_name)
        else {
            let known: Vec<&str> = config.signers.iter().map(|known| known.name().as_str()).collect();
            let message = format!(
                "the configuration has no signer of this name, so nobody would answer; it has {}",
                known.join(", ")
            );
            return ended(VerdictOutcome::NoSigner, "", message);
        };
        match configured.preview(previewer, pod, source, surroundings).await {
            Ok(Preview::Issued(certificate)) => {
                let seconds = |to: jiff::Timestamp| {
                    u64::try_from(to.duration_since(certificate.not_before).as_secs()).unwrap_or(0)
                };
                let leaf = LeafCertificate::previewed(&certificate.leaf_der);
                let certificate = leaf.map(|leaf| PreviewedCertificate {
                    certificate: leaf,
                    lifetime_seconds: seconds(certificate.not_after),
                    refresh_after_seconds: seconds(certificate.begin_refresh_at),
                });
                Self { certificate, ..ended(VerdictOutcome::Issued, "", String::new()) }
            }
            Ok(Preview::Denied(denial)) => {
                ended(VerdictOutcome::Denied, denial.reason.as_str(), denial.message)
            }
            Ok(Preview::Waiting(wait)) => ended(VerdictOutcome::Pending, wait.reason.as_str(), wait.message),
            Ok(Preview::LeafRefused(error)) => {
                ended(VerdictOutcome::Pending, "LeafRefused", error.to_string())
            }
            Err(error) => ended(VerdictOutcome::Pending, "IssuanceFailing", error.to_string()),
        }
    }

    pub(crate) fn is_issued(&self) -> bool {
        self.certificate.is_some()
    }

    /// Signer and outcome on a line, and below it what it says.
    pub(crate) fn shown(&self, look: Look) -> String {
        let (word, tone) = match self.outcome {
            VerdictOutcome::Issued => ("issued", Tone::Good),
            VerdictOutcome::Denied => ("denied", Tone::Bad),
            VerdictOutcome::NoSigner => ("no signer", Tone::Bad),
            VerdictOutcome::Invalid => ("invalid", Tone::Bad),
            VerdictOutcome::Pending => ("waits", Tone::Ending),
        };
        let reason = if self.reason.is_empty() { String::new() } else { format!("  {}", self.reason) };
        let head = format!("  {}  {}{reason}\n", self.signer, look.paint(tone, word));
        let below = match &self.certificate {
            Some(certificate) => nested(&certificate.rows(), look),
            None => wrap_behind("    ", &self.message, look.width),
        };
        head + &below
    }
}

impl PreviewedCertificate {
    /// What differs beside the names.
    pub(crate) fn differences(&self, after: &Self) -> Vec<String> {
        let usages = [self, after].map(|previewed| previewed.certificate.usages.join(", "));
        let lifetimes = [self.lifetime_seconds, after.lifetime_seconds].map(duration);
        let refreshes = [self.refresh_after_seconds, after.refresh_after_seconds].map(duration);
        let all = [("usages", usages), ("lifetime", lifetimes), ("refreshed after", refreshes)];
        let differing = all.into_iter().filter(|(_, [before, after])| before != after);
        differing.map(|(what, [before, after])| format!("{what}: {before} → {after}")).collect()
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let [lifetime, refresh] = [self.lifetime_seconds, self.refresh_after_seconds].map(duration);
        let lifetime = ("lifetime", format!("{lifetime}, refreshed after {refresh} at the latest"));
        self.certificate.rows().into_iter().chain([lifetime]).collect()
    }
}

/// What is wrong with a source, whoever its signer is (the API server's validation of pods).
fn invalid(source: &CertificateSource) -> Option<String> {
    if let Err(error) = source.key_type.parse::<KeyType>() {
        return Some(format!("keyType {}", shown(&error.to_string())));
    }
    let (least, most) = (Terms::LEAST_LIFETIME, MAX_LEAF_LIFETIME);
    let is_within = (least..=most).contains(&source.max_expiration);
    (!is_within)
        .then(|| format!("maxExpirationSeconds is not within {} and {}", least.as_secs(), most.as_secs()))
}

fn duration(seconds: u64) -> String {
    format_duration(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;

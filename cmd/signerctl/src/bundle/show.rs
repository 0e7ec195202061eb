//! `signerctl bundle show`.

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use serde::Serialize;

use super::anchors::{Anchors, BundleArguments};
use crate::{
    error::Error,
    store::cluster::ClusterArguments,
    terminal::{Look, Output, Report, Tone},
    text::{
        arguments::plural,
        table::fields,
        times::{minute, minute_from_now},
    },
};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["signer"]).multiple(true)))]
pub(crate) struct Show {
    #[command(flatten)]
    bundle: BundleArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Anchor {
    subject: String,
    sha256: String,
    not_before: Timestamp,
    not_after: Timestamp,
    uris: Vec<String>,
}

impl Show {
    /// It isn't good if an anchor isn't valid now.
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<Report, Error> {
        let anchors = self.bundle.read(self.cluster)?;
        let is_good = anchors
            .certificates
            .iter()
            .all(|anchor| (anchor.not_before()..=anchor.not_after()).contains(&now));
        Report::of(self.output, &list(&anchors), is_good, || shown(&anchors, look, now))
    }
}

fn list(anchors: &Anchors) -> Vec<Anchor> {
    let certificates = anchors.certificates.iter();
    let anchor = |certificate: &ca_pool::CaCertificate| Anchor {
        subject: certificate.subject(),
        sha256: certificate.fingerprint(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        uris: certificate.uris().iter().map(ToString::to_string).collect(),
    };
    certificates.map(anchor).collect()
}

fn shown(anchors: &Anchors, look: Look, now: Timestamp) -> String {
    let head = format!("{}: {}", anchors.name, plural(anchors.certificates.len(), "anchor"));
    let mut text = look.paint(Tone::Heading, head) + "\n";
    for Anchor { subject, sha256, not_before, not_after, uris } in list(anchors) {
        let valid = format!("{} to {}", minute(not_before), minute_from_now(not_after, now));
        let mut rows = vec![("Valid", valid), ("SHA-256", sha256)];
        if not_after < now {
            rows.push(("Problem", "it has expired, so nothing under it is verified".to_owned()));
        } else if now < not_before {
            rows.push(("Problem", "it isn't valid yet".to_owned()));
        }
        rows.extend(uris.into_iter().map(|uri| ("URI", uri)));
        let tone = if (not_before..=not_after).contains(&now) { Tone::Good } else { Tone::Bad };
        text += &format!("\n{}\n{}", look.paint(tone, subject), fields(&rows, look));
    }
    text
}

//! `signerctl bundle …`: a signer's trust anchors.

mod anchors;
mod export;
mod peer;
mod show;
mod verify;

use clap::Subcommand;
use jiff::Timestamp;

use crate::{
    error::Error,
    terminal::{Look, Report},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show the anchors of a trust bundle.
    Show(show::Show),
    /// Verify a certificate, or that of a server that answers, against a trust bundle.
    Verify(verify::Verify),
    /// Write a trust bundle into a folder, for a web server: as PEM, as a SPIFFE bundle, and each CA as DER.
    Export(export::Export),
}

impl Command {
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<Report, Error> {
        match self {
            Self::Show(show) => show.run(look, now),
            Self::Verify(verify) => verify.run(look, now),
            Self::Export(export) => export.run(),
        }
    }
}

//! `signerctl ca-pool show`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use signer_core::{CaPool, PoolSource};

use super::{arguments::Place, json, outlook::Outlook, secret, shown};
use crate::{error::Error, terminal::Look};

#[derive(Args)]
#[command(
    override_usage = "signerctl ca-pool show (--file <PATH> | --namespace <NAMESPACE> --name <NAME> | --cert-file <PATH> --key-file <PATH> [--root-file <PATH>]) [OPTIONS]"
)]
pub(crate) struct Show {
    #[command(flatten)]
    place: ShownPlace,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Where a pool may be to be shown.
#[derive(Args)]
#[group(id = "shown", required = true, multiple = true)]
struct ShownPlace {
    /// The pool is this file, in JSON.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["namespace", "name", "cert_file", "key_file", "root_file"])]
    file: Option<PathBuf>,
    /// The pool is a Secret in this namespace.
    #[arg(long, value_name = "NAMESPACE", requires = "name", conflicts_with_all = ["cert_file", "key_file", "root_file"])]
    namespace: Option<String>,
    /// The Secret's name. It has the key `pool`, or `tls.crt` and `tls.key`.
    #[arg(long, value_name = "NAME", requires = "namespace")]
    name: Option<String>,
    /// The pool is a CA in PEM files: its certificate, and those above it.
    #[arg(long, value_name = "PATH", requires = "key_file")]
    cert_file: Option<PathBuf>,
    /// The CA's private key in PEM.
    #[arg(long, value_name = "PATH", requires = "cert_file")]
    key_file: Option<PathBuf>,
    /// The root's certificate in PEM, where the certificate file doesn't have it.
    #[arg(long, value_name = "PATH", requires = "cert_file")]
    root_file: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Show {
    pub(super) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let Loaded { place, arguments, pool } = self.place.load()?;
        let outlook = Outlook::new(&pool, arguments, now);
        match self.output {
            Output::Text => Ok(shown::shown(&place, &outlook, look)),
            Output::Json => json::json(&outlook),
        }
    }
}

struct Loaded {
    /// As messages name it.
    place: String,
    /// How a command line leads to it, if it can be changed.
    arguments: Option<String>,
    pool: CaPool,
}

impl ShownPlace {
    fn load(self) -> Result<Loaded, Error> {
        let (source, arguments) = match self {
            Self { file: Some(file), .. } => {
                let arguments = Place::File(file.clone()).arguments();
                (PoolSource::PoolFile(file), Some(arguments))
            }
            Self { cert_file: Some(cert), key_file: Some(key), root_file: root, .. } => {
                (PoolSource::PemFiles { cert, key, root }, None)
            }
            Self { namespace: Some(namespace), name: Some(name), .. } => {
                let pool = secret::load(&namespace, &name, None)?;
                let place = Place::Secret { namespace, name };
                return Ok(Loaded {
                    place: format!("CA pool {place}"),
                    arguments: Some(place.arguments()),
                    pool,
                });
            }
            _ => return Err(Error::NoPlace),
        };
        Ok(Loaded { place: source.to_string(), arguments, pool: source.load()? })
    }
}

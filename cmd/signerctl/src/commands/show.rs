//! `signerctl ca-pool show`.

use std::{path::PathBuf, rc::Rc};

use ca_pool::CaPool;
use clap::{ArgGroup, Args};
use jiff::Timestamp;

use crate::{
    error::Error,
    terminal::{Look, Output},
};
use crate::{
    report::json,
    report::outlook::Outlook,
    report::page,
    store::clock,
    store::cluster::ClusterArguments,
    store::file,
    store::place::{Label, Place},
    store::secret::SecretPlace,
    text::arguments::{namespace, secret_name},
};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["name"]).multiple(true)))]
#[command(
    override_usage = "signerctl ca-pool show (--file <PATH> | --namespace <NAMESPACE> --name <NAME> | --cert-file <PATH> --key-file <PATH> [--root-file <PATH>]) [OPTIONS]"
)]
pub(crate) struct Show {
    #[command(flatten)]
    place: ShownPlace,
    #[command(flatten)]
    cluster: ClusterArguments,
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
    #[arg(long, value_name = "NAMESPACE", requires = "name", value_parser = namespace, conflicts_with_all = ["cert_file", "key_file", "root_file"])]
    namespace: Option<String>,
    /// The Secret's name. It has the key `pool`, or `tls.crt` and `tls.key`.
    #[arg(long, value_name = "NAME", requires = "namespace", value_parser = secret_name)]
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

impl Show {
    pub(crate) fn run(self, look: Look, now: Timestamp) -> Result<String, Error> {
        let Loaded { pool, label, arguments, caveat } = self.place.load(self.cluster, now)?;
        let pool = pool.as_of(now);
        let outlook = Outlook::new(&pool, arguments, now);
        match self.output {
            Output::Text => Ok(page::shown(&label, caveat, &outlook, look)),
            Output::Json => json::json(&outlook, caveat),
        }
    }
}

struct Loaded {
    pool: CaPool,
    label: Label,
    /// How a command line leads to it, if it can be changed.
    arguments: Option<String>,
    /// Why what is shown may be wrong.
    caveat: Option<String>,
}

impl ShownPlace {
    fn load(self, cluster: ClusterArguments, now: Timestamp) -> Result<Loaded, Error> {
        let told = |check: Result<(), Error>| check.err().map(|error| error.to_string());
        match self {
            Self { file: Some(path), .. } => {
                let (pool, _) = file::open(&path)?;
                let caveat = told(clock::check_is_after(&pool, &path.display().to_string(), now));
                let label = Place::File(path).label();
                Ok(Loaded { arguments: Some(label.arguments.clone()), pool, label, caveat })
            }
            Self { cert_file: Some(cert), key_file: Some(key), root_file: root, .. } => {
                let name = format!("CA of {} and {}", cert.display(), key.display());
                let pool = file::load_pem(cert, key, root)?;
                let label = Label { pool: name, cluster: None, arguments: String::new() };
                Ok(Loaded { pool, label, arguments: None, caveat: None })
            }
            Self { namespace: Some(namespace), name: Some(name), .. } => {
                let cluster = Rc::new(cluster.connect()?);
                let secret = SecretPlace { cluster, namespace, name };
                let (pool, caveat) = (secret.load(None)?, told(secret.cluster.check_clock()));
                // `rotate` and `import` refuse to change the Secret of a CA that somebody else keeps
                let can_be_changed = !secret.is_tls()?;
                let label = Place::Secret(secret).label();
                Ok(Loaded { arguments: can_be_changed.then(|| label.arguments.clone()), pool, label, caveat })
            }
            _ => Err(Error::NoPlace),
        }
    }
}

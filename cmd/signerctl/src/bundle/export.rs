//! `signerctl bundle export`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{ArgGroup, Args};
use spiffe_bundle::SpiffeBundle;

use super::anchors::BundleArguments;
use crate::{error::Error, store::cluster::ClusterArguments, terminal::Report, text::shell::quote};

#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["signer"]).multiple(true)))]
pub(crate) struct Export {
    #[command(flatten)]
    bundle: BundleArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// The folder, which must exist. Files of an earlier export are replaced, each at once; a CA's file stays when
    /// the CA has left the bundle, as certificates may still name its address.
    #[arg(long, value_name = "PATH")]
    dir: PathBuf,
    /// In how many seconds whoever fetches the SPIFFE bundle should look again.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    refresh_hint: u32,
}

impl Export {
    pub(crate) fn run(self) -> Result<Report, Error> {
        let anchors = self.bundle.read(self.cluster)?;
        let pem: String = anchors.certificates.iter().map(ca_pool::CaCertificate::to_pem).collect();
        let bundle = SpiffeBundle {
            anchors: anchors.certificates.clone(),
            sequence: anchors.sequence,
            refresh_hint: Some(Duration::from_secs(self.refresh_hint.into())),
        };
        let bundle = bundle.to_json()?;
        let mut files = vec![
            ("bundle.pem".to_owned(), pem.into_bytes()),
            ("bundle.spiffe.json".to_owned(), serde_json::to_vec_pretty(&bundle)?),
        ];
        for anchor in &anchors.certificates {
            let name = anchor.fingerprint().replace(':', "").to_lowercase();
            files.push((format!("{name}.der"), anchor.der().to_vec()));
        }
        if !self.dir.is_dir() {
            let directory = quote(&self.dir.to_string_lossy());
            return Err(Error::NoDirectory {
                path: self.dir.join("bundle.pem").display().to_string(),
                directory,
            });
        }
        let mut report = String::new();
        for (name, content) in files {
            let path = self.dir.join(name);
            replace(&path, &content)?;
            report += &format!("{}\n", path.display());
        }
        Ok(Report::from(report))
    }
}

/// Whoever reads the file meanwhile reads the old one or the new one.
fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let error = |source| Error::Write { path: path.display().to_string(), source };
    let new = path.with_extension("new");
    fs::write(&new, content).and_then(|()| fs::rename(&new, path)).map_err(|source| {
        // it is of no use to anybody
        let _ = fs::remove_file(&new);
        error(source)
    })
}

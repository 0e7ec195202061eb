//! Where a trust bundle is read from.

use std::{
    collections::HashSet,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use ca_pool::{CaCertificate, SignerName};
use clap::Args;

use crate::{error::Error, observed::published, store::cluster::ClusterArguments};

/// Which trust bundle.
#[derive(Args)]
#[group(id = "bundle", required = true, multiple = false)]
pub(super) struct BundleArguments {
    /// That of this signer, as the cluster has it.
    #[arg(long, value_name = "SIGNER")]
    signer: Option<SignerName>,
    /// The PEM certificates in this file.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

/// The anchors of a trust bundle.
pub(super) struct Anchors {
    /// How people call it.
    pub(super) name: String,
    pub(super) certificates: Vec<CaCertificate>,
    /// Greater for each change, where that is known.
    pub(super) sequence: Option<u64>,
}

impl BundleArguments {
    pub(super) fn read(self, cluster: ClusterArguments) -> Result<Anchors, Error> {
        let (name, pem, sequence) = match (self.signer, self.file) {
            (Some(signer), _) => {
                let cluster = cluster.connect()?;
                let name = format!("trust bundle {}", signer.bundle_name());
                let found = published(&cluster, &signer)?.ok_or_else(|| Error::NotThere {
                    what: name.clone(),
                    cluster: cluster.to_string(),
                    remedy: "Its signer publishes it as soon as it has a CA pool: see `signerctl check`"
                        .to_owned(),
                })?;
                (name, found.pem, found.version)
            }
            (None, file) => {
                // clap has seen to it that one of them is there
                let path = file.unwrap_or_default();
                let name = path.display().to_string();
                let pem = String::from_utf8(read_file(&path)?).map_err(|_| Error::Pem {
                    name: name.clone(),
                    problem:
                        "it isn't text; a certificate in DER becomes PEM with `openssl x509 -inform der`"
                            .to_owned(),
                })?;
                (name, pem, None)
            }
        };
        let mut certificates = certificates(&name, &pem)?;
        let mut seen = HashSet::new();
        certificates.retain(|certificate| seen.insert(certificate.der().to_vec()));
        if certificates.is_empty() {
            return Err(Error::Pem { name, problem: "it has no CERTIFICATE block".to_owned() });
        }
        Ok(Anchors { name, certificates, sequence })
    }
}

/// The longest file that is read: more than a trust bundle may have.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Reads a file of certificates.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(Error::read(path))?;
    if bytes.len() as u64 > LONGEST {
        let problem = format!("it is longer than {} MiB, the most that is read", LONGEST >> 20);
        return Err(Error::Pem { name: path.display().to_string(), problem });
    }
    Ok(bytes)
}

/// The certificates of a text in PEM.
fn certificates(name: &str, pem: &str) -> Result<Vec<CaCertificate>, Error> {
    let blocks = pem_blocks::blocks(pem.as_bytes()).map_err(|bad| Error::Pem {
        name: name.to_owned(),
        problem: format!("line {}: {}", bad.line, bad.problem),
    })?;
    let blocks = blocks.iter().filter(|block| block.label == "CERTIFICATE");
    blocks
        .map(|block| {
            CaCertificate::from_der(format!("{name}, line {}", block.line), &block.der).map_err(Error::from)
        })
        .collect()
}

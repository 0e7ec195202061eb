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

/// The anchors of a text in PEM.
fn certificates(name: &str, pem: &str) -> Result<Vec<CaCertificate>, Error> {
    let certificates = certificate_blocks(name, pem.as_bytes())?.into_iter().map(|(line, der)| {
        let certificate = CaCertificate::from_der(format!("{name}, line {line}"), &der)?;
        if certificate.is_ca() {
            return Ok(certificate);
        }
        let problem =
            format!("the certificate in line {line} isn't a CA's, so nothing is verified against it");
        Err(Error::Pem { name: name.to_owned(), problem })
    });
    certificates.collect()
}

/// The certificates of a text in PEM, each with its line. There is one at least.
pub(super) fn certificate_blocks(name: &str, pem: &[u8]) -> Result<Vec<(usize, Vec<u8>)>, Error> {
    let error = |problem| Error::Pem { name: name.to_owned(), problem };
    let blocks =
        pem_blocks::blocks(pem).map_err(|bad| error(format!("line {}: {}", bad.line, bad.problem)))?;
    let blocks = blocks.into_iter().filter(|block| block.label == "CERTIFICATE");
    let certificates: Vec<_> = blocks.map(|block| (block.line, block.der.to_vec())).collect();
    if certificates.is_empty() {
        return Err(error("it has no CERTIFICATE block".to_owned()));
    }
    Ok(certificates)
}

//! `openssl verify -x509_strict`: the verifier that most of the world uses, at its strictest.

use std::{fs, path::Path, process::Command};

use super::{Chain, Purpose, Refusal};
use crate::Certificate;

pub(super) const NAME: &str = "openssl";

/// Verifies the chain at the present time, with no trust but the anchors given.
///
/// # Errors
/// openssl's refusal, or why it could not be asked.
pub fn verify(chain: &Chain, purpose: Purpose<'_>) -> Result<(), Refusal> {
    let refused = |why: String| Refusal { verifier: NAME, why };
    let dir = tempfile::tempdir().map_err(|error| refused(error.to_string()))?;
    let output = command(chain, purpose, dir.path())
        .and_then(|mut command| command.output())
        .map_err(|error| refused(format!("it can't be run: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

fn command(chain: &Chain, purpose: Purpose<'_>, dir: &Path) -> std::io::Result<Command> {
    let (anchors, intermediates, leaf) =
        (dir.join("anchors.pem"), dir.join("intermediates.pem"), dir.join("leaf.pem"));
    fs::write(&anchors, pem(&chain.anchors))?;
    fs::write(&leaf, pem(std::slice::from_ref(&chain.leaf)))?;
    let mut command = Command::new("openssl");
    command.args(["verify", "-x509_strict", "-no-CAfile", "-no-CApath", "-no-CAstore"]);
    command.args(["-purpose", if purpose == Purpose::Client { "sslclient" } else { "sslserver" }]);
    if let Purpose::ServerNamed(name) = purpose {
        command.args(["-verify_hostname", name]);
    }
    command.arg("-trusted").arg(&anchors);
    if !chain.intermediates.is_empty() {
        fs::write(&intermediates, pem(&chain.intermediates))?;
        command.arg("-untrusted").arg(&intermediates);
    }
    command.arg(&leaf);
    Ok(command)
}

fn pem(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::pem).collect()
}

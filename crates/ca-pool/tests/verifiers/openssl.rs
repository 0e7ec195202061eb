//! `openssl verify -x509_strict`, which holds a chain against all of RFC 5280.

use std::{fs, path::PathBuf, process::Command};

use ca_pool::{CaPool, IssuedCertificate};
use tempfile::TempDir;

use crate::Question;

pub(crate) fn verify(
    pool: &CaPool,
    issued: &IssuedCertificate,
    question: Question<'_>,
) -> Result<(), String> {
    verify_with(&["-x509_strict"], pool, issued, question)
}

/// As nginx and PostgreSQL do.
pub(crate) fn verify_leniently(
    pool: &CaPool,
    issued: &IssuedCertificate,
    question: Question<'_>,
) -> Result<(), String> {
    verify_with(&[], pool, issued, question)
}

fn verify_with(
    arguments: &[&str],
    pool: &CaPool,
    issued: &IssuedCertificate,
    question: Question<'_>,
) -> Result<(), String> {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let roots: String = pool.roots().iter().map(|root| root.to_pem()).collect();
    let (chain, roots) = (write("chain.pem", &issued.chain_pem), write("roots.pem", &roots));
    let mut openssl = Command::new("openssl");
    openssl.args(["verify", "-no-CApath", "-no-CAstore"]).args(arguments);
    openssl.arg("-CAfile").arg(roots).arg("-untrusted").arg(&chain);
    match question {
        Question::Server(name) => openssl.args(["-purpose", "sslserver", "-verify_hostname", name]),
        Question::Client => openssl.args(["-purpose", "sslclient"]),
    };
    let output = openssl.arg(&chain).output().expect("these tests need the program openssl (3.0 or newer)");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

//! Go's `crypto/x509`: the API server, kubelet, and programs in Go.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use ca_pool::{CaPool, IssuedCertificate};
use tempfile::TempDir;

use crate::Question;

/// Made once for all tests.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

pub(crate) fn verify(
    pool: &CaPool,
    issued: &IssuedCertificate,
    question: Question<'_>,
) -> Result<(), String> {
    let program = PROGRAM.get_or_init(build);
    let directory = TempDir::new().unwrap();
    let (chain, roots) = (directory.path().join("chain.pem"), directory.path().join("roots.pem"));
    fs::write(&chain, &issued.chain_pem).unwrap();
    fs::write(&roots, pool.roots().iter().map(|root| root.to_pem()).collect::<String>()).unwrap();
    let usage = if matches!(question, Question::Client) { "client" } else { "server" };
    let output = Command::new(program).args([&chain, &roots]).arg(usage).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stdout).into_owned()) }
}

/// What `x509.ParseCertificate` says of each.
pub(crate) fn read(certificates: &[Vec<u8>]) -> Vec<Result<(), String>> {
    let program = PROGRAM.get_or_init(build);
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("certificates");
    let hexadecimal = |der: &Vec<u8>| der.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
    fs::write(&file, certificates.iter().map(hexadecimal).collect::<String>()).unwrap();
    let output = Command::new(program).arg("read").stdin(fs::File::open(&file).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer = |line: &str| if line == "read" { Ok(()) } else { Err(line.to_owned()) };
    String::from_utf8(output.stdout).unwrap().lines().map(answer).collect()
}

fn build() -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verify");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/go/verify.go");
    let mut go = Command::new("go");
    go.env("GO111MODULE", "off").args(["build", "-o"]).arg(&program).arg(source);
    let output = go.output().expect("these tests need Go, as the control plane does");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

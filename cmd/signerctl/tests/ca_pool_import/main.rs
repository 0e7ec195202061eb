//! `signerctl ca-pool import` as its users run it: CAs that OpenSSL made.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod emergency;
mod first;
mod next;
#[path = "../pool_file/mod.rs"]
mod pool_file;

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use ca_pool::{CaPool, PoolSource};

fn run(directory: &Path, program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.current_dir(directory).env("KUBECONFIG", "/nonexistent").stdin(Stdio::null());
    command.args(arguments).output().unwrap()
}

fn openssl(directory: &Path, arguments: &[&str]) {
    let output = run(directory, "openssl", arguments);
    assert!(output.status.success(), "{output:?}");
}

fn signerctl(directory: &Path, arguments: &[&str]) -> Output {
    run(
        directory,
        env!("CARGO_BIN_EXE_signerctl"),
        &[&["ca-pool"], arguments, &["--file", "pool.json"]].concat(),
    )
}

fn load(directory: &Path) -> CaPool {
    PoolSource::PoolFile(directory.join("pool.json")).load().unwrap()
}

/// An offline root in `<root>.pem`, and an intermediate under it in `<name>.pem` and `<name>.key`.
fn intermediate(directory: &Path, root: &str, name: &str) {
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
    let (root_key, root_pem) = (format!("{root}.key"), format!("{root}.pem"));
    if !directory.join(&root_pem).exists() {
        let subject = format!("/CN={root}");
        let self_signed =
            ["req", "-x509", "-days", "3650", "-subj", &subject, "-keyout", &root_key, "-out", &root_pem];
        openssl(directory, &[&self_signed[..], &new_key].concat());
    }
    let (subject, key, pem) = (format!("/CN={name}"), format!("{name}.key"), format!("{name}.pem"));
    let extensions = ["basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign"];
    let signed = [
        "req", "-x509", "-days", "365", "-subj", &subject, "-CA", &root_pem, "-CAkey", &root_key, "-keyout",
        &key, "-out", &pem,
    ];
    openssl(
        directory,
        &[&signed[..], &new_key, &["-addext", extensions[0], "-addext", extensions[1]]].concat(),
    );
}

fn import(directory: &Path, name: &str, root: &str, further: &[&str]) -> Output {
    let (cert, key, root) = (format!("{name}.pem"), format!("{name}.key"), format!("{root}.pem"));
    let of = ["import", "--cert-file", &cert, "--key-file", &key, "--root-file", &root];
    signerctl(directory, &[&of, further].concat())
}

fn ids(pool: &CaPool) -> Vec<&str> {
    pool.authorities().map(ca_pool::CertificateAuthority::id).collect()
}

fn complains(directory: &Path, arguments: &[&str]) -> String {
    let pool = || fs::read(directory.join("pool.json")).ok();
    let before = pool();
    let output = signerctl(directory, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(pool(), before);
    String::from_utf8(output.stderr).unwrap()
}

//! `signerctl ca-pool import` as its users run it: CAs that OpenSSL made.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use signer_core::{CaPool, PoolSource};
use tempfile::TempDir;

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
    pool.authorities().map(signer_core::CertificateAuthority::id).collect()
}

#[test]
fn an_intermediate_under_an_offline_root_becomes_the_first_ca_and_then_the_next() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "offline", "first");
    intermediate(directory, "offline", "second");
    let output = import(directory, "first", "offline", &[]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("Created CA pool pool.json"), "{output:?}");
    assert_eq!(ids(&load(directory)), ["1"]);
    let output = import(directory, "second", "offline", &["--ca-id", "blue"]);
    assert!(output.status.success(), "{output:?}");
    let pool = load(directory);
    assert_eq!(ids(&pool), ["1", "blue"]);
    assert_eq!((pool.roots().len(), pool.authority(1).issuer().subject().as_str()), (1, "CN=second"));
    assert!(pool.tenures()[1].signs_from.is_some());
}

#[test]
fn what_the_cas_certificates_permit_is_shown() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "offline", "first");
    let limits = [
        "nameConstraints=critical,permitted;DNS:corp.example.com,excluded;URI:.example.com,permitted;dirName:org",
        "extendedKeyUsage=serverAuth",
    ];
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
    let req = ["req", "-x509", "-subj", "/CN=limited", "-keyout", "limited.key", "-out", "limited.pem"];
    let config = "[req]\ndistinguished_name=dn\n[dn]\n[org]\nO=Example\n";
    fs::write(directory.join("limited.cnf"), config).unwrap();
    let limits = ["-config", "limited.cnf", "-addext", limits[0], "-addext", limits[1]];
    let ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"];
    openssl(directory, &[&req[..], &new_key, &limits, &ca].concat());
    let said = "Limits    permits DNS:corp.example.com, subjects that begin with O=Example alone; excludes URI:.example.com; for serverAuth alone";
    let import = ["import", "--cert-file", "limited.pem", "--key-file", "limited.key"];
    let to_new = [&["ca-pool"], &import[..], &["--file", "new.json"]].concat();
    let new = run(directory, env!("CARGO_BIN_EXE_signerctl"), &to_new);
    assert!(String::from_utf8_lossy(&new.stdout).contains(said), "{new:?}");
    assert!(self::import(directory, "first", "offline", &[]).status.success());
    let added = signerctl(directory, &import);
    assert!(String::from_utf8_lossy(&added.stdout).contains(said), "{added:?}");
    let shown = signerctl(directory, &["show"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains(said), "{shown:?}");
    let json = signerctl(directory, &["show", "--output", "json"]);
    let said = "\"constraints\": \"permits DNS:corp.example.com, subjects that begin with O=Example alone";
    assert!(String::from_utf8_lossy(&json.stdout).contains(said), "{json:?}");
}

#[test]
fn whoever_shares_the_root_of_a_compromised_ca_leaves_with_it() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    for (root, name) in [("offline", "first"), ("offline", "second"), ("other", "third")] {
        intermediate(directory, root, name);
    }
    assert!(import(directory, "first", "offline", &[]).status.success());
    let output = import(directory, "second", "offline", &["--emergency", "--yes"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("and that root has to leave the trust bundle"), "{error}");
    assert_eq!(ids(&load(directory)), ["1"]);
    assert!(import(directory, "second", "offline", &[]).status.success());
    let output = import(directory, "third", "other", &["--emergency", "--compromised", "1", "--yes"]);
    let warning = String::from_utf8_lossy(&output.stderr);
    assert!(warning.contains("CA 1 and CA 2 will leave the pool"), "{output:?}");
    assert_eq!(load(directory).roots()[0].subject(), "CN=other");
}

#[test]
fn a_ca_that_could_not_sign_is_refused() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "offline", "first");
    intermediate(directory, "other", "second");
    assert!(import(directory, "first", "offline", &[]).status.success());
    let before = fs::read(directory.join("pool.json")).unwrap();
    for (output, message) in [
        (import(directory, "first", "offline", &[]), "have the same signing key"),
        (import(directory, "second", "offline", &[]), "is issued by CN=other, whose certificate isn't there"),
        (import(directory, "second", "other", &["--ca-id", "1"]), "have the same ID"),
        (
            signerctl(directory, &["import", "--cert-file", "none.pem", "--key-file", "none.key"]),
            "none.pem doesn't exist",
        ),
    ] {
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(message), "{message}: {error}");
    }
    assert_eq!(fs::read(directory.join("pool.json")).unwrap(), before);
}

//! `signerctl ca-pool` on `pool.json` in a directory.

#![allow(dead_code, reason = "each test program uses some of this")]
#![allow(clippy::unwrap_used, reason = "it is only for tests")]

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use ca_pool::{CaPool, PoolSource};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    command.current_dir(directory).env("KUBECONFIG", "/nonexistent").env("HOME", directory);
    command.arg("ca-pool").args(arguments).args(["--file", "pool.json"]).stdin(Stdio::null());
    command
}

pub(crate) fn signerctl(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

pub(crate) fn prints(directory: &Path, arguments: &[&str]) -> String {
    let output = signerctl(directory, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it complains of; nothing may have changed.
pub(crate) fn complains(directory: &Path, arguments: &[&str]) -> String {
    let before = fs::read(directory.join("pool.json")).unwrap();
    let output = signerctl(directory, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(fs::read(directory.join("pool.json")).unwrap(), before);
    String::from_utf8(output.stderr).unwrap()
}

pub(crate) fn load(directory: &Path) -> CaPool {
    PoolSource::PoolFile(directory.join("pool.json")).load().unwrap()
}

pub(crate) fn ids(pool: &CaPool) -> Vec<&str> {
    pool.authorities().map(ca_pool::CertificateAuthority::id).collect()
}

pub(crate) fn created() -> TempDir {
    let directory = TempDir::new().unwrap();
    prints(directory.path(), &["create", "--signer", "example.com/web", "--key-type", "ED25519"]);
    directory
}

pub(crate) fn rotated() -> TempDir {
    let directory = created();
    prints(directory.path(), &["rotate", "--max-lifetime", "24h", "--predecessor-max-lifetime", "24h"]);
    directory
}

/// Changes the document behind everybody's back.
pub(crate) fn doctor(directory: &Path, change: impl FnOnce(&mut Value)) {
    let file = directory.join("pool.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut document);
    fs::write(file, document.to_string()).unwrap();
}

/// As if the last CA had signed for that long.
pub(crate) fn let_time_pass(directory: &Path, hours: i64) {
    let from = Timestamp::now().checked_sub(SignedDuration::from_hours(hours)).unwrap();
    doctor(directory, |pool| {
        let last = pool["CAs"].as_array_mut().unwrap().last_mut().unwrap();
        last["SignsFrom"] = json!(from);
    });
}

/// What was printed, however its lines were broken.
pub(crate) fn unwrapped(printed: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(printed.as_ref()).split_whitespace().collect::<Vec<_>>().join(" ")
}

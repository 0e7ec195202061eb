//! `signerctl ca-pool rotate`, `import` and `prune` as their users run them, on files.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use signer_core::{CaPool, PoolSource, SigningKeyType};
use tempfile::TempDir;

fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    command.current_dir(directory).env("KUBECONFIG", "/nonexistent").env("HOME", directory);
    command.arg("ca-pool").args(arguments).args(["--file", "pool.json"]).stdin(Stdio::null());
    command
}

fn signerctl(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

fn prints(directory: &Path, arguments: &[&str]) -> String {
    let output = signerctl(directory, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it complains of; nothing may have changed.
fn complains(directory: &Path, arguments: &[&str]) -> String {
    let before = fs::read(directory.join("pool.json")).unwrap();
    let output = signerctl(directory, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(fs::read(directory.join("pool.json")).unwrap(), before);
    String::from_utf8(output.stderr).unwrap()
}

fn load(directory: &Path) -> CaPool {
    PoolSource::PoolFile(directory.join("pool.json")).load().unwrap()
}

fn ids(pool: &CaPool) -> Vec<&str> {
    pool.authorities().map(signer_core::CertificateAuthority::id).collect()
}

fn created() -> TempDir {
    let directory = TempDir::new().unwrap();
    prints(directory.path(), &["create", "--signer", "example.com/web", "--key-type", "ED25519"]);
    directory
}

fn rotated() -> TempDir {
    let directory = created();
    prints(directory.path(), &["rotate", "--max-lifetime", "24h", "--predecessor-max-lifetime", "24h"]);
    directory
}

/// Changes the document behind everybody's back.
fn doctor(directory: &Path, change: impl FnOnce(&mut Value)) {
    let file = directory.join("pool.json");
    let mut document: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut document);
    fs::write(file, document.to_string()).unwrap();
}

/// As if the last CA had signed for that long.
fn let_time_pass(directory: &Path, hours: i64) {
    let from = Timestamp::now().checked_sub(SignedDuration::from_hours(hours)).unwrap();
    doctor(directory, |pool| {
        let last = pool["CAs"].as_array_mut().unwrap().last_mut().unwrap();
        last["SignsFrom"] = json!(from);
    });
}

#[test]
fn a_rotation_adds_a_successor_that_signs_later_and_tells_what_happens_when() {
    let directory = rotated();
    let pool = load(directory.path());
    assert_eq!(ids(&pool), ["1", "2"]);
    let successor = pool.authority(1);
    assert_eq!(successor.key().key_type(), SigningKeyType::Ed25519);
    assert!(
        successor.root().subject().starts_with("CN=example.com/web CA 2 "),
        "{}",
        successor.root().subject()
    );
    let tenures = pool.tenures();
    let wait = tenures[1].signs_from.unwrap().duration_since(Timestamp::now()).as_secs();
    assert!((14 * 60..=16 * 60).contains(&wait), "{wait}");
    assert!(tenures.iter().all(|tenure| tenure.longest_leaf == Some(Duration::from_secs(86_400))));
    let shown = prints(directory.path(), &["show"]);
    for expected in [
        "CA 1 signs until",
        "then CA 2 does",
        "2 CAs, 2 trust anchors, generation 1",
        "prune --file pool.json",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let json: Value = serde_json::from_str(&prints(directory.path(), &["show", "--output", "json"])).unwrap();
    assert_eq!(
        (&json["generation"], &json["authorities"][1]["phase"]),
        (&json!(pool.generation()), &json!("trusted"))
    );
    assert!(json["authorities"][0]["canGoFrom"].is_string());
}

#[test]
fn what_would_break_something_is_refused() {
    let directory = rotated();
    for (arguments, message) in [
        (&["rotate"][..], "CA 2 waits for its turn"),
        (&["prune"], "nothing may go now: CA 1 can go from"),
        (&["prune", "--ca-id", "1"], "CA 1 can't go before"),
        (&["prune", "--ca-id", "7"], "the pool has no CA \"7\"; it has \"1\", \"2\""),
        (&["prune", "--ca-id", "1", "--force"], "nobody is there to ask"),
        (&["rotate", "--emergency"], "nobody is there to ask"),
        (&["rotate", "--emergency", "--compromised", "7"], "the pool has no CA \"7\""),
    ] {
        let error = complains(directory.path(), arguments);
        assert!(error.contains(message), "{message}: {error}");
    }
    let alone = created();
    for (arguments, message) in [
        (&["rotate", "--after", "5m"][..], "--after 5m is less than 15m"),
        (&["prune", "--ca-id", "1", "--force", "--yes"], "it is the only CA of pool.json"),
        (&["prune"], "each CA of the pool is needed"),
    ] {
        let error = complains(alone.path(), arguments);
        assert!(error.contains(message), "{message}: {error}");
    }
}

#[test]
fn misuse_ends_with_2() {
    let directory = created();
    for arguments in [
        &["rotate", "--force"][..],
        &["rotate", "--compromised", "1"],
        &["rotate", "--emergency", "--after", "1h"],
        &["rotate", "--max-lifetime", "5m"],
        &["rotate", "--max-lifetime", "2185h"],
        &["prune", "--force"],
        &["prune", "--ca-id", "1", "--yes"],
        &["import"],
        &["import", "--cert-file", "x"],
        &["import", "--root-file", "x"],
        &["import", "--from-secret", "name-alone"],
    ] {
        assert_eq!(signerctl(directory.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_ca_that_nothing_needs_any_more_is_removed() {
    let directory = rotated();
    let_time_pass(directory.path(), 49);
    assert!(
        prints(directory.path(), &["show"])
            .contains("To do: CA 1 is of no use any more: signerctl ca-pool prune --file")
    );
    let report = prints(directory.path(), &["prune"]);
    assert!(report.starts_with("CA 1 has left CA pool pool.json\n"), "{report}");
    assert_eq!(ids(&load(directory.path())), ["2"]);
}

#[test]
fn a_rotation_is_taken_back_by_force() {
    let directory = rotated();
    let output = signerctl(directory.path(), &["prune", "--ca-id", "2", "--force", "--yes"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("It never signs then."), "{output:?}");
    let pool = load(directory.path());
    assert_eq!(ids(&pool), ["1"]);
}

#[test]
fn in_an_emergency_the_compromised_ca_leaves_at_once() {
    let directory = created();
    let output = signerctl(directory.path(), &["rotate", "--emergency", "--yes", "--max-lifetime", "24h"]);
    assert!(output.status.success(), "{output:?}");
    let warning = String::from_utf8_lossy(&output.stderr);
    assert!(warning.contains("EMERGENCY: CA 1 will leave") && warning.contains("until when"), "{warning}");
    let pool = load(directory.path());
    assert_eq!(ids(&pool), ["2"]);
    assert!(pool.tenures()[0].signs_from.unwrap() <= Timestamp::now());

    let waiting = rotated();
    assert!(signerctl(waiting.path(), &["rotate", "--emergency", "--yes"]).status.success());
    let pool = load(waiting.path());
    assert_eq!(ids(&pool), ["2"], "the one that waits takes over");
    assert!(pool.tenures()[0].signs_from.unwrap() <= Timestamp::now());
}

#[test]
fn people_who_rotate_at_once_lose_nothing() {
    let directory = created();
    let all: Vec<_> = (0..6)
        .map(|_| {
            command(directory.path(), &["rotate"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let ended: Vec<Output> = all.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let (done, refused): (Vec<_>, Vec<_>) = ended.iter().partition(|output| output.status.success());
    assert_eq!(done.len(), 1);
    for output in refused {
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains("CA 2 waits for its turn") || error.contains("changes faster"), "{error}");
    }
    let pool = load(directory.path());
    assert_eq!(ids(&pool), ["1", "2"]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "a draft is left behind");
}

#[test]
fn one_who_rotates_and_one_who_prunes_both_get_their_way() {
    for _ in 0..4 {
        let directory = rotated();
        let_time_pass(directory.path(), 49);
        let both = ["rotate", "prune"]
            .map(|what| command(directory.path(), &[what]).stdout(Stdio::null()).spawn().unwrap());
        for mut child in both {
            assert!(child.wait().unwrap().success());
        }
        let pool = load(directory.path());
        assert_eq!(ids(&pool), ["2", "3"]);
    }
}

#[test]
fn a_file_keeps_its_mode_and_a_link_its_target() {
    let directory = created();
    let target = directory.path().join("target.json");
    fs::rename(directory.path().join("pool.json"), &target).unwrap();
    symlink("target.json", directory.path().join("pool.json")).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    prints(directory.path(), &["rotate"]);
    assert!(fs::symlink_metadata(directory.path().join("pool.json")).unwrap().is_symlink());
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(ids(&load(directory.path())), ["1", "2"]);
}

#[test]
fn fields_that_are_unknown_here_stay() {
    let directory = created();
    doctor(directory.path(), |pool| {
        pool["Later"] = json!({"a": 1});
        pool["CAs"][0]["LaterToo"] = json!("x");
    });
    prints(directory.path(), &["rotate"]);
    let document: Value =
        serde_json::from_slice(&fs::read(directory.path().join("pool.json")).unwrap()).unwrap();
    assert_eq!((&document["Later"]["a"], &document["CAs"][0]["LaterToo"]), (&json!(1), &json!("x")));
}

#[test]
fn colours_are_for_terminals() {
    let directory = rotated();
    assert!(!prints(directory.path(), &["show"]).contains('\x1b'));
}

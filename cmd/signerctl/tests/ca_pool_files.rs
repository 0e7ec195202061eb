//! What becomes of a pool's file when it is changed, and when several people change it.

mod pool_file;

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::{Output, Stdio},
};

use pool_file::{command, created, doctor, ids, let_time_pass, load, prints, rotated};
use serde_json::{Value, json};

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
        assert!(error.contains("CA 2 is prepared") || error.contains("changes faster"), "{error}");
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

/// A directory can't be locked where files are on NFS, and a file only if it is open for writing:
#[test]
fn the_file_itself_is_locked() {
    let directory = created();
    let path = directory.path().join("pool.json");
    let held = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    held.lock().unwrap();
    let mut waits =
        command(directory.path(), &["rotate"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(waits.try_wait().unwrap().is_none(), "it doesn't wait for the lock");
    drop(held);
    assert!(waits.wait().unwrap().success());
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

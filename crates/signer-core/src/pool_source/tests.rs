//! Pools that are read from files, and that follow them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use ca_pool::{CaPool, PoolSource, testing::TestCa};

use super::{PoolState, watch_pool, watch_pool_by};

const POLL: Duration = Duration::from_millis(5);

/// For what takes moments, on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(180);

fn json(ca: &TestCa) -> Vec<u8> {
    CaPool::new(vec![ca.authority(&[], ca)]).unwrap().to_json().unwrap().to_vec()
}

fn pool_file(directory: &TempDir) -> (std::path::PathBuf, PoolSource) {
    let path = directory.path().join("pool.json");
    (path.clone(), PoolSource::PoolFile(path))
}

fn subject(state: &PoolState) -> Option<String> {
    state.pool.as_ref().map(|pool| pool.signing().root().subject())
}

/// Follows a source, for as long as the handle lives.
fn follow(source: PoolSource) -> (watch::Receiver<PoolState>, JoinHandle<()>) {
    let (state, follow) = watch_pool(source, POLL);
    (state, tokio::spawn(follow))
}

async fn until(state: &mut watch::Receiver<PoolState>, wanted: impl FnMut(&PoolState) -> bool) -> PoolState {
    let seen = timeout(SOON, state.wait_for(wanted)).await;
    seen.expect("it never came").expect("the task ended").clone()
}

#[test]
fn missing_file_says_how_to_make_it() {
    let error = PoolSource::PoolFile("/nowhere/pool.json".into()).load().unwrap_err().to_string();
    assert_eq!(
        error,
        "/nowhere/pool.json doesn't exist; make one with `signerctl ca-pool create --file /nowhere/pool.json`, or mount the Secret that holds it"
    );
    let files =
        PoolSource::PemFiles { cert: "/nowhere/tls.crt".into(), key: "/nowhere/tls.key".into(), root: None };
    let error = files.load().unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/tls.crt doesn't exist; mount the Secret"), "{error}");
}

#[test]
fn what_is_no_file_or_too_long_is_refused_before_it_is_read() {
    let directory = TempDir::new().unwrap();
    let error = PoolSource::PoolFile(directory.path().into()).read().unwrap_err().to_string();
    assert!(error.ends_with("is not a regular file; give the path of a file"), "{error}");
    let (path, source) = pool_file(&directory);
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = source.read().unwrap_err().to_string();
    assert!(error.contains("has more than 1048576 bytes"), "{error}");
}

#[test]
fn bad_content_names_the_files() {
    let directory = TempDir::new().unwrap();
    let (path, source) = pool_file(&directory);
    fs::write(&path, b"{").unwrap();
    let error = source.load().unwrap_err().to_string();
    assert!(error.starts_with(&format!("CA pool {}: the pool is not a CA pool", path.display())), "{error}");
}

#[test]
fn pem_files_load() {
    let (directory, root) = (TempDir::new().unwrap(), TestCa::root("root"));
    let issuing = root.issue("issuing");
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let source = PoolSource::PemFiles {
        cert: write("tls.crt", issuing.certificate().to_pem()),
        key: write("tls.key", issuing.key_pem()),
        root: Some(write("ca.crt", root.certificate().to_pem())),
    };
    assert_eq!(source.load().unwrap().roots()[0].der(), root.der());
    assert!(format!("{:?}", source.read().unwrap()).len() < 20, "bytes of a pool don't print");
    let shown = source.to_string();
    assert!(shown.contains("certFile") && shown.contains("tls.key") && shown.contains("rootFile"), "{shown}");
}

#[tokio::test]
async fn pool_appears_changes_and_outlives_its_file() {
    let directory = TempDir::new().unwrap();
    let (path, source) = pool_file(&directory);
    let (mut state, _task) = follow(source);
    let missing = until(&mut state, |state| state.problem.is_some()).await;
    assert!(missing.pool.is_none() && missing.problem.unwrap().contains("signerctl ca-pool create"));

    fs::write(&path, json(&TestCa::root("first"))).unwrap();
    let first = until(&mut state, |state| state.pool.is_some()).await;
    assert_eq!((subject(&first).unwrap().as_str(), &first.problem), ("CN=first", &None));

    fs::write(&path, &json(&TestCa::root("half"))[..100]).unwrap();
    let half = until(&mut state, |state| state.problem.is_some()).await;
    assert_eq!(subject(&half).unwrap(), "CN=first");
    assert!(half.problem.unwrap().contains("it ends too early"));

    fs::write(&path, json(&TestCa::root("second"))).unwrap();
    let second = until(&mut state, |state| state.problem.is_none()).await;
    assert_eq!(subject(&second).unwrap(), "CN=second");

    fs::remove_file(&path).unwrap();
    let gone = until(&mut state, |state| state.problem.is_some()).await;
    assert_eq!(subject(&gone).unwrap(), "CN=second");
    assert!(gone.problem.unwrap().contains("doesn't exist"));
}

#[tokio::test]
async fn same_content_after_a_problem_clears_it() {
    let (directory, root) = (TempDir::new().unwrap(), TestCa::root("root"));
    let (path, source) = pool_file(&directory);
    for damage in [None, Some(&b"{"[..])] {
        fs::write(&path, json(&root)).unwrap();
        let (mut state, _task) = follow(source.clone());
        until(&mut state, |state| state.pool.is_some()).await;
        match damage {
            None => fs::remove_file(&path).unwrap(),
            Some(damage) => fs::write(&path, damage).unwrap(),
        }
        until(&mut state, |state| state.problem.is_some()).await;
        fs::write(&path, json(&root)).unwrap();
        let mended = until(&mut state, |state| state.problem.is_none()).await;
        assert_eq!(subject(&mended).unwrap(), "CN=root");
    }
}

#[tokio::test]
async fn unchanged_files_are_no_news() {
    let directory = TempDir::new().unwrap();
    let (path, source) = pool_file(&directory);
    fs::write(&path, json(&TestCa::root("root"))).unwrap();
    let (mut state, _task) = follow(source);
    until(&mut state, |state| state.pool.is_some()).await;
    state.mark_unchanged();
    tokio::time::sleep(POLL * 10).await;
    assert!(!state.has_changed().unwrap());
}

/// Kubelet's way to change a Secret: new files in a new directory, and a link that is swapped.
#[tokio::test]
async fn swap_of_a_mounted_secret_is_seen_whole() {
    let directory = TempDir::new().unwrap();
    let version = |name: &str, ca: &TestCa| {
        let version = directory.path().join(name);
        fs::create_dir(&version).unwrap();
        fs::write(version.join("tls.crt"), ca.certificate().to_pem()).unwrap();
        fs::write(version.join("tls.key"), ca.key_pem()).unwrap();
    };
    let point = |name: &str| {
        symlink(name, directory.path().join("..data.new")).unwrap();
        fs::rename(directory.path().join("..data.new"), directory.path().join("..data")).unwrap();
    };
    version("v1", &TestCa::root("v1"));
    version("v2", &TestCa::root("v2"));
    point("v1");
    let file = |name: &str| directory.path().join(Path::new("..data")).join(name);
    let (mut state, _task) =
        follow(PoolSource::PemFiles { cert: file("tls.crt"), key: file("tls.key"), root: None });
    until(&mut state, |state| subject(state).as_deref() == Some("CN=v1")).await;
    for name in ["v2", "v1", "v2", "v1", "v2"] {
        point(name);
        let wanted = format!("CN={name}");
        let seen = until(&mut state, |state| subject(state).as_ref() == Some(&wanted)).await;
        assert_eq!(seen.problem, None);
    }
}

#[tokio::test]
async fn task_ends_with_its_last_receiver() {
    let (state, task) = follow(PoolSource::PoolFile("/nowhere/pool.json".into()));
    drop(state);
    timeout(SOON, task).await.expect("it goes on").unwrap();
}

/// A certificate that was renewed ahead of its time stands beside the one that is still good: without a
/// change of the file, each signs while it is valid.
#[tokio::test]
async fn a_path_that_becomes_valid_is_taken_without_a_change_of_the_file() {
    let directory = TempDir::new().unwrap();
    let now = TestCa::root_with("root", |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    });
    let later = now.renewed(|params| {
        params.not_before = rcgen::date_time_ymd(2029, 6, 1);
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
    });
    let (cert, key) = (directory.path().join("tls.crt"), directory.path().join("tls.key"));
    fs::write(&cert, later.certificate().to_pem() + &now.certificate().to_pem()).unwrap();
    fs::write(&key, now.key_pem()).unwrap();
    let time = Arc::new(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let clock = Arc::clone(&time);
    let source = PoolSource::PemFiles { cert, key, root: None };
    let (mut state, follow) = watch_pool_by(source, POLL, move || Some(*clock.lock().unwrap()));
    let following = tokio::spawn(follow);
    let end = |state: &PoolState| state.pool.as_ref().map(|pool| pool.signing().not_after().to_string());
    let seen = until(&mut state, |state| state.pool.is_some()).await;
    assert_eq!(end(&seen).as_deref(), Some("2030-01-01T00:00:00Z"));
    *time.lock().unwrap() = "2029-06-02T00:00:00Z".parse().unwrap();
    until(&mut state, |state| end(state).as_deref() == Some("2040-01-01T00:00:00Z")).await;
    // the clock was ahead
    *time.lock().unwrap() = "2029-05-31T00:00:00Z".parse().unwrap();
    until(&mut state, |state| end(state).as_deref() == Some("2030-01-01T00:00:00Z")).await;
    following.abort();
}

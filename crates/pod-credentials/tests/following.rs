//! Files that change as kubelet changes them.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use pod_credentials::{CredentialFiles, Credentials, Look, TrustBundle, TrustFile, Watched};
use test_cluster::pod_volume::{Ca, Volume};

const BUNDLE: &str = "credentials.pem";
const HOUR: Duration = Duration::from_secs(3600);

fn watch(volume: &Volume) -> Watched<Credentials> {
    Watched::once(CredentialFiles::bundle(volume.path(BUNDLE)), SystemTime::now())
}

fn look(watched: &Watched<Credentials>) -> Look {
    watched.look(SystemTime::now())
}

fn name(watched: &Watched<Credentials>) -> String {
    watched.current().unwrap().leaf().names().join(",")
}

fn problem(watched: &Watched<Credentials>) -> String {
    watched.status().problem.map(|problem| problem.to_string()).unwrap_or_default()
}

#[test]
fn a_program_may_start_before_its_files_are_there() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    let watched = watch(&volume);
    assert!(watched.current().is_none());
    let error = watched.ready().unwrap_err().to_string();
    assert!(error.contains(BUNDLE) && error.contains("no such file"), "{error}");
    volume.write([(BUNDLE, ca.dns("a").bundle())]);
    assert_eq!(look(&watched), Look::Changed);
    assert_eq!(name(&watched), "a");
    let status = watched.status();
    assert!(status.problem.is_none() && status.renewals == 0 && status.since.is_some());
}

#[test]
fn a_swap_of_the_symlink_is_a_renewal() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("a").bundle())]);
    let watched = watch(&volume);
    assert_eq!(look(&watched), Look::Unchanged);
    volume.write([(BUNDLE, ca.dns("b").bundle())]);
    assert_eq!(look(&watched), Look::Changed);
    assert_eq!((name(&watched), watched.status().renewals), ("b".into(), 1));
    assert_eq!(look(&watched), Look::Unchanged);
}

#[test]
fn the_same_files_in_a_new_folder_are_no_renewal() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    let leaf = ca.dns("a");
    let (key, chain) = (leaf.key(), leaf.chain());
    volume.write([(BUNDLE, format!("{key}{chain}"))]);
    let watched = watch(&volume);
    for same in [format!("{key}{chain}"), format!("{chain}\n{key}\n")] {
        volume.write([(BUNDLE, same)]);
        assert_eq!(look(&watched), Look::Unchanged);
    }
    assert_eq!(watched.status().renewals, 0);
}

#[test]
fn whatever_goes_wrong_the_last_good_one_stays_in_use() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("good").bundle())]);
    let watched = watch(&volume);
    let expired = ca.dns("b").valid(SystemTime::now() - Duration::from_secs(7200), Duration::from_secs(3600));
    let whole = ca.dns("b").bundle();
    for (content, said) in [
        (whole[..whole.len() / 3].to_owned(), "no complete PEM"),
        (ca.root(), "no private key"),
        (expired.bundle(), "expired"),
        (ca.dns("b").key() + &ca.dns("b").chain(), "isn't that of the private key"),
    ] {
        volume.write([(BUNDLE, content)]);
        assert_eq!(look(&watched), Look::Problem);
        assert_eq!(look(&watched), Look::Unchanged, "the same problem is said once");
        assert!(problem(&watched).contains(said), "{}", problem(&watched));
        assert_eq!(name(&watched), "good");
    }
    fs::remove_file(volume.path("..data")).unwrap();
    assert_eq!(look(&watched), Look::Problem);
    assert!(problem(&watched).contains("no such file") && name(&watched) == "good");
    volume.write([(BUNDLE, ca.dns("better").bundle())]);
    assert_eq!(look(&watched), Look::Changed);
    assert_eq!((problem(&watched), name(&watched)), (String::new(), "better".into()));
}

#[test]
fn a_mend_to_what_is_in_use_is_no_renewal() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    let good = ca.dns("good").bundle();
    volume.write([(BUNDLE, good.clone())]);
    let watched = watch(&volume);
    volume.write([(BUNDLE, "broken".into())]);
    assert_eq!(look(&watched), Look::Problem);
    volume.write([(BUNDLE, good)]);
    assert_eq!(look(&watched), Look::Unchanged);
    assert_eq!((problem(&watched), watched.status().renewals), (String::new(), 0));
}

#[test]
fn a_certificate_that_expires_in_use_is_a_problem_and_stays() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("a").bundle())]);
    let watched = watch(&volume);
    let later = SystemTime::now() + Duration::from_secs(7200);
    assert_eq!(watched.look(later), Look::Problem);
    assert!(problem(&watched).contains("expired") && name(&watched) == "a");
    assert_eq!(watched.look(later), Look::Unchanged);
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_in_use_and_a_problem() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    let soon = SystemTime::now() + Duration::from_secs(300);
    volume.write([(BUNDLE, ca.dns("a").valid(soon, Duration::from_secs(3600)).bundle())]);
    let watched = watch(&volume);
    assert!(name(&watched) == "a" && problem(&watched).contains("clock slow"), "{:?}", watched.status());
    assert_eq!(look(&watched), Look::Unchanged);
    assert!(problem(&watched).contains("clock slow"));
    // a renewal is taken too: the one before may have expired by the peers' clocks
    volume.write([(BUNDLE, ca.dns("b").valid(soon + HOUR, HOUR).bundle())]);
    assert_eq!((look(&watched), name(&watched)), (Look::Changed, "b".into()));
    assert!(problem(&watched).contains("clock slow"));
    assert_eq!(watched.look(soon + HOUR + Duration::from_secs(1)), Look::Unchanged);
    assert_eq!((problem(&watched), watched.status().renewals), (String::new(), 1));
}

#[test]
fn each_look_leaves_its_time() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("a").bundle())]);
    let watched = watch(&volume);
    for (seconds, content) in [(1, ca.dns("a").bundle()), (2, "broken".into()), (3, "broken".into())] {
        volume.write([(BUNDLE, content)]);
        let now = SystemTime::now() + Duration::from_secs(seconds);
        watched.look(now);
        assert_eq!(watched.status().last_checked, Some(now));
    }
}

#[test]
fn a_certificate_that_is_no_anchor_is_a_problem_and_the_others_are_in_use() {
    let volume = Volume::new();
    let [a, b] = ["a", "b"].map(|name| Ca::new(name).root());
    let none = Ca::new("c").dns("web.shop.svc").common_name("web").chain();
    volume.write([("roots.pem", a.clone())]);
    let watched: Watched<TrustBundle> =
        Watched::once(TrustFile::new(volume.path("roots.pem")), SystemTime::now());
    let state = || {
        let look = watched.look(SystemTime::now());
        let status = watched.status();
        let problem = status.problem.map(|problem| problem.to_string()).unwrap_or_default();
        let bundle = status.current.unwrap();
        (look, bundle.anchors().len(), bundle.skipped().len(), problem, status.renewals)
    };
    volume.write([("roots.pem", format!("{a}{none}{b}"))]);
    let (look, anchors, skipped, problem, renewals) = state();
    assert_eq!((look, anchors, skipped, renewals), (Look::Changed, 2, 1, 1));
    assert!(
        problem.contains("1 of its certificates") && problem.contains("certificate 2 (CN=web)"),
        "{problem}"
    );
    // as kubelet shuffles them
    volume.write([("roots.pem", format!("{none}{b}{a}"))]);
    let (look, anchors, skipped, problem, renewals) = state();
    assert_eq!((look, anchors, skipped, renewals), (Look::Unchanged, 2, 1, 1));
    assert!(problem.contains("certificate 1 (CN=web)"), "{problem}");
    volume.write([("roots.pem", none)]);
    let (look, anchors, ..) = state();
    assert_eq!((look, anchors), (Look::Problem, 2));
    volume.write([("roots.pem", format!("{b}{a}"))]);
    assert_eq!(state(), (Look::Unchanged, 2, 0, String::new(), 1));
}

#[test]
fn separate_files_are_taken_once_they_fit() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    let (old, new) = (ca.dns("old"), ca.dns("new"));
    volume.write([("key.pem", old.key()), ("chain.pem", old.chain())]);
    let files = CredentialFiles::key_and_chain(volume.path("key.pem"), volume.path("chain.pem"));
    let watched = Watched::once(files, SystemTime::now());
    // as if kubelet had swapped between the two reads
    volume.write([("key.pem", old.key()), ("chain.pem", new.chain())]);
    assert_eq!((look(&watched), name(&watched)), (Look::Problem, "old".into()));
    volume.write([("key.pem", new.key()), ("chain.pem", new.chain())]);
    assert_eq!((look(&watched), name(&watched)), (Look::Changed, "new".into()));
}

#[test]
fn shuffled_anchors_are_no_change_and_new_ones_are() {
    let volume = Volume::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| Ca::new(name).root());
    volume.write([("roots.pem", format!("{a}{b}"))]);
    let watched: Watched<TrustBundle> =
        Watched::once(TrustFile::new(volume.path("roots.pem")), SystemTime::now());
    volume.write([("roots.pem", format!("{b}\n{a}"))]);
    assert_eq!(watched.look(SystemTime::now()), Look::Unchanged);
    assert_eq!(watched.status().renewals, 0);
    volume.write([("roots.pem", format!("{b}{c}{a}"))]);
    assert_eq!(watched.look(SystemTime::now()), Look::Changed);
    assert_eq!((watched.current().unwrap().anchors().len(), watched.status().renewals), (3, 1));
}

#[test]
fn a_thread_follows_until_nobody_is_left() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    let files = CredentialFiles::bundle(volume.path(BUNDLE));
    let watched: Watched<Credentials> = Watched::follow(files, Duration::from_millis(5)).unwrap();
    let clone = watched.clone();
    drop(watched);
    for expected in ["a", "b"] {
        volume.write([(BUNDLE, ca.dns(expected).bundle())]);
        let end = Instant::now() + Duration::from_secs(180);
        while clone.current().is_none_or(|current| current.leaf().dns_names != [expected]) {
            assert!(Instant::now() < end, "{:?}", clone.status());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_hook_hears_of_each_change_and_may_look_at_the_status() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([(BUNDLE, ca.dns("a").bundle())]);
    let watched = Watched::once(CredentialFiles::bundle(volume.path(BUNDLE)), SystemTime::now());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (sink, status) = (Arc::clone(&heard), watched.clone());
    watched.on_change(move |new| {
        sink.lock().unwrap().push((new.leaf().names().join(","), status.status().renewals));
    });
    look(&watched);
    assert!(heard.lock().unwrap().is_empty(), "nothing has changed");
    for name in ["b", "c"] {
        volume.write([(BUNDLE, ca.dns(name).bundle())]);
        look(&watched);
    }
    volume.write([(BUNDLE, "nonsense".to_owned())]);
    look(&watched);
    assert_eq!(*heard.lock().unwrap(), [("b".to_owned(), 1), ("c".to_owned(), 2)]);
}

#[test]
fn what_is_followed_is_inferred_and_a_hook_that_panics_ends_nothing() {
    let (volume, ca) = (Volume::new(), Ca::new("test"));
    volume.write([("roots.pem", ca.root())]);
    let watched =
        Watched::follow(TrustFile::new(volume.path("roots.pem")), Duration::from_millis(5)).unwrap();
    watched.on_change(|_| panic!("a bug in a hook"));
    for others in [Ca::new("second"), Ca::new("third")] {
        volume.write([("roots.pem", format!("{}{}", ca.root(), others.root()))]);
        let renewals = watched.status().renewals;
        let began = Instant::now();
        while watched.status().renewals == renewals {
            assert!(began.elapsed() < Duration::from_secs(60), "it doesn't follow any more");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

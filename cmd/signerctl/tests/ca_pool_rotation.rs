//! `signerctl ca-pool rotate` and `prune` as their users run them, on files.

mod pool_file;

use std::time::Duration;

use ca_pool::SigningKeyType;
use jiff::{SignedDuration, Timestamp};
use pool_file::{complains, created, doctor, ids, let_time_pass, load, prints, rotated, signerctl};
use serde_json::{Value, json};
use tempfile::TempDir;

#[test]
fn a_rotation_adds_a_successor_that_signs_later_and_tells_what_happens_when() {
    let before = Timestamp::now();
    let directory = rotated();
    let after = Timestamp::now();
    let pool = load(directory.path());
    assert_eq!(ids(&pool), ["1", "2"]);
    let successor = pool.authority(1);
    assert_eq!(successor.key().key_type(), SigningKeyType::Ed25519);
    assert!(
        successor.root().subject().starts_with("CN=example.com/web CA 2 "),
        "{}",
        successor.root().subject()
    );
    let schedule = pool.schedule();
    // a quarter of an hour later, at a whole minute
    let signs_from = schedule.windows()[1].from.unwrap();
    let minutes = |count: i64| SignedDuration::from_mins(count);
    assert!((before + minutes(15)..=after + minutes(16)).contains(&signs_from), "{signs_from}");
    let day = Some(Duration::from_secs(86_400));
    assert!(schedule.windows().iter().all(|window| window.max_leaf_lifetime == day));
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
        (&["rotate"][..], "CA 2 is prepared"),
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
fn a_takeover_never_leaves_a_time_in_which_nobody_can_sign() {
    let directory = TempDir::new().unwrap();
    prints(directory.path(), &["create", "--key-type", "ED25519", "--validity", "240h"]);
    let error = complains(directory.path(), &["rotate", "--after", "720h"]);
    assert!(error.contains("--after 720h is too late: CA 1 ends at"), "{error}");
    let (_, latest) = error.split_once("The latest that works is --after ").unwrap();
    prints(directory.path(), &["rotate", "--after", latest.split(';').next().unwrap()]);

    // as older versions of signerctl did it
    let late = Timestamp::now() + Duration::from_secs(720 * 3600);
    doctor(directory.path(), |pool| pool["CAs"][1]["SignsFrom"] = json!(late));
    let report: Value =
        serde_json::from_str(&prints(directory.path(), &["show", "--output", "json"])).unwrap();
    assert_eq!(report["warnings"], json!([]));
    let until = |ca: &Value, field: &str| -> Timestamp { ca[field].as_str().unwrap().parse().unwrap() };
    let (first, second) = (&report["authorities"][0], &report["authorities"][1]);
    assert_eq!(until(second, "signsFrom"), until(first, "notAfter") - Duration::from_secs(3600));
}

#[test]
fn what_is_wrong_with_a_new_ca_is_said_at_once() {
    let directory = created();
    let report = prints(directory.path(), &["rotate", "--validity", "2h"]);
    assert!(report.contains("To do: CA 2 ends at"), "{report}");
}

#[test]
fn a_lifetime_that_is_recorded_already_is_not_passed_over() {
    let directory = rotated();
    let_time_pass(directory.path(), 49);
    let error = complains(directory.path(), &["rotate", "--predecessor-max-lifetime", "1h"]);
    assert!(error.contains("--predecessor-max-lifetime would have no effect"), "{error}");
}

#[test]
fn misuse_ends_with_2() {
    let directory = created();
    for arguments in [
        &["rotate", "--force"][..],
        &["rotate", "--compromised", "1"],
        &["rotate", "--emergency", "--after", "1h"],
        &["rotate", "--emergency", "--predecessor-max-lifetime", "24h"],
        &["rotate", "--yes"],
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
    assert_eq!(pool.schedule().active(Timestamp::now()), Some(0));

    let waiting = rotated();
    assert!(signerctl(waiting.path(), &["rotate", "--emergency", "--yes"]).status.success());
    let pool = load(waiting.path());
    assert_eq!(ids(&pool), ["2"], "the one that waits takes over");
    assert_eq!(pool.schedule().active(Timestamp::now()), Some(0));
}

#[test]
fn a_clock_that_is_behind_is_refused() {
    let directory = rotated();
    let tomorrow = Timestamp::now().checked_add(Duration::from_secs(24 * 3600)).unwrap();
    doctor(directory.path(), |pool| pool["Generation"] = json!(tomorrow.as_second()));
    for arguments in [&["rotate"][..], &["prune"], &["rotate", "--emergency", "--yes"]] {
        let error = complains(directory.path(), arguments);
        assert!(error.contains("this machine's clock says") && error.contains("pool.json shows"), "{error}");
    }
    let shown = prints(directory.path(), &["show"]);
    assert!(shown.contains("To do: this machine's clock says"), "{shown}");
}

#[test]
fn colours_are_for_terminals() {
    let directory = rotated();
    assert!(!prints(directory.path(), &["show"]).contains('\x1b'));
}

#[test]
fn the_trust_domain_of_a_root_is_passed_on() {
    let directory = TempDir::new().unwrap();
    prints(
        directory.path(),
        &["create", "--signer", "example.com/spiffe", "--trust-domain", "prod.example.com"],
    );
    let_time_pass(directory.path(), 1);
    prints(directory.path(), &["rotate"]);
    let pool = load(directory.path());
    for root in pool.roots() {
        let uris: Vec<String> = root.uris().iter().map(ToString::to_string).collect();
        assert_eq!(uris, ["spiffe://prod.example.com"], "{}", root.subject());
    }
    assert_eq!(pool.roots().len(), 2);
    let elsewhere = TempDir::new().unwrap();
    let output = signerctl(elsewhere.path(), &["create", "--trust-domain", "spiffe://prod.example.com"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("is not a valid trust domain"), "{error}");
}

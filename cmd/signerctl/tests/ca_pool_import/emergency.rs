//! CAs that take the place of a compromised one.

use tempfile::TempDir;

use crate::{complains, ids, import, intermediate, load, signerctl};

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
    assert!(
        warning.contains("CA 1 and CA 2 will leave CA pool pool.json and the trust bundle"),
        "{output:?}"
    );
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("CA 1 and CA 2 have left"), "{output:?}");
    assert_eq!(load(directory).roots()[0].subject(), "CN=other");
}

/// What it complains of; nothing may have changed.

#[test]
fn in_an_emergency_a_given_ca_is_taken_or_refused_but_never_ignored() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "other", "third");
    assert!(signerctl(directory, &["create"]).status.success());
    assert!(signerctl(directory, &["rotate"]).status.success());
    for (compromised, stands) in
        [("1", "CA 2 signs, as it is prepared already"), ("2", "CA 1 signs, as it signs already")]
    {
        let emergency = ["--emergency", "--compromised", compromised, "--yes"];
        for (command, option) in [
            (&["import", "--cert-file", "none.pem", "--key-file", "none.key"][..], "--cert-file"),
            (
                &[
                    "import",
                    "--cert-file",
                    "third.pem",
                    "--key-file",
                    "third.key",
                    "--root-file",
                    "other.pem",
                ],
                "--cert-file",
            ),
            (&["rotate", "--key-type", "ED25519"], "--key-type"),
            (&["rotate", "--validity", "87600h", "--subject-cn", "CA"], "--validity, --subject-cn"),
            (&["rotate", "--ca-id", "9", "--max-lifetime", "24h"], "--ca-id, --max-lifetime"),
        ] {
            let error = complains(directory, &[command, &emergency].concat());
            assert!(
                error.contains(&format!("{option} would have no effect")) && error.contains(stands),
                "{error}"
            );
        }
    }
    let third = ["import", "--cert-file", "third.pem", "--key-file", "third.key", "--root-file", "other.pem"];
    assert!(signerctl(directory, &["prune", "--ca-id", "2", "--force", "--yes"]).status.success());
    let output = signerctl(directory, &[&third[..], &["--emergency", "--yes"]].concat());
    assert!(output.status.success(), "{output:?}");
    assert_eq!(load(directory).signing().issuer().subject(), "CN=third");
}

#[test]
fn unknown_anchors_are_revoked_unless_they_are_to_stay() {
    for (option, revokes) in [(None, true), (Some("--keep"), false)] {
        let directory = TempDir::new().unwrap();
        let directory = directory.path();
        assert!(signerctl(directory, &["create"]).status.success());
        let arguments: Vec<&str> = ["rotate", "--emergency", "--yes"].into_iter().chain(option).collect();
        let output = signerctl(directory, &arguments);
        let told = String::from_utf8_lossy(&output.stderr).contains("that no CA of the pool has");
        assert_eq!((load(directory).revokes_unknown_anchors(), told), (revokes, revokes), "{output:?}");
    }
}

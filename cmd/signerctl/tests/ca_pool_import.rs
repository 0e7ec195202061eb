//! `signerctl ca-pool import` as its users run it: CAs that OpenSSL made.

#![allow(clippy::unwrap_used, reason = "tests may; their other functions too")]

mod pool_file;

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use pool_file::unwrapped;
use signer_core::{
    CaPool, CertificateAuthority, NewRoot, PoolSource, SerialNumber, SigningKey, SigningKeyType,
};
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
fn an_intermediate_is_followed_by_a_root_only_where_that_is_said_in_so_many_words() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "offline", "first");
    assert!(import(directory, "first", "offline", &["--max-lifetime", "24h"]).status.success());
    let shown = unwrapped(&signerctl(directory, &["show"]).stdout);
    let due = "time to replace CA 1 (an intermediate under CN=offline): signerctl ca-pool import --file pool.json --cert-file <PATH> ";
    assert!(shown.contains(due) && !shown.contains("ca-pool rotate"), "{shown}");
    let refused = signerctl(directory, &["rotate"]);
    let error = unwrapped(&refused.stderr);
    assert!(!refused.status.success() && error.contains("whoever trusts CN=offline alone"), "{error}");
    assert!(error.contains("add --self-signed"), "{error}");
    assert_eq!(ids(&load(directory)), ["1"]);
    let rotated = signerctl(directory, &["rotate", "--self-signed"]);
    let said = unwrapped(&rotated.stdout);
    assert!(said.contains("CA 2 is a root itself, and not under CN=offline"), "{rotated:?}");
    let pool = load(directory);
    assert!(pool.authority(0).is_intermediate() && !pool.authority(1).is_intermediate());
    let shown = unwrapped(&signerctl(directory, &["show"]).stdout);
    assert!(shown.contains("time to replace CA 2: signerctl ca-pool rotate"), "{shown}");
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
    let said = "Limits permits DNS:corp.example.com, subjects that begin with O=Example alone; excludes URI:.example.com; for serverAuth alone";
    let import = ["import", "--cert-file", "limited.pem", "--key-file", "limited.key"];
    let to_new = [&["ca-pool"], &import[..], &["--file", "new.json"]].concat();
    let new = run(directory, env!("CARGO_BIN_EXE_signerctl"), &to_new);
    assert!(unwrapped(&new.stdout).contains(said), "{new:?}");
    assert!(self::import(directory, "first", "offline", &[]).status.success());
    let added = signerctl(directory, &import);
    assert!(unwrapped(&added.stdout).contains(said), "{added:?}");
    let shown = signerctl(directory, &["show"]);
    assert!(unwrapped(&shown.stdout).contains(said), "{shown:?}");
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
    assert!(
        warning.contains("CA 1 and CA 2 will leave CA pool pool.json and the trust bundle"),
        "{output:?}"
    );
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("CA 1 and CA 2 have left"), "{output:?}");
    assert_eq!(load(directory).roots()[0].subject(), "CN=other");
}

/// What it complains of; nothing may have changed.
fn complains(directory: &Path, arguments: &[&str]) -> String {
    let pool = || fs::read(directory.join("pool.json")).ok();
    let before = pool();
    let output = signerctl(directory, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(pool(), before);
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn in_an_emergency_a_given_ca_is_taken_or_refused_but_never_ignored() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "other", "third");
    assert!(signerctl(directory, &["create"]).status.success());
    assert!(signerctl(directory, &["rotate"]).status.success());
    for (compromised, stands) in
        [("1", "CA 2 signs, as it waits for its turn"), ("2", "CA 1 signs, as it signs already")]
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
fn the_first_ca_is_imported_with_its_options() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "offline", "first");
    let error = complains(
        directory,
        &[
            "import",
            "--cert-file",
            "first.pem",
            "--key-file",
            "first.key",
            "--root-file",
            "offline.pem",
            "--predecessor-max-lifetime",
            "24h",
        ],
    );
    assert!(error.contains("leave --predecessor-max-lifetime away"), "{error}");
    let before = Timestamp::now();
    let output = import(directory, "first", "offline", &["--max-lifetime", "24h", "--after", "1h"]);
    assert!(output.status.success(), "{output:?}");
    let tenure = load(directory).tenures()[0];
    assert_eq!(tenure.longest_leaf, Some(Duration::from_secs(24 * 3600)));
    let wait = tenure.signs_from.unwrap().duration_since(before).as_secs();
    assert!((3600..3600 + 600).contains(&wait), "{wait}");
}

#[test]
fn a_first_ca_that_cannot_sign_is_refused() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    for (name, begin, end, message) in [
        ("expired", -20, -9, "too early to sign even the shortest certificate"),
        ("future", 9, 20, "and would have to sign earlier; add --after"),
    ] {
        let at = |days: i64| Timestamp::now().checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        let validity = at(end).duration_since(at(begin)).unsigned_abs();
        let root = NewRoot { id: name.to_owned(), common_name: name.parse().unwrap(), validity };
        let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
        let pkcs8 = key.to_pkcs8().unwrap();
        let authority =
            CertificateAuthority::new_root(root, key, SerialNumber::from_random([1; 16]), at(begin)).unwrap();
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        fs::write(directory.join("cert.der"), authority.root().der()).unwrap();
        fs::write(directory.join("key.der"), &*pkcs8).unwrap();
        openssl(directory, &["x509", "-inform", "DER", "-in", "cert.der", "-out", &cert]);
        openssl(directory, &["pkey", "-inform", "DER", "-in", "key.der", "-out", &key]);
        let error = complains(directory, &["import", "--cert-file", &cert, "--key-file", &key]);
        assert!(error.contains(message), "{error}");
    }
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

#[test]
fn after_a_key_of_a_type_that_is_not_made_here_comes_a_usual_one() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    let request = ["req", "-x509", "-newkey", "rsa:2056", "-noenc", "-days", "900", "-subj", "/CN=odd"];
    openssl(directory, &[&request[..], &["-keyout", "odd.key", "-out", "odd.pem"]].concat());
    let output = signerctl(directory, &["import", "--cert-file", "odd.pem", "--key-file", "odd.key"]);
    assert!(output.status.success(), "{output:?}");
    let output = signerctl(directory, &["rotate"]);
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        report.contains("The key of the last CA is RSA2056") && report.contains("the new one is RSA4096"),
        "{output:?}"
    );
    assert_eq!(load(directory).authority(1).key().key_type(), SigningKeyType::Rsa(4096));
}

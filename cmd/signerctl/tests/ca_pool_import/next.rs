//! CAs that come after others.

use std::fs;

use ca_pool::SigningKeyType;
use tempfile::TempDir;

use crate::{ids, import, intermediate, load, openssl, pool_file::unwrapped, run, signerctl};

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
    assert!(pool.schedule().windows()[0].is_retired);
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
    let refused = "To do: CA \"1\" (CN=limited";
    let shown = run(directory, env!("CARGO_BIN_EXE_signerctl"), &["ca-pool", "show", "--file", "new.json"]);
    let shown = unwrapped(&shown.stdout);
    assert!(
        shown.contains(refused) && shown.contains("rustls (webpki) refuses certificates with"),
        "{shown}"
    );
    assert!(shown.contains("Go's verifier refuses every certificate below"), "{shown}");
    let show = ["ca-pool", "show", "--file", "new.json", "--output", "json"];
    let json = run(directory, env!("CARGO_BIN_EXE_signerctl"), &show);
    assert!(String::from_utf8_lossy(&json.stdout).contains("rustls (webpki) refuses"), "{json:?}");
    let json = signerctl(directory, &["show", "--output", "json"]);
    let said = "\"constraints\": \"permits DNS:corp.example.com, subjects that begin with O=Example alone";
    assert!(String::from_utf8_lossy(&json.stdout).contains(said), "{json:?}");
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

//! `signerctl ca-pool` as its users run it, on files.

#![allow(clippy::unwrap_used, reason = "tests may; their helper functions too")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use ca_pool::{PoolSource, SigningKeyType};
use tempfile::TempDir;

fn signerctl(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    command.current_dir(directory).env("KUBECONFIG", "/nonexistent").env("HOME", directory);
    command.arg("ca-pool").args(arguments).output().unwrap()
}

/// What it prints when all is well.
fn prints(directory: &Path, arguments: &[&str]) -> String {
    let output = signerctl(directory, arguments);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it complains of, with the exit code.
fn complains(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let output = signerctl(directory, arguments);
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn testdata(file: &str) -> String {
    format!("{}/../../crates/ca-pool/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn creates_a_pool_that_loads_and_says_what_comes_next() {
    let directory = TempDir::new().unwrap();
    let report = prints(directory.path(), &["create", "--file", "pool.json", "--signer", "example.com/web"]);
    let file = directory.path().join("pool.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "a draft is left behind");
    let pool = PoolSource::PoolFile(file.clone()).load().unwrap();
    let root = pool.signing().root();
    assert!(root.subject().starts_with("CN=example.com/web CA 1 "), "{}", root.subject());
    for expected in
        [&root.subject(), &root.fingerprint(), "ECDSAP256", &format!("{{file: {}}}", file.display())]
    {
        assert!(report.contains(expected), "{expected}: {report}");
    }
}

/// An empty name would be the URL of all Secrets.
#[test]
fn names_that_no_secret_can_have_are_refused_before_any_cluster_is_called() {
    let directory = TempDir::new().unwrap();
    for (namespace, name, rule) in [
        ("mesh", "", "a Secret's name is 1 to 253"),
        ("mesh", "a/b", "a Secret's name is 1 to 253"),
        ("", "pool", "a namespace is 1 to 63"),
    ] {
        for command in ["show", "rotate", "prune"] {
            let (code, message) =
                complains(directory.path(), &[command, "--namespace", namespace, "--name", name]);
            assert!(code == 2 && message.contains(rule), "{command} {namespace} {name}: {code} {message}");
        }
    }
}

#[test]
fn creates_what_it_is_told_to() {
    let directory = TempDir::new().unwrap();
    for (file, arguments, key_type, subject) in [
        ("a.json", &["--key-type", "ED25519", "--ca-id", "x7"][..], SigningKeyType::Ed25519, "CN=a CA x7 "),
        (
            "b.json",
            &["--key-type", "RSA2048", "--subject-cn", "Our CA"],
            SigningKeyType::Rsa(2048),
            "CN=Our CA",
        ),
        (
            "c.json",
            &["--key-type", "ECDSAP521", "--validity", "48h"],
            SigningKeyType::EcdsaP521,
            "CN=c CA 1 ",
        ),
    ] {
        prints(directory.path(), &[&["create", "--file", file], arguments].concat());
        let pool = PoolSource::PoolFile(directory.path().join(file)).load().unwrap();
        assert_eq!(pool.signing().key().key_type(), key_type);
        assert!(pool.signing().root().subject().starts_with(subject), "{}", pool.signing().root().subject());
    }
}

#[test]
fn two_pools_of_one_name_have_different_subjects() {
    let subject = || {
        let directory = TempDir::new().unwrap();
        prints(directory.path(), &["create", "--file", "pool.json"]);
        let pool = PoolSource::PoolFile(directory.path().join("pool.json")).load().unwrap();
        pool.signing().root().subject()
    };
    assert_ne!(subject(), subject());
}

#[test]
fn never_overwrites() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("pool.json"), "precious").unwrap();
    let (code, error) = complains(directory.path(), &["create", "--file", "pool.json"]);
    assert_eq!(code, 1);
    assert!(error.starts_with("signerctl: pool.json exists, and a pool is never overwritten"), "{error}");
    assert_eq!(fs::read_to_string(directory.path().join("pool.json")).unwrap(), "precious");
}

#[test]
fn shows_a_pool_without_its_keys() {
    let directory = TempDir::new().unwrap();
    prints(directory.path(), &["create", "--file", "pool.json", "--ca-id", "blue"]);
    let json = fs::read_to_string(directory.path().join("pool.json")).unwrap();
    let pool = PoolSource::PoolFile(directory.path().join("pool.json")).load().unwrap();
    let text = prints(directory.path(), &["show", "--file", "pool.json"]);
    let machine = prints(directory.path(), &["show", "--file", "pool.json", "--output", "json"]);
    for shown in [&text, &machine] {
        for expected in ["blue", "signs", "ECDSAP256", &pool.signing().root().fingerprint()] {
            assert!(shown.contains(expected), "{expected}: {shown}");
        }
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        let key = document["CAs"][0]["SigningKeyPKCS8"].as_str().unwrap();
        assert!(!shown.contains(&key[..16]) && !shown.contains(&key[key.len() - 16..]));
    }
    assert!(text.starts_with("CA pool pool.json: 1 CA, 1 trust anchor\n"), "{text}");
}

#[test]
fn shows_pem_files() {
    let directory = TempDir::new().unwrap();
    let (cert, key) = (testdata("root-p256.pem"), testdata("sec1-p256.pem"));
    let text = prints(directory.path(), &["show", "--cert-file", &cert, "--key-file", &key]);
    assert!(text.contains("O=Example, serialNumber=7+OU=a+OU=b, OU=b, OU=a, CN=odd root"), "{text}");
}

#[test]
fn says_what_is_wrong_with_the_input() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("bad.json"), r#"{"CAs": "MIGHAgEAMBMGByqGSM49"}"#).unwrap();
    fs::write(directory.path().join("time.json"), r#"{"CAs": [{"ID": "1", "SignsFrom": "tomorrow"}]}"#)
        .unwrap();
    let (cert, key) = (testdata("root-p256.pem"), testdata("sec1-p384.pem"));
    let unwritable: PathBuf = directory.path().join("no/such/pool.json");
    for (arguments, message) in [
        (
            &["show", "--file", "none.json"][..],
            "Make a pool with `signerctl ca-pool create --file none.json`",
        ),
        (&["show", "--file", "bad.json"], "a value of the wrong type"),
        (
            &["show", "--file", "time.json"],
            "SignsFrom of CAs[0] (ID \"1\") is not a valid time; write it like",
        ),
        (
            &["show", "--cert-file", &cert, "--key-file", &key],
            "belongs to none of the certificates: --cert-file",
        ),
        (
            &["show", "--cert-file", "none.pem", "--key-file", &key],
            "none.pem doesn't exist; correct the path",
        ),
        (&["show", "--cert-file", &cert, "--key-file", &cert], "--key-file must hold one private key"),
        (&["create", "--file", "x.json", "--validity", "5m"], "5m is not within 1h and"),
        (
            &["create", "--file", unwritable.to_str().unwrap()],
            "its directory doesn't exist. Make it with `mkdir -p",
        ),
        (&["create", "--namespace", "a", "--name", "b"], "no cluster can be called"),
    ] {
        let (code, error) = complains(directory.path(), arguments);
        assert_eq!(code, 1, "{error}");
        assert!(error.starts_with("signerctl: ") && error.contains(message), "{message}: {error}");
        assert!(!error.contains("MIGH"), "{error}");
    }
}

#[test]
fn misuse_ends_with_2() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &[][..],
        &["create"],
        &["show", "--output", "json"],
        &["create", "--file", "x", "--namespace", "a", "--name", "b"],
        &["create", "--namespace", "a"],
        &["create", "--namespace", "A/B", "--name", "b"],
        &["create", "--namespace", "a", "--name", "Not_A_Name"],
        &["create", "--file", "x", "--context", "y"],
        &["show", "--file", "x", "--kubeconfig", "y"],
        &["create", "--file", "x", "--key-type", "RSA1024"],
        &["create", "--file", "x", "--validity", "5 years"],
        &["create", "--file", "x", "--ca-id", ""],
        &["create", "--file", "x", "--signer", "kubernetes.io/kubelet-serving"],
        &["show", "--cert-file", "x"],
        &["show", "--file", "x", "--cert-file", "x", "--key-file", "x"],
    ] {
        assert_eq!(complains(directory.path(), arguments).0, 2, "{arguments:?}");
    }
}

#[test]
fn commands_and_yaml_that_are_suggested_work_with_any_path() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("my pools")).unwrap();
    let report = prints(directory.path(), &["create", "--file", "my pools/it's.json"]);
    let absolute = directory.path().join("my pools/it's.json");
    assert!(report.contains(&format!("caPool: {{file: \"{}\"}}", absolute.display())), "{report}");
    let (_, error) = complains(directory.path(), &["create", "--file", "my pools/it's.json"]);
    let command = error.split('`').nth(1).unwrap();
    assert_eq!(command, r"signerctl ca-pool show --file 'my pools/it'\''s.json'");
    let arguments = command.strip_prefix("signerctl ").unwrap();
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_signerctl"));
    let output = Command::new("sh").args(["-c", &line]).current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (_, error) = complains(directory.path(), &["create", "--file", "none at all/pool.json"]);
    assert!(error.contains("`mkdir -p 'none at all'`"), "{error}");
}

#[test]
fn a_key_in_the_place_of_a_path_is_not_shown() {
    const KEY: &str = "MIGHAgEAMBMGByqGSM49";
    let directory = TempDir::new().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n");
    let json = format!("{{\"CAs\":[{{\"SigningKeyPKCS8\":\"{KEY}\"}}]}}");
    let base64 = format!("LS0tLS1CRUdJTi{KEY}");
    for content in [&pem, &json, &base64, &format!("--file={pem}")] {
        for arguments in
            [&["show", "--file", content][..], &["show", "--cert-file", "a", "--key-file", content]]
        {
            let (code, error) = complains(directory.path(), arguments);
            assert_eq!(code, 2, "{error}");
            assert!(!error.contains(KEY) && error.contains("write the file's path"), "{error}");
        }
    }
}

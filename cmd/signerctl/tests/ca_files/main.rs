//! CA files as openssl and other tools write them: each is taken, or refused with what it is, the rule, and
//! what to do.

#![allow(clippy::unwrap_used, reason = "these are helpers of tests")]

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use ca_pool::{CaPool, PoolSource};
use serde_json::Value;
use tempfile::NamedTempFile;

/// Made anew by each run, where cargo has its own: nothing is dropped at the end of one.
static FILES: LazyLock<PathBuf> = LazyLock::new(|| {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ca_files");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ca_files/generate");
    let output = Command::new("sh").arg(script).current_dir(&directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    directory
});

/// One file of several, in that order; `a.crt+b.crt`.
fn file(joined: &str) -> PathBuf {
    let path = FILES.join(joined.replace('+', "_and_"));
    if joined.contains('+') {
        let parts = joined.split('+').map(|part| fs::read(FILES.join(part)).unwrap());
        let mut whole = NamedTempFile::new_in(&*FILES).unwrap();
        whole.write_all(&parts.collect::<Vec<_>>().concat()).unwrap();
        // another test may read it
        whole.persist(&path).unwrap();
    }
    path
}

fn show(cert: &Path, key: &Path, root: Option<&Path>) -> Result<Value, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    command.args(["ca-pool", "show", "--output", "json", "--cert-file"]).arg(cert).arg("--key-file").arg(key);
    root.map(|root| command.arg("--root-file").arg(root));
    let output = command.stdin(Stdio::null()).output().unwrap();
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!error.contains("MIG") && !error.contains("MHc"), "a key is shown: {error}");
    Err(error)
}

/// The end of the path that was chosen, how many certificates it has, and how many anchors are published.
fn chosen(report: &Value) -> (&str, usize, usize) {
    let authority = &report["authorities"][0];
    let length = authority["path"].as_array().unwrap().len();
    (authority["role"].as_str().unwrap(), length, report["trustAnchors"].as_array().unwrap().len())
}

fn warnings(report: &Value) -> String {
    report["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// All orders of up to three parts.
fn orders(parts: &[&str]) -> Vec<String> {
    match parts {
        [] => vec![String::new()],
        [one] => vec![(*one).to_owned()],
        _ => (0..parts.len())
            .flat_map(|first| {
                let rest: Vec<&str> = [&parts[..first], &parts[first + 1..]].concat();
                orders(&rest).into_iter().map(move |rest| format!("{}+{rest}", parts[first]))
            })
            .collect(),
    }
}

fn not_after(certificate: &str) -> String {
    let arguments = ["x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", certificate];
    let output = Command::new("openssl").args(arguments).current_dir(&*FILES).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().trim_start_matches("notAfter=").replace(' ', "T")
}

/// The order in a file never matters.
#[test]
fn the_path_that_is_valid_longest_is_taken_in_any_order() {
    for (cert, key, root, issuer, length, anchors) in [
        // siblings of one key and name: a root that was renewed, one that is yet to come
        (&["expired.crt", "plain.crt"][..], "plain", &[][..], "plain.crt", 1, 2),
        (&["plain.crt", "future.crt", "expired.crt"], "plain", &[], "plain.crt", 1, 3),
        (&["int.crt"], "int", &["expired.crt", "plain.crt"], "int.crt", 2, 2),
        (&["int.crt", "plain.crt", "expired.crt"], "int", &[], "int.crt", 2, 1),
        // intermediates of one key
        (&["int.crt", "int-short.crt", "plain.crt"], "int", &[], "int.crt", 2, 1),
        (&["int-expired.crt", "int.crt", "int-future.crt"], "int", &["plain.crt"], "int.crt", 2, 1),
        // cross-signed: by another root, directly and through the root's own
        (&["int.crt", "int-crossed.crt"], "int", &["plain.crt", "other.crt"], "int.crt", 2, 2),
        (&["int-crossed.crt", "int-short.crt"], "int", &["plain.crt", "other.crt"], "int-crossed.crt", 2, 2),
        (&["int.crt", "plain-crossed.crt"], "int", &["other.crt"], "int.crt", 3, 1),
        (&["int.crt", "plain-crossed.crt"], "int", &["other.crt", "plain.crt"], "int.crt", 2, 2),
        // an intermediate and a root of one key
        (&["int-self.crt", "int.crt"], "int", &["plain.crt"], "int.crt", 2, 1),
        (&["int-self.crt", "int.crt", "plain.crt"], "int", &[], "int.crt", 2, 1),
        // a root in both files, and a key's root under a cross-signed one
        (&["int.crt", "plain.crt"], "int", &["plain.crt"], "int.crt", 2, 1),
        (&["plain.crt", "plain-crossed.crt"], "plain", &["plain.crt", "other.crt"], "plain.crt", 1, 2),
    ] {
        for cert in orders(cert) {
            for root in orders(root) {
                let root_file = (!root.is_empty()).then(|| file(&root));
                let shown = show(&file(&cert), &file(&format!("{key}.key")), root_file.as_deref());
                let report = shown.unwrap_or_else(|error| panic!("{cert}, {root}: {error}"));
                assert_eq!(chosen(&report), ("signs", length, anchors), "{cert}, {root}: {report:#}");
                let first = &report["authorities"][0]["path"][0];
                assert_eq!(first["notAfter"], not_after(issuer), "{cert}, {root}");
            }
        }
    }
}

#[test]
fn what_is_not_needed_is_left_aside_with_a_word_and_costs_nothing() {
    for (beside, told) in [
        ("k1.crt", "secp256k1"),
        ("weak.crt", "an RSA key of 1024 bits"),
        ("ed448.crt", "Ed448"),
        ("pss.crt", "bound to PSS"),
        ("explicit.crt", "unnamed curve"),
        ("negative.crt", "is negative"),
        ("v1.crt", "X.509 version 1"),
        ("leaf.crt", "is not a root: it is issued by CN=plain"),
        ("broken.crt", "not a valid DER-encoded X.509 certificate"),
    ] {
        for both in orders(&["plain.crt", beside]) {
            for (cert, root) in
                [("int.crt".to_owned(), Some(both.clone())), (format!("int.crt+{both}"), None)]
            {
                let is_root_file = root.is_some();
                let root = root.map(|root| file(&root));
                let report = show(&file(&cert), &file("int.key"), root.as_deref()).unwrap();
                assert_eq!(chosen(&report), ("signs", 2, 1), "{both}: {report:#}");
                let warnings = warnings(&report);
                assert!(warnings.contains("left aside: "), "{both}: {warnings}");
                assert!(!is_root_file || warnings.contains(told), "{both}: {warnings}");
            }
        }
    }
}

/// A list of all that a machine trusts isn't what a signer's pods are to trust.
#[test]
fn a_list_of_roots_of_a_machine_makes_no_anchors() {
    for (list, anchors) in [("short-list.crt", 10), ("long-list.crt", 1)] {
        let report = show(&file("int.crt"), &file("int.key"), Some(&file(list))).unwrap();
        assert_eq!(chosen(&report), ("signs", 2, anchors), "{report:#}");
        let told = warnings(&report).contains("of 41 roots only those of this CA's own paths are published");
        assert_eq!(told, anchors == 1, "{report:#}");
    }
    // the same one 41 times is one
    let report = show(&file("int.crt"), &file("int.key"), Some(&file("repeated.crt"))).unwrap();
    assert_eq!(chosen(&report), ("signs", 2, 2));
    let system = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if system.exists() {
        let both = [fs::read(system).unwrap(), fs::read(file("plain.crt")).unwrap()].concat();
        fs::write(file("system.crt"), both).unwrap();
        let report = show(&file("int.crt"), &file("int.key"), Some(&file("system.crt"))).unwrap();
        assert_eq!(chosen(&report), ("signs", 2, 1));
    }
}

#[test]
fn files_are_taken_as_tools_write_them() {
    for (cert, key) in [
        ("plain.crt", "plain.key"),
        ("plain.crt", "pkcs8.key"),
        ("text.crt", "plain.key"),
        ("x509.crt", "plain.key"),
        ("crlf.crt", "crlf.key"),
        ("bom.crt", "plain.key"),
        ("bag.pem", "bag.pem"),
        ("bundle.pem", "bundle.pem"),
        ("request.csr+plain.crt", "plain.key"),
        ("parameters.key+plain.crt", "plain.key"),
        ("ecparam.crt", "parameters.key"),
        ("rsa.crt", "pkcs1.key"),
        ("rsa.crt", "rsa.key"),
        ("salted.crt", "rsa.key"),
        ("sha1.crt", "sha1.key"),
        ("md5.crt", "rsa.key"),
        ("odd-salt.crt", "rsa.key"),
        ("ed25519.crt", "ed25519.key"),
        ("long-path.crt", "long-path.key"),
        ("zero.crt", "zero.key"),
        ("overlong.crt", "overlong.key"),
    ] {
        let report = show(&file(cert), &file(key), None).unwrap_or_else(|error| panic!("{cert}: {error}"));
        assert_eq!(chosen(&report).0, "signs", "{cert}");
    }
    let report = show(&file("critical.crt"), &file("critical.key"), None).unwrap();
    assert_eq!(chosen(&report).0, "published", "the API server refuses it, so it signs nothing");
    let report = show(&file("vault-bundle.pem"), &file("vault-bundle.pem"), None).unwrap();
    assert_eq!(chosen(&report), ("signs", 2, 1));
}

#[test]
fn what_is_refused_is_refused_with_what_it_is_and_what_to_do() {
    for (cert, key, told) in [
        ("negative.crt", "negative.key", "is negative (RFC 5280 §4.1.2.2), which the API server refuses"),
        ("int-negative.crt+plain.crt", "int.key", "certificate 1 is negative"),
        ("v1.crt", "other.key", "X.509 version 1 or 2, which has no basicConstraints"),
        (
            "longer-path.crt",
            "longer-path.key",
            "is not a valid DER-encoded X.509 certificate: malformed ASN.1 DER value for INTEGER",
        ),
        ("int-sha1.crt+plain.crt", "int.key", "signed with SHA-1 (ECDSA)"),
        ("int-salt.crt+rsa.crt", "int.key", "RSA-PSS with other parameters than"),
        ("k1.crt", "plain.key", "secp256k1"),
        ("ed448.crt", "plain.key", "Ed448"),
        ("pss.crt", "plain.key", "bound to PSS"),
        ("explicit.crt", "plain.key", "unnamed curve"),
        ("plain.crt", "ed448.key", "Ed448"),
        ("plain.crt", "explicit.key", "-param_enc named_curve"),
        ("trusted.crt", "plain.key", "openssl pkcs7 -print_certs"),
        ("p7.pem", "plain.key", "openssl pkcs7 -in FILE -print_certs"),
        ("p7.pem+plain.crt", "plain.key", "line 1: the block that begins here is PKCS#7"),
        ("p7.der", "plain.key", "openssl pkcs7 -inform DER -in FILE -print_certs"),
        ("p12.pfx", "plain.key", "openssl pkcs12 -in FILE -nodes -out FILE.pem"),
        ("plain.crt", "p12.pfx", "--key-file is not PEM: it is PKCS#12"),
        ("der.crt", "plain.key", "openssl x509 -inform DER -in FILE"),
        ("request.der", "plain.key", "neither a certificate nor a key"),
        ("request.csr", "plain.key", "has no CERTIFICATE block; it has CERTIFICATE REQUEST"),
        ("plain.crt", "der.key", "openssl pkey -inform DER -in FILE"),
        ("plain.crt", "sec1.key.der", "openssl pkey -inform DER -in FILE"),
        ("plain.crt", "encrypted8.der", "openssl pkcs8 -inform DER"),
        ("plain.crt", "encrypted8.key", "openssl pkey -in FILE"),
        ("plain.crt", "encrypted1.key", "openssl pkey -in FILE"),
        ("utf16.crt", "plain.key", "iconv -f UTF-16"),
        ("utf16le.crt", "plain.key", "iconv -f UTF-16"),
        ("base64.crt", "plain.key", "base64 -d FILE"),
        ("escaped.crt", "plain.key", "printf '%b'"),
        ("store.jks", "plain.key", "keytool -importkeystore"),
        ("cfssl.json", "plain.key", "cfssljson -bare ca"),
        ("vault.json", "plain.key", "jq -r .data.certificate"),
        ("plain.crt", "plain.crt", "--key-file must hold one private key"),
        ("plain.crt", "plain.key+other.key", "it has EC PRIVATE KEY, EC PRIVATE KEY"),
        ("plain.crt", "other.key", "belongs to none of the certificates"),
    ] {
        let error = show(&file(cert), &file(key), None).expect_err(&format!("{cert}, {key}"));
        assert!(error.contains(told), "{cert}, {key}, {told}: {error}");
    }
    let error = show(&file("int.crt"), &file("int.key"), Some(&file("sha1.crt"))).unwrap_err();
    assert!(error.contains("is issued by CN=plain, whose certificate isn't there"), "{error}");
    let error = show(&file("int.crt+plain.crt"), &file("int.key"), Some(&file("other.crt"))).unwrap_err();
    assert!(error.contains("is a root, and not one of those that are given as roots"), "{error}");
}

/// A path that isn't valid yet takes over when it is, and none hides the one that is.
#[test]
fn who_signs_follows_the_time() {
    let [cert, key] = ["plain.crt+future.crt+expired.crt", "plain.key"].map(file);
    let pool = || PoolSource::PemFiles { cert: cert.clone(), key: key.clone(), root: None }.load().unwrap();
    let end = |pool: &CaPool| pool.signing().issuer().not_after().to_string();
    assert_eq!(end(&pool()), not_after("future.crt"));
    let now = jiff::Timestamp::now();
    let of_now = pool().as_of(now);
    assert_eq!(end(&of_now), not_after("plain.crt"));
    let changes = of_now.changes_paths_at(now).unwrap();
    assert!(of_now.signing().not_after() < changes);
    for (at, certificate) in [("2024-06-01T00:00:00Z", "expired.crt"), ("2095-01-01T00:00:00Z", "future.crt")]
    {
        assert_eq!(end(&pool().as_of(at.parse().unwrap())), not_after(certificate));
    }
    // the ID and the anchors are those of all of them, whatever the time
    assert_eq!((of_now.signing().id(), of_now.roots().len()), (pool().signing().id(), 3));
}

//! CAs that are the first of their pool.

use std::{fs, time::Duration};

use ca_pool::{CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::{complains, import, intermediate, load, openssl};

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
    assert!(!String::from_utf8_lossy(&output.stdout).contains("--max-lifetime"), "{output:?}");
    let window = load(directory).schedule().windows()[0];
    assert_eq!(window.max_leaf_lifetime, Some(Duration::from_secs(24 * 3600)));
    let wait = window.from.unwrap().duration_since(before).as_secs();
    assert!((3600..3600 + 600).contains(&wait), "{wait}");
}

#[test]
fn each_certificate_is_shown_with_what_it_is_valid_for_and_a_lifetime_that_is_not_recorded_is_told_of() {
    let directory = TempDir::new().unwrap();
    let directory = directory.path();
    intermediate(directory, "offline", "first");
    let output = import(directory, "first", "offline", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    let pool = load(directory);
    let authority = pool.signing();
    let minute = |time: Timestamp| time.strftime("%Y-%m-%d %H:%MZ").to_string();
    for (name, certificate) in [("Issuer", authority.issuer()), ("Root", authority.root())] {
        let (_, part) = text.split_once(&format!("  {name:<9} {}\n", certificate.subject())).unwrap();
        let valid = format!(
            "  Valid     {} to {}\n",
            minute(certificate.not_before()),
            minute(certificate.not_after())
        );
        let (_, part) = part.split_once(&valid).unwrap();
        assert!(part.starts_with(&format!("  SHA-256   {}\n", certificate.fingerprint())), "{text}");
    }
    assert!(
        text.contains("doesn't record how long certificates may live") && text.contains("--max-lifetime")
    );
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
        let root = NewRoot { id: name.to_owned(), common_name: name.parse().unwrap(), uri: None, validity };
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

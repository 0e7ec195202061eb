//! Keys and certificates as openssl makes them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs openssl in a directory, and returns what it prints.
pub(crate) fn openssl(directory: &Path, arguments: &str) -> String {
    let output = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Makes a key (`genpkey`'s arguments, in PKCS#8) and has it certified by a CA, with these extensions;
/// without any, of version 1.
pub(crate) fn issue(
    directory: &Path,
    name: &str,
    key: &str,
    subject: &str,
    ca: (&Path, &Path),
    extensions: &str,
) -> Pair {
    openssl(directory, &format!("genpkey {key} -out {name}.key"));
    openssl(directory, &format!("req -new -key {name}.key -subj {subject} -out {name}.csr"));
    let (certificate, ca_key) = (ca.0.display(), ca.1.display());
    let mut sign = format!(
        "x509 -req -in {name}.csr -CA {certificate} -CAkey {ca_key} -days 30 -set_serial 1234 -out {name}.crt"
    );
    if !extensions.is_empty() {
        fs::write(directory.join(format!("{name}.ext")), extensions).unwrap();
        sign += &format!(" -extfile {name}.ext");
    }
    openssl(directory, &sign);
    Pair { certificate: directory.join(format!("{name}.crt")), key: directory.join(format!("{name}.key")) }
}

/// A self-signed certificate with these extensions.
pub(crate) fn self_signed(directory: &Path, name: &str, extensions: &str, days: i32) -> Pair {
    let mut section = "[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=".to_owned();
    section += &format!("{name}\n[v3]\nsubjectKeyIdentifier=hash\n{extensions}\n");
    fs::write(directory.join(format!("{name}.cnf")), section).unwrap();
    openssl(directory, &format!("genpkey {P256} -out {name}.key"));
    openssl(
        directory,
        &format!("req -x509 -new -key {name}.key -days {days} -config {name}.cnf -out {name}.crt"),
    );
    Pair { certificate: directory.join(format!("{name}.crt")), key: directory.join(format!("{name}.key")) }
}

pub(crate) const P256: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
pub(crate) const RSA: &str = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";

//! CAs as operators make them with the program openssl.

use std::{fs, path::Path, process::Command};

use ca_pool::CaPool;
use tempfile::TempDir;

/// The extensions of a CA as it should be.
pub(crate) const SOUND: &str = "basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
";

/// The extensions of an intermediate as it should be.
pub(crate) const SOUND_BELOW: &str = "basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
";

/// A directory of keys and certificates.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn key(&self, name: &str) {
        self.openssl(&format!("ecparam -name prime256v1 -genkey -noout -out {name}.key"));
    }

    /// A self-signed certificate of a key, which is made where it is missing.
    pub(crate) fn root(&self, name: &str, key: &str, subject: &str, extensions: &str) {
        if !self.path(&format!("{key}.key")).exists() {
            self.key(key);
        }
        self.config(name, extensions);
        let certificate = format!("{name}.crt -days 3650 -extensions v3 -subj {subject}");
        self.openssl(&format!("req -x509 -new -config {name}.cnf -key {key}.key -out {certificate}"));
    }

    /// A CA below another one.
    pub(crate) fn below(&self, name: &str, issuer: &str, extensions: &str) {
        self.key(name);
        self.config(name, extensions);
        self.openssl(&format!(
            "req -new -config {name}.cnf -key {name}.key -subj /CN={name} -out {name}.csr"
        ));
        let from = format!("-in {name}.csr -CA {issuer}.crt -CAkey {issuer}.key -set_serial 77");
        let with = format!("-extfile {name}.cnf -extensions v3 -days 1000 -out {name}.crt");
        self.openssl(&format!("x509 -req {from} {with}"));
    }

    pub(crate) fn pool(&self, name: &str, root: &str) -> CaPool {
        let read = |file: String| fs::read(self.path(&file)).unwrap();
        let root = read(format!("{root}.crt"));
        CaPool::from_pem(&read(format!("{name}.crt")), &read(format!("{name}.key")), Some(&root)).unwrap()
    }

    /// The pool of a root of which this is the key.
    pub(crate) fn pool_of(&self, root: &str, key: &str) -> CaPool {
        let read = |file: String| fs::read(self.path(&file)).unwrap();
        CaPool::from_pem(&read(format!("{root}.crt")), &read(format!("{key}.key")), None).unwrap()
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        Path::join(self.0.path(), file)
    }

    fn config(&self, name: &str, extensions: &str) {
        let text = format!("[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN={name}\n[v3]\n{extensions}\n");
        fs::write(self.path(&format!("{name}.cnf")), text).unwrap();
    }

    fn openssl(&self, arguments: &str) {
        let mut openssl = Command::new("openssl");
        let output = openssl.current_dir(self.0.path()).args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

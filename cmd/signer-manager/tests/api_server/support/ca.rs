//! CAs: JSON pools as signerctl makes them, and PEM files as others do.

use std::{fs, path::Path, process::Command, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, RsaKeySize, SignatureAlgorithm,
};
use signer_core::ca_pool::{
    CaPool, CertificateAuthority, NewRoot, SerialNumber, SigningKey, SigningKeyType, root_common_name,
};
use test_cluster::{Certificate, unique};

/// An authority of its own for each signer; `id` is its name within a pool.
pub(crate) fn new_authority(id: &str) -> CertificateAuthority {
    new_authority_of(id, Duration::ZERO, NewRoot::DEFAULT_VALIDITY)
}

/// One that was made so long ago, and is valid from then on for that long.
pub(crate) fn new_authority_of(id: &str, age: Duration, validity: Duration) -> CertificateAuthority {
    let key = SigningKey::generate(SigningKeyType::EcdsaP256).unwrap();
    let common_name = root_common_name(&format!("test {}", unique::label()), id, [1, 2, 3, 4]).unwrap();
    let root = NewRoot { id: id.into(), common_name, uri: None, validity };
    let serial = SerialNumber::from_random([7; 16]);
    CertificateAuthority::new_root(root, key, serial, jiff::Timestamp::now() - age).unwrap()
}

/// One that may sign names under this domain alone.
pub(crate) fn constrained_authority(id: &str, permitted: &str) -> CertificateAuthority {
    let mut params = params(&format!("constrained {}", unique::label()));
    let permitted = vec![GeneralSubtree::DnsName(permitted.to_owned())];
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted, excluded_subtrees: vec![] });
    let key = CaKey::P256.generate();
    let cert = params.self_signed(&key).unwrap().pem();
    let pool = CaPool::from_pem(cert.as_bytes(), key.serialize_pem().as_bytes(), None).unwrap();
    pool.into_authorities().remove(0).with_id(id)
}

/// Writes a pool file, as a mounted Secret changes: at once.
pub(crate) fn write_pool(path: &Path, authorities: Vec<CertificateAuthority>) {
    write_whole(path, &CaPool::new(authorities).unwrap().to_json().unwrap());
}

/// Writes a file at once.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

/// The subject of a CA's root, as its leaves name their issuer.
pub(crate) fn subject(pool: &CaPool, index: usize) -> Vec<u8> {
    Certificate::all(&pool.authority(index).root().to_pem()).unwrap()[0].subject_der().to_vec()
}

/// The kinds of keys that CAs of other software have.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CaKey {
    P256,
    P384,
    Ed25519,
    Rsa2048,
    Rsa4096,
}

impl CaKey {
    pub(crate) const ALL: [Self; 5] = [Self::P256, Self::P384, Self::Ed25519, Self::Rsa2048, Self::Rsa4096];

    /// A signer's path is a DNS name.
    pub(crate) fn label(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn generate(self) -> KeyPair {
        let of = |algorithm: &'static SignatureAlgorithm| KeyPair::generate_for(algorithm);
        let rsa = |size| KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size);
        let pair = match self {
            Self::P256 => of(&rcgen::PKCS_ECDSA_P256_SHA256),
            Self::P384 => of(&rcgen::PKCS_ECDSA_P384_SHA384),
            Self::Ed25519 => of(&rcgen::PKCS_ED25519),
            Self::Rsa2048 => rsa(RsaKeySize::_2048),
            Self::Rsa4096 => rsa(RsaKeySize::_4096),
        };
        pair.unwrap()
    }
}

/// A CA in PEM, made by others' software.
pub(crate) struct PemCa {
    /// `certFile`
    pub(crate) cert: String,
    /// `keyFile`
    pub(crate) key: String,
    /// `rootFile`, where `cert` doesn't end in the root.
    pub(crate) root: Option<String>,
}

impl PemCa {
    /// A self-signed root that signs leaves itself.
    pub(crate) fn root(key: CaKey) -> Self {
        let (params, key) = (params(&format!("root {}", unique::label())), key.generate());
        Self { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem(), root: None }
    }

    /// An intermediate under a root, whose certificate is in a file of its own.
    pub(crate) fn intermediate(key: CaKey) -> Self {
        let root_key = key.generate();
        let root = params(&format!("root {}", unique::label()));
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let (params, key) = (params(&format!("intermediate {}", unique::label())), key.generate());
        let cert = params.signed_by(&key, &Issuer::from_params(&root, &root_key)).unwrap().pem();
        Self { cert, key: key.serialize_pem(), root: Some(root_pem) }
    }

    /// A root whose days are over.
    pub(crate) fn expired() -> Self {
        let key = CaKey::P256.generate();
        let mut params = params(&format!("expired {}", unique::label()));
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        Self { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem(), root: None }
    }

    /// A root whose subject has attributes twice, and several in one place: what a map of attributes loses.
    /// openssl makes it.
    pub(crate) fn odd_subject() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key, config) = (dir.path().join("crt"), dir.path().join("key"), dir.path().join("cnf"));
        fs::write(&config, OPENSSL_CONFIG).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-noenc",
        ]);
        openssl.args([
            "-days",
            "30",
            "-utf8",
            "-subj",
            "/O=Example/OU=b+OU=a+serialNumber=7/OU=b/OU=a/CN=odd root",
        ]);
        let output = openssl
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&cert)
            .arg("-config")
            .arg(&config)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { cert: fs::read_to_string(cert).unwrap(), key: fs::read_to_string(key).unwrap(), root: None }
    }

    /// Writes `<name>.crt`, `<name>.key` and perhaps `<name>.root.crt`, and returns what stands in `caPool`.
    pub(crate) fn write(&self, dir: &Path, name: &str) -> String {
        let file = |suffix: &str, content: &str| {
            let path = dir.join(format!("{name}.{suffix}"));
            fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let mut pool = format!("certFile: {}, keyFile: {}", file("crt", &self.cert), file("key", &self.key));
        if let Some(root) = &self.root {
            pool += &format!(", rootFile: {}", file("root.crt", root));
        }
        pool
    }
}

const OPENSSL_CONFIG: &str = "\
[req]
distinguished_name = dn
x509_extensions = ca
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
";

fn params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}

//! What a pod shows to others: its private key, and the certificates that say whose it is.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use pem_blocks::Block;
use rustls::{crypto::aws_lc_rs::sign::any_supported_type, server::ParsedCertificate, sign::CertifiedKey};
use rustls_pki_types::CertificateDer;

use crate::{
    certificate::{Certificate, subject_public_key},
    credential_folder::CREDENTIAL_FILES,
    load_error::{LoadError, Problem},
    pem::{Blocks, Bytes, private_key, read},
    watched::{Files, Mounted, read_and_parse},
};

/// A private key with its certificate and the chain to, but mostly without, the root. It never prints the
/// key.
#[derive(Clone)]
pub struct Credentials {
    key: Arc<CertifiedKey>,
    chain: Vec<Certificate>,
}

/// Where [`Credentials`] are mounted.
///
/// ```
/// use pod_credentials::{CredentialFiles, Credentials};
///
/// let files = CredentialFiles::bundle("/nowhere/credentials.pem");
/// let error = Credentials::load(&files, std::time::SystemTime::now()).unwrap_err();
/// assert!(error.to_string().starts_with("/nowhere/credentials.pem: there is no such file; mount"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialFiles(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Bundle(PathBuf),
    KeyAndChain { key: PathBuf, chain: PathBuf },
    Folder(PathBuf),
}

impl CredentialFiles {
    /// The most bytes of a file that are read: the API server takes chains of 100 KiB.
    pub const MAX_BYTES: usize = 128 * 1024;

    /// One file with the key, then the chain: `credentialBundlePath` of a podCertificate volume. Prefer it:
    /// one file can't be read in the middle of a renewal.
    pub fn bundle(file: impl Into<PathBuf>) -> Self {
        Self(Place::Bundle(file.into()))
    }

    /// Separate files: `keyPath` and `certificateChainPath` of a podCertificate volume. A key of one renewal
    /// with a chain of another is refused, after a second look at once, and both are read again at the next
    /// poll.
    pub fn key_and_chain(key: impl Into<PathBuf>, chain: impl Into<PathBuf>) -> Self {
        Self(Place::KeyAndChain { key: key.into(), chain: chain.into() })
    }

    /// The credential bundle of a [`CredentialFolder`](crate::CredentialFolder).
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(Place::Folder(folder.into()))
    }

    /// Where the key is.
    fn key_file(&self) -> PathBuf {
        match &self.0 {
            Place::Bundle(key) | Place::KeyAndChain { key, .. } => key.clone(),
            Place::Folder(folder) => {
                let [newer, older] = CREDENTIAL_FILES.map(|name| folder.join(name));
                if !newer.exists() && older.exists() { older } else { newer }
            }
        }
    }

    /// Where the chain is, if it isn't in the same file.
    fn separate_chain(&self) -> Option<&Path> {
        match &self.0 {
            Place::KeyAndChain { chain, .. } => Some(chain),
            Place::Bundle(_) | Place::Folder(_) => None,
        }
    }

    fn chain_file(&self) -> PathBuf {
        self.separate_chain().map_or_else(|| self.key_file(), Path::to_owned)
    }

    /// Of two credential bundles, nobody knows which one is meant.
    fn check_folder(&self) -> Result<(), LoadError> {
        let Place::Folder(folder) = &self.0 else { return Ok(()) };
        if CREDENTIAL_FILES.iter().all(|name| folder.join(name).exists()) {
            return Err(LoadError::new(folder, Problem::SeveralCredentialFiles));
        }
        Ok(())
    }
}

impl Credentials {
    /// Reads and checks them once. [`Watched`](crate::Watched) does so again and again.
    ///
    /// A certificate that isn't valid yet at `now` is taken: the signer has dated it by the API server's
    /// clock, so this machine's is slow, and peers judge by theirs.
    ///
    /// # Errors
    /// If a file is missing, incomplete or not what it should be, if key and certificate don't belong
    /// together, or the certificate has expired at `now`.
    pub fn load(files: &CredentialFiles, now: SystemTime) -> Result<Self, LoadError> {
        read_and_parse(files, now)
    }

    /// The pod's own certificate.
    ///
    /// ```
    /// # let volume = test_cluster::pod_volume::Volume::new();
    /// # volume.write([("credentials.pem", test_cluster::pod_volume::Ca::new("example").dns("web.shop.svc").bundle())]);
    /// # let file = volume.path("credentials.pem");
    /// use pod_credentials::{CredentialFiles, Credentials};
    ///
    /// let credentials = Credentials::load(&CredentialFiles::bundle(file), std::time::SystemTime::now())?;
    /// assert_eq!(credentials.leaf().dns_names, ["web.shop.svc"]);
    /// assert!(!format!("{credentials:?}").contains("PRIVATE"));
    /// # Ok::<(), pod_credentials::LoadError>(())
    /// ```
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The pod's own certificate, and those of its issuers that are shown along with it.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Key and chain as rustls wants them.
    #[must_use]
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    fn assemble(
        files: &CredentialFiles,
        key: &Block<'_>,
        der: Vec<CertificateDer<'static>>,
    ) -> Result<Self, LoadError> {
        let wrong_key = |problem: String| LoadError::new(&files.key_file(), Problem::BadKey(problem));
        let key = private_key(key).ok_or_else(|| wrong_key(format!("{:?} is an unknown kind", key.label)))?;
        let signing_key = any_supported_type(&key).map_err(|error| wrong_key(error.to_string()))?;
        let public_key = signing_key.public_key().ok_or_else(|| wrong_key("its kind is unknown".into()))?;
        let chain = parse_all(&files.chain_file(), &der)?;
        if subject_public_key(&der[0]).as_deref() != Some(public_key.as_ref()) {
            let elsewhere = files.separate_chain().map(|_| format!(" in {}", files.key_file().display()));
            let problem = Problem::Mismatch { elsewhere: elsewhere.unwrap_or_default() };
            return Err(LoadError::new(&files.chain_file(), problem));
        }
        Ok(Self { key: Arc::new(CertifiedKey::new(der, signing_key)), chain })
    }

    /// Whether peers can verify it at all, in the opinion of rustls-webpki.
    fn usable(&self, files: &CredentialFiles) -> Result<(), LoadError> {
        let refused = |problem| Err(LoadError::new(&files.chain_file(), problem));
        if self.leaf().is_ca {
            return refused(Problem::LeafIsCa { subject: self.leaf().called() });
        }
        match ParsedCertificate::try_from(&self.key.cert[0]) {
            Ok(_) => Ok(()),
            Err(error) => refused(Problem::UnusableLeaf(error.to_string())),
        }
    }

    fn validity(&self, files: &CredentialFiles, now: SystemTime) -> Result<(), LoadError> {
        let leaf = self.leaf();
        let problem = if now > leaf.not_after {
            Problem::Expired(leaf.not_after)
        } else if now < leaf.not_before {
            Problem::NotYetValid(leaf.not_before)
        } else {
            return Ok(());
        };
        Err(LoadError::new(&files.chain_file(), problem))
    }
}

impl Files for CredentialFiles {
    type Content = Credentials;
}

impl Mounted for Credentials {
    type Files = CredentialFiles;

    fn read(files: &CredentialFiles) -> Result<Vec<Bytes>, LoadError> {
        files.check_folder()?;
        let mut bytes = vec![read(&files.key_file(), CredentialFiles::MAX_BYTES)?];
        if let Some(chain) = files.separate_chain() {
            bytes.push(read(chain, CredentialFiles::MAX_BYTES)?);
        }
        Ok(bytes)
    }

    fn parse(files: &CredentialFiles, bytes: &[Bytes], now: SystemTime) -> Result<Self, LoadError> {
        let key_file = files.key_file();
        let [first, rest @ ..] = bytes else { return Err(LoadError::new(&key_file, Problem::Missing)) };
        let mut of_key = Blocks::parse(&key_file, first)?;
        let found = of_key.found();
        let key = match (of_key.keys.pop(), of_key.keys.len()) {
            (None, _) => return Err(LoadError::new(&key_file, Problem::NoKey { found })),
            (Some(key), 0) => key,
            (Some(_), more) => return Err(LoadError::new(&key_file, Problem::SeveralKeys(more + 1))),
        };
        let chain_file = files.chain_file();
        let of_chain = match rest.first() {
            None => of_key,
            Some(chain) => Blocks::parse(&chain_file, chain)?,
        };
        if of_chain.certificates.is_empty() {
            let remedy = match rest {
                [] => "a credential bundle has the key, then the chain (`credentialBundlePath`)",
                _ => "name the file at `certificateChainPath`",
            };
            let found = if rest.is_empty() { found } else { of_chain.found() };
            return Err(LoadError::new(&chain_file, Problem::NoCertificate { found, remedy }));
        }
        let credentials = Self::assemble(files, &key, of_chain.certificates)?;
        credentials.usable(files)?;
        match credentials.validity(files, now) {
            Err(error) if matches!(error.problem(), Problem::Expired(_)) => Err(error),
            _ => Ok(credentials),
        }
    }

    fn still_good(&self, files: &CredentialFiles, now: SystemTime) -> Result<(), LoadError> {
        self.validity(files, now)
    }

    fn same_as(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }

    fn describe(&self) -> String {
        let leaf = self.leaf();
        format!(
            "certificate {} for {}, valid until {}",
            leaf.serial,
            leaf.names().join(", "),
            crate::certificate::utc(leaf.not_after)
        )
    }
}

/// Parses each certificate of a file.
fn parse_all(file: &Path, der: &[CertificateDer<'_>]) -> Result<Vec<Certificate>, LoadError> {
    let parse = |(index, der): (usize, &CertificateDer<'_>)| {
        Certificate::from_der(der).map_err(|error| {
            LoadError::new(file, Problem::BadCertificate { position: index + 1, problem: error.to_string() })
        })
    };
    der.iter().enumerate().map(parse).collect()
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, chain } = self;
        f.debug_struct("Credentials").field("chain", chain).finish_non_exhaustive()
    }
}

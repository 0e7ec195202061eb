//! A folder as SPIFFE Filesystem Delivery lays it out: one certificate, and trust anchors for each trust domain.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env, fmt, fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{self, Sender},
    },
    time::{Duration, SystemTime},
};

use spiffe_id::{TrustDomain, parse_trust_domain};

use crate::{
    credentials::{CredentialFiles, Credentials},
    load_error::{LoadError, Problem},
    trust_bundle::{TrustBundle, TrustFile},
    watched::{Watched, look_at_each},
};

/// A folder as the draft of SPIFFE Filesystem Delivery lays it out, followed as it changes: the certificate of the
/// workload, and a trust bundle for each trust domain whose workloads it may know, its own included. Clones see the
/// same.
///
/// | file | what |
/// |---|---|
/// | `credential-bundle.private-key.x509.pem`, or `credential-bundle.pem` as the draft had it first | the key, then the chain |
/// | `<trust domain>.spiffe-trust-bundle.x509.pem`, or `<trust domain>.spiffe-trust-bundle.pem` | the anchors of a trust domain |
///
/// Trust domains are never mixed: the certificate of a peer is verified with the anchors of the trust domain in its
/// SPIFFE ID, and no others. A domain whose file comes is known from the next poll on, and one whose file goes isn't
/// any more; a file that is damaged leaves the last good anchors of its domain in use. The draft is
/// <https://github.com/spiffe/spiffe/pull/376>.
///
/// ```
/// use pod_credentials::*;
///
/// let folder = CredentialFolder::open("/run/spiffe", DEFAULT_POLL)?;
/// let own = SpiffeRule::in_trust_domain(parse_trust_domain("cluster.local")?);
/// let partner = SpiffeRule::exactly(parse_spiffe_id("spiffe://partner.example/ns/shop/sa/web")?);
/// let rule = PeerRule::spiffe(own).or(PeerRule::spiffe(partner));
/// let server = server_config(folder.credentials(), Clients::required(&folder, rule))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CredentialFolder(Arc<Folder>);

struct Folder {
    path: PathBuf,
    credentials: Watched<Credentials>,
    found: RwLock<Found>,
    /// Dropped, it ends the thread that follows.
    _end: Option<Sender<Infallible>>,
}

#[derive(Default)]
struct Found {
    bundles: BTreeMap<TrustDomain, (PathBuf, Watched<TrustBundle>)>,
    problem: Option<LoadError>,
}

/// The newer name first.
pub(crate) const CREDENTIAL_FILES: [&str; 2] =
    ["credential-bundle.private-key.x509.pem", "credential-bundle.pem"];
const TRUST_FILE_ENDINGS: [&str; 2] = [".spiffe-trust-bundle.x509.pem", ".spiffe-trust-bundle.pem"];

/// More trust domains than anybody federates with.
const MOST_DOMAINS: usize = 1024;

impl CredentialFolder {
    /// The environment variable that the draft's example uses.
    pub const VARIABLE: &'static str = "SPIFFE_CREDENTIAL_FOLDER";

    /// Looks at a folder once, then at each `poll` on a thread of its own, as [`Watched::follow`] does with files.
    ///
    /// # Errors
    /// If no thread can be started. A problem with the folder is none: see [`problem`](Self::problem).
    pub fn open(path: impl Into<PathBuf>, poll: Duration) -> io::Result<Self> {
        let (end, ended) = mpsc::channel();
        let folder = Self::new(path.into(), Some(end), SystemTime::now());
        let followed = Arc::downgrade(&folder.0);
        look_at_each(poll, ended, move || {
            if let Some(folder) = followed.upgrade() {
                Self(folder).look(SystemTime::now());
            }
        })?;
        Ok(folder)
    }

    /// [`open`](Self::open)s the folder that the environment variable [`VARIABLE`](Self::VARIABLE) names, if it is
    /// set.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn from_environment(poll: Duration) -> io::Result<Option<Self>> {
        let named = env::var_os(Self::VARIABLE).filter(|path| !path.is_empty());
        named.map(|path| Self::open(path, poll)).transpose()
    }

    /// Looks at the folder once. To follow it, call [`look`](Self::look).
    #[must_use]
    pub fn once(path: impl Into<PathBuf>, now: SystemTime) -> Self {
        Self::new(path.into(), None, now)
    }

    fn new(path: PathBuf, end: Option<Sender<Infallible>>, now: SystemTime) -> Self {
        let credentials = Watched::once(CredentialFiles::in_folder(&path), now);
        let folder = Self(Arc::new(Folder { path, credentials, found: RwLock::default(), _end: end }));
        folder.look_at_bundles(now);
        folder
    }

    /// Looks at all files now. It blocks for reads.
    pub fn look(&self, now: SystemTime) {
        self.0.credentials.look(now);
        self.look_at_bundles(now);
    }

    /// The workload's certificate.
    #[must_use]
    pub fn credentials(&self) -> &Watched<Credentials> {
        &self.0.credentials
    }

    /// The trust domains whose workloads can be verified.
    #[must_use]
    pub fn trust_domains(&self) -> Vec<TrustDomain> {
        self.0.found().bundles.keys().cloned().collect()
    }

    /// The anchors of a trust domain, if the folder has a file of them.
    #[must_use]
    pub fn bundle(&self, trust_domain: &TrustDomain) -> Option<Watched<TrustBundle>> {
        self.0.found().bundles.get(trust_domain).map(|(_, bundle)| bundle.clone())
    }

    /// Why the folder can't be listed, or which file in it has the name of no trust domain. What is wrong with a
    /// single file, its [`Watched::status`] says.
    #[must_use]
    pub fn problem(&self) -> Option<LoadError> {
        self.0.found().problem.clone()
    }

    fn look_at_bundles(&self, now: SystemTime) {
        let (files, problem) = match trust_files(&self.0.path) {
            Ok(listed) => listed,
            // what was known stays known
            Err(problem) => return self.0.refuse(Some(problem)),
        };
        let known: BTreeMap<_, _> =
            self.0.found().bundles.iter().map(|(domain, bundle)| (domain.clone(), bundle.clone())).collect();
        let mut bundles = BTreeMap::new();
        for (domain, file) in files {
            let bundle = match known.get(&domain) {
                Some((known, bundle)) if *known == file => {
                    bundle.look(now);
                    bundle.clone()
                }
                _ => {
                    tracing::info!("trust domain {domain} is known from now on, by {}", file.display());
                    Watched::once(TrustFile::new(&file), now)
                }
            };
            bundles.insert(domain, (file, bundle));
        }
        for domain in known.keys().filter(|domain| !bundles.contains_key(*domain)) {
            tracing::warn!("trust domain {domain} isn't known any more: its file is gone");
        }
        self.0.found.write().unwrap_or_else(PoisonError::into_inner).bundles = bundles;
        self.0.refuse(problem);
    }
}

impl Folder {
    fn found(&self) -> std::sync::RwLockReadGuard<'_, Found> {
        self.found.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each problem is logged once.
    fn refuse(&self, problem: Option<LoadError>) {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = found.problem != problem;
        found.problem.clone_from(&problem);
        drop(found);
        if let Some(problem) = problem.filter(|_| is_new) {
            tracing::warn!("{problem}");
        }
    }
}

/// The file of each trust domain, and what is wrong with another one.
type Listed = (BTreeMap<TrustDomain, PathBuf>, Option<LoadError>);

fn trust_files(folder: &Path) -> Result<Listed, LoadError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => LoadError::new(folder, Problem::Missing),
        kind => LoadError::new(folder, Problem::NotListed(kind)),
    };
    let (mut files, mut problem) = (BTreeMap::new(), None);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let Some((stem, is_newer)) = file.file_name().and_then(|name| stem(name.to_str()?)) else { continue };
        // a link that kubelet has yet to remove
        if fs::metadata(&file).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            continue;
        }
        match parse_trust_domain(stem) {
            Ok(_) if files.len() >= MOST_DOMAINS => {
                problem = Some(LoadError::new(folder, Problem::TooManyDomains { most: MOST_DOMAINS }));
            }
            Ok(domain) if is_newer || !files.contains_key(&domain) => _ = files.insert(domain, file),
            Ok(_) => {}
            Err(error) => {
                problem = Some(LoadError::new(&file, Problem::NoTrustDomain(error.to_string())));
            }
        }
    }
    Ok((files, problem))
}

/// What stands before the ending of a trust bundle's name, and whether that is the newer one.
fn stem(name: &str) -> Option<(&str, bool)> {
    let [newer, older] = TRUST_FILE_ENDINGS.map(|ending| name.strip_suffix(ending));
    newer.map(|stem| (stem, true)).or_else(|| older.map(|stem| (stem, false)))
}

impl fmt::Debug for CredentialFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialFolder").field("path", &self.0.path).finish_non_exhaustive()
    }
}

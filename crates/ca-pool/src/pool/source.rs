//! Where a pool is kept: files, as Secrets are mounted, or a Secret that the process reads itself.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::{AutomaticRotation, CaPool, PemNames, PoolError};

/// Where a pool is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolSource {
    /// A pool in JSON.
    PoolFile(PathBuf),
    /// A pool of one CA in PEM files.
    PemFiles {
        /// The certificate that signs and those above it (`certFile`).
        cert: PathBuf,
        /// Its private key (`keyFile`).
        key: PathBuf,
        /// The root, where `cert` doesn't have it (`rootFile`).
        root: Option<PathBuf>,
    },
    /// A Secret. It is read by who has a client; what is here for files fails.
    Secret(SecretPool),
}

/// A Secret that holds a CA pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPool {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How it is rotated automatically; `None`: it is only read.
    pub automatic_rotation: Option<AutomaticRotation>,
}

/// What stands in the files: bytes that belong together, since they were read twice and didn't change in
/// between.
#[derive(PartialEq, Eq)]
pub struct PoolBytes(Content);

#[derive(PartialEq, Eq)]
enum Content {
    Json(Zeroizing<Vec<u8>>),
    Pem { cert: Zeroizing<Vec<u8>>, key: Zeroizing<Vec<u8>>, root: Option<Zeroizing<Vec<u8>>> },
}

/// Why there is no pool in the files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolSourceError {
    /// A file isn't there.
    #[error("{path} doesn't exist; {remedy}")]
    Missing {
        /// The file.
        path: String,
        /// How to get one.
        remedy: String,
    },
    /// A file is something else than a file.
    #[error("{path} is not a regular file; give the path of a file")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// A file is longer than any pool needs.
    #[error("{path} has more than {most} bytes, the most that a CA pool may have", most = CaPool::MAX_INPUT_BYTES)]
    TooLong {
        /// The file.
        path: String,
    },
    /// A file can't be read.
    #[error("{path} can't be read: {source}. Give this user the right to read it, or correct the path")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// The files change faster than they can be read.
    #[error("{files} kept changing while being read; they will be read again")]
    Unsteady {
        /// The files.
        files: String,
    },
    /// It isn't in files.
    #[error("{secret} is read from the API server, not from files")]
    NotInFiles {
        /// The Secret.
        secret: String,
    },
    /// What stands in them is no pool.
    #[error("{files}: {source}")]
    Bad {
        /// The files.
        files: String,
        /// Why.
        source: Box<PoolError>,
    },
}

impl PoolSource {
    /// Reads the files, bounded. This blocks.
    ///
    /// Kubelet swaps all files of a Secret at once, but they are read one after the other: they are read
    /// until twice the same came of it, so that a certificate of yesterday never meets a key of today.
    ///
    /// # Errors
    /// If a file is missing, can't be read or is too long, or if it is in a Secret.
    pub fn read(&self) -> Result<PoolBytes, PoolSourceError> {
        steady(|| self.read_once())?.ok_or_else(|| PoolSourceError::Unsteady { files: self.to_string() })
    }

    /// Makes a pool of what was read from here. It touches no file; the error names them.
    ///
    /// # Errors
    /// If it is no pool.
    pub fn parse(&self, bytes: &PoolBytes) -> Result<CaPool, PoolSourceError> {
        bytes
            .parse()
            .map_err(|source| PoolSourceError::Bad { files: self.to_string(), source: source.into() })
    }

    /// Reads and parses.
    ///
    /// # Errors
    /// If either fails.
    pub fn load(&self) -> Result<CaPool, PoolSourceError> {
        self.parse(&self.read()?)
    }

    /// What is wrong with the permissions of the file that holds the key: everybody on the machine may use
    /// it. `None` too where that can't be told.
    #[must_use]
    pub fn exposed_key(&self) -> Option<String> {
        let path = match self {
            Self::PoolFile(path) | Self::PemFiles { key: path, .. } => path,
            Self::Secret(_) => return None,
        };
        let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o7777;
        (mode & 0o007 != 0).then(|| {
            format!(
                "{} holds a CA's key, and its mode {mode:04o} lets everybody on this machine use it. Give it mode 0600 or 0640; where a Secret is mounted, defaultMode: 0440 with the \
                 pod's fsGroup",
                path.display()
            )
        })
    }

    fn read_once(&self) -> Result<PoolBytes, PoolSourceError> {
        let content = match self {
            Self::PoolFile(path) => Content::Json(read_file(path, || {
                format!(
                    "make one with `signerctl ca-pool create --file {}`, or mount the Secret that holds it",
                    path.display()
                )
            })?),
            Self::PemFiles { cert, key, root } => {
                let remedy = || {
                    "mount the Secret that holds it (type kubernetes.io/tls has tls.crt and tls.key), or correct the path".to_owned()
                };
                Content::Pem {
                    cert: read_file(cert, remedy)?,
                    key: read_file(key, remedy)?,
                    root: root.as_deref().map(|root| read_file(root, remedy)).transpose()?,
                }
            }
            Self::Secret(_) => return Err(PoolSourceError::NotInFiles { secret: self.to_string() }),
        };
        Ok(PoolBytes(content))
    }
}

impl PoolBytes {
    /// Makes a pool of them.
    ///
    /// # Errors
    /// If they are no pool.
    pub fn parse(&self) -> Result<CaPool, PoolError> {
        self.parse_named(PemNames::CONFIGURATION)
    }

    /// The same where messages call PEM files something else than the controller's configuration does.
    ///
    /// # Errors
    /// If they are no pool.
    pub fn parse_named(&self, names: PemNames) -> Result<CaPool, PoolError> {
        match &self.0 {
            Content::Json(json) => CaPool::from_json(json),
            Content::Pem { cert, key, root } => {
                CaPool::from_named_pem(cert, key, root.as_ref().map(|root| root.as_slice()), names)
            }
        }
    }

    /// A digest, by which whoever waits for a change needn't keep the bytes.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let parts: Vec<&[u8]> = match &self.0 {
            Content::Json(json) => vec![json],
            Content::Pem { cert, key, root } => {
                vec![cert, key, root.as_ref().map_or(&[], |root| root.as_slice())]
            }
        };
        let mut context = digest::Context::new(&digest::SHA256);
        for part in parts {
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}

/// Reads until twice the same came of it; not for ever.
fn steady<T: PartialEq, E>(mut read: impl FnMut() -> Result<T, E>) -> Result<Option<T>, E> {
    const TRIES: usize = 4;
    let mut last = read()?;
    for _ in 0..TRIES {
        let again = read()?;
        if again == last {
            return Ok(Some(last));
        }
        last = again;
    }
    Ok(None)
}

fn read_file(path: &Path, remedy: impl Fn() -> String) -> Result<Zeroizing<Vec<u8>>, PoolSourceError> {
    let name = path.display().to_string();
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => PoolSourceError::Missing { path: name.clone(), remedy: remedy() },
        _ => PoolSourceError::Unreadable { path: name.clone(), source },
    };
    // A FIFO would block at open, so it is asked before; who can swap the file can swap the CA too.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(PoolSourceError::NotAFile { path: name });
    }
    let file = File::open(path).map_err(unreadable)?;
    let bound = CaPool::MAX_INPUT_BYTES + 1;
    let length = file.metadata().map_err(unreadable)?.len();
    let capacity = usize::try_from(length).unwrap_or(bound).min(bound) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(bound as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() == bound {
        return Err(PoolSourceError::TooLong { path: name });
    }
    Ok(bytes)
}

impl fmt::Display for PoolSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PoolFile(path) => write!(f, "CA pool {}", path.display()),
            Self::PemFiles { cert, key, root } => {
                write!(f, "CA of certFile {}, keyFile {}", cert.display(), key.display())?;
                root.iter().try_for_each(|root| write!(f, ", rootFile {}", root.display()))
            }
            Self::Secret(SecretPool { namespace, name, .. }) => {
                write!(f, "CA pool in Secret {namespace}/{name}")
            }
        }
    }
}

impl fmt::Debug for PoolBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBytes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

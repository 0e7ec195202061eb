//! Where a pool is, or shall be, kept.

use std::{fmt, fs, path::PathBuf, rc::Rc};

use ca_pool::CaPool;
use clap::Args;
use jiff::Timestamp;

use crate::{
    error::Error,
    terminal::{Look, Tone},
};
use crate::{
    store::clock,
    store::cluster::{Cluster, ClusterArguments},
    store::file,
    store::secret::SecretPlace,
    text::arguments::{namespace, secret_name},
    text::shell::quote,
    text::wrap::{wrap, wrap_behind},
};

/// Where a pool is, or shall be, kept.
#[derive(Args, Clone, Debug)]
#[group(id = "place", required = true, multiple = true)]
pub(crate) struct PlaceArguments {
    /// The pool is this file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["namespace", "name"])]
    file: Option<PathBuf>,
    /// The pool is a Secret in this namespace.
    #[arg(long, value_name = "NAMESPACE", requires = "name", value_parser = namespace)]
    namespace: Option<String>,
    /// The Secret's name. The pool is its key `pool`.
    #[arg(long, value_name = "NAME", requires = "namespace", value_parser = secret_name)]
    name: Option<String>,
}

/// A place where a pool is kept.
#[derive(Clone)]
pub(crate) enum Place {
    File(PathBuf),
    Secret(SecretPlace),
}

/// A pool that was read, to be replaced.
pub(crate) struct Opened<'a> {
    /// `None`: there is a place for it, and it is empty.
    pub(crate) pool: Option<CaPool>,
    pub(crate) original: Original<'a>,
}

/// What stood there when it was read.
pub(crate) enum Original<'a> {
    File(file::Original<'a>),
    Secret(crate::store::secret::Original<'a>),
}

/// How texts name a place.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// `CA pool Secret mesh/spiffe-ca-pool`, or a path.
    pub(crate) pool: String,
    /// For a Secret: context and server.
    pub(crate) cluster: Option<String>,
    /// How a command line leads there.
    pub(crate) arguments: String,
}

impl PlaceArguments {
    pub(crate) fn place(self, cluster: ClusterArguments) -> Result<Place, Error> {
        match self {
            Self { file: Some(file), .. } => Ok(Place::File(file)),
            Self { namespace: Some(namespace), name: Some(name), .. } => {
                let cluster = cluster.connect()?;
                cluster.check_clock()?;
                Ok(Place::Secret(SecretPlace { cluster: Rc::new(cluster), namespace, name }))
            }
            _ => Err(Error::NoPlace),
        }
    }
}

impl Place {
    /// Reads the pool, to replace it. A file has no clock of its own beside it, so the time is held against
    /// what the pool shows.
    pub(crate) fn open(&self, now: Timestamp) -> Result<Opened<'_>, Error> {
        match self {
            Self::File(path) => {
                let (pool, original) = file::open(path)?;
                clock::check_is_after(&pool, &path.display().to_string(), now)?;
                Ok(Opened { pool: Some(pool.as_of(now)), original: Original::File(original) })
            }
            Self::Secret(secret) => {
                let (pool, original) = secret.open()?;
                Ok(Opened { pool: pool.map(|pool| pool.as_of(now)), original: Original::Secret(original) })
            }
        }
    }

    /// Whether there is a pool that can be changed.
    pub(crate) fn has_pool(&self) -> Result<bool, Error> {
        match self {
            Self::File(path) => Ok(fs::symlink_metadata(path).is_ok()),
            Self::Secret(secret) => match secret.open() {
                Ok((pool, _)) => Ok(pool.is_some()),
                Err(Error::NoSecret { .. }) => Ok(false),
                Err(error) => Err(error),
            },
        }
    }

    /// Writes a new pool where none is.
    pub(crate) fn create(&self, pool: &CaPool) -> Result<(), Error> {
        let json = pool.to_json()?;
        match self {
            Self::File(path) => file::create(path, &json),
            Self::Secret(secret) => secret.create(&json),
        }
    }

    /// The cluster, where it is in one.
    pub(crate) fn cluster(&self) -> Option<Rc<Cluster>> {
        match self {
            Self::File(_) => None,
            Self::Secret(secret) => Some(Rc::clone(&secret.cluster)),
        }
    }

    /// How a command line leads to it.
    pub(crate) fn arguments(&self) -> String {
        match self {
            Self::File(path) => format!("--file {}", quote(&path.to_string_lossy())),
            Self::Secret(secret) => secret.arguments(),
        }
    }

    pub(crate) fn label(&self) -> Label {
        Label {
            pool: format!("CA pool {self}"),
            cluster: self.cluster().map(|cluster| cluster.to_string()),
            arguments: self.arguments(),
        }
    }
}

impl Original<'_> {
    /// Writes over what was read. False: it isn't there any more.
    pub(crate) fn replace(self, pool: &CaPool) -> Result<bool, Error> {
        let json = pool.to_json()?;
        match self {
            Self::File(original) => original.replace(&json),
            Self::Secret(original) => original.replace(&json),
        }
    }
}

impl Label {
    /// What has become of the pool, and in which cluster.
    pub(crate) fn headline(&self, look: Look, tone: Tone, text: &str) -> String {
        let lines = wrap(text, look.width, 2);
        let head: String = lines.iter().map(|line| look.paint(tone, line) + "\n").collect();
        let cluster =
            self.cluster.as_ref().map(|cluster| wrap_behind("", &format!("In {cluster}"), look.width));
        head + &cluster.unwrap_or_default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Secret(secret) => write!(f, "{secret}"),
        }
    }
}

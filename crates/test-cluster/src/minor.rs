//! The Kubernetes minor versions for which there is a test control plane.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::Error;

/// A Kubernetes minor version that `hack/controlplane` can build, such as `1.37`.
///
/// What exists is what has a module file in `hack/controlplane/versions`: a new version needs no change here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(u32);

impl Minor {
    /// Every version there is, oldest first.
    pub fn all() -> Result<Vec<Self>, Error> {
        let versions = source_dir().join("versions");
        let unreadable = |source| Error::Io {
            doing: "listing the control plane's versions",
            path: versions.clone(),
            source,
        };
        let mut all = Vec::new();
        for entry in std::fs::read_dir(&versions).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            all.extend(name.to_str().and_then(|name| name.strip_suffix(".mod")).and_then(Self::parse));
        }
        all.sort();
        Ok(all)
    }

    /// The newest version there is: the default of every command and test.
    pub fn newest() -> Result<Self, Error> {
        Self::named("newest")
    }

    /// The version of that name: `1.37`, `newest` or `oldest`.
    pub fn named(name: &str) -> Result<Self, Error> {
        let known = Self::all()?;
        let found = match name {
            "newest" => known.last().copied(),
            "oldest" => known.first().copied(),
            _ => Self::parse(name).filter(|minor| known.contains(minor)),
        };
        let unknown = || Error::UnknownMinor {
            asked: name.into(),
            known: known.iter().map(Self::to_string).chain(["newest".into(), "oldest".into()]).collect(),
        };
        found.ok_or_else(unknown)
    }

    fn parse(name: &str) -> Option<Self> {
        name.strip_prefix("1.")?.parse().ok().map(Self)
    }
}

impl FromStr for Minor {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::named(name)
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

/// The repository's root, in which cargo compiled this crate.
pub fn workspace_dir() -> &'static Path {
    let this_crate = Path::new(env!("CARGO_MANIFEST_DIR"));
    this_crate.ancestors().nth(2).unwrap_or(this_crate)
}

/// The Go module of the control plane.
pub(crate) fn source_dir() -> PathBuf {
    workspace_dir().join("hack/controlplane")
}

#[cfg(test)]
mod tests;

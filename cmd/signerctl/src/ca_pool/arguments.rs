//! Arguments that more than one subcommand takes.

use std::{fmt, path::PathBuf, time::Duration};

use clap::Args;
use signer_core::{CaPool, LONGEST_LEAF, Terms, format_duration, parse_duration};

use crate::error::Error;

/// Where a pool is, or shall be, kept.
#[derive(Args, Clone, Debug)]
#[group(id = "place", required = true, multiple = true)]
pub(super) struct PlaceArguments {
    /// The pool is this file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["namespace", "name"])]
    file: Option<PathBuf>,
    /// The pool is a Secret in this namespace.
    #[arg(long, value_name = "NAMESPACE", requires = "name")]
    namespace: Option<String>,
    /// The Secret's name. The pool is its key `pool`.
    #[arg(long, value_name = "NAME", requires = "namespace")]
    name: Option<String>,
}

/// A place where a pool is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Secret { namespace: String, name: String },
}

impl TryFrom<PlaceArguments> for Place {
    type Error = Error;

    fn try_from(arguments: PlaceArguments) -> Result<Self, Error> {
        match arguments {
            PlaceArguments { file: Some(file), .. } => Ok(Self::File(file)),
            PlaceArguments { namespace: Some(namespace), name: Some(name), .. } => {
                Ok(Self::Secret { namespace, name })
            }
            _ => Err(Error::NoPlace),
        }
    }
}

impl Place {
    /// How a command line leads to it.
    pub(super) fn arguments(&self) -> String {
        match self {
            Self::File(path) => format!("--file {}", path.display()),
            Self::Secret { namespace, name } => format!("--namespace {namespace} --name {name}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Secret { namespace, name } => write!(f, "Secret {namespace}/{name}"),
        }
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// A lifetime that the API lets a certificate have.
pub(super) fn leaf_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration(text)?;
    if (Terms::LEAST_LIFETIME..=LONGEST_LEAF).contains(&lifetime) {
        return Ok(lifetime);
    }
    Err(format!(
        "Kubernetes lets a certificate live for {} to {}",
        format_duration(Terms::LEAST_LIFETIME),
        format_duration(LONGEST_LEAF)
    ))
}

/// `<namespace>/<name>`.
pub(super) fn namespaced(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("write it as NAMESPACE/NAME".to_owned()),
    }
}

/// An ID becomes a part of the CA's subject, so it has to leave room for the rest.
pub(super) fn ca_id(text: &str) -> Result<String, String> {
    const LONGEST: usize = 32;
    const _: () = assert!(LONGEST <= CaPool::MAX_ID_CHARACTERS);
    let fits = (1..=LONGEST).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err(format!("an ID is 1 to {LONGEST} visible ASCII characters")) }
}

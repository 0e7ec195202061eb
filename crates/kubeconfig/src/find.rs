//! Which files are read, in which order (client-go `tools/clientcmd/loader.go`).

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    Environment, Error,
    document::Document,
    files::{self, LARGEST},
};

/// The kubeconfig that was asked for, which must be there; else those of `KUBECONFIG` that are there, the
/// first word on each entry being the last; else `~/.kube/config`.
pub(crate) fn document(explicit: Option<&Path>, environment: &Environment) -> Result<Document, Error> {
    if let Some(path) = explicit {
        let missing = || Error::Missing { file: path.display().to_string() };
        return read(path)?.ok_or_else(missing);
    }
    let mut whole = Document::default();
    for path in paths(environment) {
        if let Some(document) = read(&path)? {
            whole = whole.merge(document);
        }
    }
    Ok(whole)
}

/// Those of the environment, each once, and without empty ones.
fn paths(environment: &Environment) -> Vec<PathBuf> {
    let Some(list) = &environment.kubeconfig else {
        return environment.home.iter().map(|home| home.join(".kube/config")).collect();
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in env::split_paths(list) {
        if !path.as_os_str().is_empty() && !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// Where it was looked, for messages.
pub(crate) fn looked_at(explicit: Option<&Path>, environment: &Environment) -> String {
    match (explicit, &environment.kubeconfig) {
        (Some(path), _) => format!("{} has no context", path.display()),
        (None, Some(list)) => format!("KUBECONFIG is {}", list.to_string_lossy()),
        (None, None) => "KUBECONFIG isn't set, and ~/.kube/config has no context".to_owned(),
    }
}

fn read(path: &Path) -> Result<Option<Document>, Error> {
    // relative paths in it count from its directory, wherever this process is later
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    files::read(&path, LARGEST)?.map(|text| Document::parse(&text, &path)).transpose()
}

#[cfg(test)]
mod tests;

//! The manifests of this repository, as users apply them.
#![allow(dead_code, reason = "each test program uses its part of it")]

use std::{fs, path::Path};

use serde_json::Value;
use test_cluster::workspace_dir;

pub(crate) const CONTROLLER: &str = "controller-manifests";
pub(crate) const SELF_KEEPING: &str = "controller-manifests/self-keeping-pools";
pub(crate) const METRICS_AUTH: &str = "controller-manifests/metrics-auth";
pub(crate) const EXAMPLES: &str = "example-manifests";

/// A file of manifests.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// Its name, without the folder.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Every file of a folder that `kubectl apply -f` reads, in its order: those that end in `.yaml`, without
/// subfolders.
pub(crate) fn folder(folder: &str) -> Vec<Manifest> {
    let dir = workspace_dir().join(folder);
    let names = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".yaml")).collect();
    names.sort();
    assert!(!names.is_empty(), "no manifests in {}", dir.display());
    names.into_iter().map(|name| Manifest { text: read(format!("{folder}/{name}")), name }).collect()
}

/// A file of the repository.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = workspace_dir().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Manifest {
    /// The objects in it.
    pub(crate) fn objects(&self) -> Vec<Value> {
        documents(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The same with other names, wherever they stand in it.
    pub(crate) fn renamed(&self, names: &[(String, String)]) -> Self {
        Self { name: self.name.clone(), text: renamed(&self.text, names) }
    }
}

/// The documents of a YAML text.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, serde_saphyr::Error> {
    serde_saphyr::from_multiple(text)
}

/// A text with other names, wherever they stand in it.
pub(crate) fn renamed(text: &str, names: &[(String, String)]) -> String {
    names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The only object of that kind in a folder.
pub(crate) fn only(folder_name: &str, kind: &str) -> Value {
    let objects = folder(folder_name).iter().flat_map(Manifest::objects).collect::<Vec<_>>();
    let mut found: Vec<_> = objects.into_iter().filter(|object| object["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "objects of kind {kind} in {folder_name}");
    found.remove(0)
}

/// The object of that kind and name in a folder.
pub(crate) fn named(folder_name: &str, kind: &str, name: &str) -> Value {
    let objects = folder(folder_name).iter().flat_map(Manifest::objects).collect::<Vec<_>>();
    let found =
        objects.into_iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {folder_name}"))
}

/// The YAML in a page of the documentation.
pub(crate) fn yaml_of(page: &str) -> Vec<Value> {
    let text = read(page);
    let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(|yaml| documents(yaml).unwrap_or_else(|error| panic!("{page}: {error}"))).collect()
}

/// The ConfigMap of a folder that holds the configuration.
pub(crate) fn configuration_object(folder_name: &str) -> Value {
    let mut objects = folder(folder_name).into_iter().flat_map(|manifest| manifest.objects());
    let found =
        objects.find(|object| object["kind"] == "ConfigMap" && object["data"]["signers.yaml"].is_string());
    found.expect("a ConfigMap with signers.yaml")
}

/// The configuration that a folder's ConfigMap holds.
pub(crate) fn configuration(folder: &str) -> String {
    text(&configuration_object(folder)["data"]["signers.yaml"])
}

/// The names of the signers in the configuration.
pub(crate) fn signer_names() -> Vec<String> {
    let configuration = documents(&configuration(CONTROLLER)).unwrap().remove(0);
    texts(&configuration["signers"], "name")
}

/// That field of each item of a list.
pub(crate) fn texts(list: &Value, field: &str) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|item| text(&item[field])).collect()
}

/// A list of texts.
pub(crate) fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

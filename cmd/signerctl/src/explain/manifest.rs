//! Manifests: the pods that they would make, and the Services among them.

use std::{collections::BTreeMap, fs::File, io::Read as _, path::Path};

use api_client::object::{ApiObject, read_object};
use serde_json::{Map, Value, json};
use serde_saphyr::{MessageFormatter as _, UserMessageFormatter};
use signer_core::cluster::{Namespace, NamespacedService, Pod, Service, Services};

use crate::{error::Error, observed::shown};

/// The longest file that is read.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What stands in for a node's name, which nobody knows before a pod is bound.
const NODE: &str = "node-1";

/// Stands for the letters that Kubernetes appends to generated names.
const RANDOM_SUFFIX: &str = "x7k2p";

/// What manifests say that counts here.
#[derive(Default)]
pub(crate) struct Manifests {
    pub(crate) workloads: Vec<Workload>,
    services: BTreeMap<String, Vec<Service>>,
    namespaces: BTreeMap<String, Namespace>,
}

/// What makes pods that are all alike.
pub(crate) struct Workload {
    /// `deployment/web`
    pub(crate) name: String,
    pub(crate) file: String,
    /// One of them.
    pub(crate) pod: Pod,
    /// Whether its name is made up.
    pub(crate) is_example: bool,
}

impl Manifests {
    /// Reads a file, and adds what is in it. `-` is standard input.
    pub(crate) fn add(&mut self, path: &Path, namespace: &str) -> Result<(), Error> {
        let file = if path == Path::new("-") { "standard input".into() } else { path.display().to_string() };
        let text = read(path)?;
        // no snippet: a Secret may be in the file
        let options = serde_saphyr::options! { with_snippet: false };
        let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(&text, options)
            .map_err(|error| manifest(&file, not_yaml(&error)))?;
        if documents.iter().all(Value::is_null) {
            return Err(manifest(
                &file,
                "is empty; give the manifests of a pod or of what makes pods".into(),
            ));
        }
        // empty documents aren't counted: the parser passes most of them over
        let documents = documents.into_iter().filter(|document| !document.is_null());
        documents.enumerate().try_for_each(|(index, document)| {
            self.object(document, namespace, &file)
                .map_err(|problem| manifest(&file, format!("manifest {}: {problem}", index + 1)))
        })
    }

    /// The Services of a namespace.
    pub(crate) fn services(&self, namespace: &str) -> Services {
        self.services.get(namespace).cloned().unwrap_or_default().into_iter().collect()
    }

    /// A namespace, with its labels.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.get(name)
    }

    fn object(&mut self, mut object: Value, namespace: &str, file: &str) -> Result<(), String> {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default().to_owned();
        if kind.is_empty() || version.is_empty() {
            return Err("has no kind and apiVersion, so it isn't a manifest".into());
        }
        if kind.ends_with("List") && object.get("items").is_some() {
            let items = object.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
            return items
                .unwrap_or_default()
                .into_iter()
                .try_for_each(|item| self.object(item, namespace, file));
        }
        let metadata = object.as_object_mut().map(|object| object.entry("metadata").or_insert(json!({})));
        let metadata = metadata.and_then(Value::as_object_mut).ok_or("its metadata isn't a mapping")?;
        let named = metadata.get("namespace").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
        if !named {
            metadata.insert("namespace".into(), json!(namespace));
        }
        let group = version.split_once('/').map_or("", |(group, _)| group);
        match (group, kind.as_str()) {
            ("", "Service") => return self.service(&object),
            ("", "Namespace") => {
                let namespace = parsed::<Namespace>(&object)?;
                self.namespaces.insert(namespace.name.clone(), namespace);
                return Ok(());
            }
            ("", "Pod" | "ReplicationController") | ("apps" | "batch", _) => {}
            // a kind of another API group
            _ => return Ok(()),
        }
        let Some((pod, is_example)) = pod_of(&kind, object)? else { return Ok(()) };
        let name = format!("{}/{}", kind.to_lowercase(), shown(&pod.owner));
        let pod = parsed::<Pod>(&pod.manifest)?;
        check_names(&pod)?;
        self.workloads.push(Workload { name, file: file.to_owned(), pod, is_example });
        Ok(())
    }

    fn service(&mut self, object: &Value) -> Result<(), String> {
        let NamespacedService { namespace, service } = parsed(object)?;
        self.services.entry(namespace).or_default().push(service);
        Ok(())
    }
}

/// What the API server would refuse, so that no certificate is shown for it. (The rest, `kubectl apply
/// --dry-run=server` finds.)
fn check_names(pod: &Pod) -> Result<(), String> {
    let is_label = |name: &str| is_subdomain(name) && !name.contains('.') && name.len() <= 63;
    for (what, name, is_good, rule) in [
        ("namespace", &pod.namespace, is_label(&pod.namespace), "a DNS label (RFC 1123)"),
        ("pod's name", &pod.name, is_subdomain(&pod.name), "a DNS subdomain (RFC 1123)"),
        (
            "serviceAccountName",
            &pod.service_account_name,
            is_subdomain(&pod.service_account_name),
            "a DNS subdomain (RFC 1123)",
        ),
    ] {
        if !is_good {
            return Err(format!("its {what} {:?} isn't {rule}, so the API server refuses it", shown(name)));
        }
    }
    Ok(())
}

fn is_subdomain(name: &str) -> bool {
    let is_inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_label = |label: &str| {
        label.bytes().all(is_inner) && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn read(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(LONGEST + 1).read_to_string(&mut text)
    } else {
        File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
    };
    let bytes = read.map_err(Error::read(path))?;
    if bytes as u64 > LONGEST {
        let problem = format!("is longer than {} MiB, the most that is read; split it", LONGEST >> 20);
        return Err(manifest(&path.display().to_string(), problem));
    }
    Ok(text)
}

/// Without what the parser says of its own options.
fn not_yaml(error: &serde_saphyr::Error) -> String {
    let text = UserMessageFormatter.format_message(error).into_owned();
    let place = error.location().map(|at| format!("line {}, column {}: ", at.line(), at.column()));
    let place = place.unwrap_or_default();
    match error {
        // it may be wrapped, so only its text tells
        _ if text.contains("limits breached") => {
            format!("{place}is larger, deeper or has more aliases than is read of one file; split it")
        }
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("{place}has the key {:?} twice in one mapping; leave one of them", shown(key))
        }
        _ => format!("{place}isn't YAML or JSON: {}", shown(&text)),
    }
}

fn manifest(file: &str, problem: String) -> Error {
    Error::Manifest { file: file.to_owned(), problem }
}

fn parsed<K: ApiObject>(object: &Value) -> Result<K, String> {
    let json = serde_json::to_vec(object).map_err(|error| error.to_string())?;
    read_object(&json).map_err(|unreadable| unreadable.to_string())
}

struct PodManifest {
    /// What makes it, or itself.
    owner: String,
    manifest: Value,
}

/// The pod that an object makes, as its controller would; and whether its name is made up. None for an object
/// that makes no pods.
fn pod_of(kind: &str, mut object: Value) -> Result<Option<(PodManifest, bool)>, String> {
    let template = match kind {
        "Pod" => "",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            "/spec/template"
        }
        "CronJob" => "/spec/jobTemplate/spec/template",
        _ => return Ok(None),
    };
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
    let namespace = text("/metadata/namespace").unwrap_or_default();
    let named = text("/metadata/name").filter(|name| !name.is_empty());
    let is_example = kind != "Pod" || named.is_none();
    let generated = || text("/metadata/generateName").map(|prefix| generated_name(&prefix));
    let name = named.or_else(generated).ok_or("has no metadata.name")?;
    let subdomain = text("/spec/serviceName");
    let ordinal = object.pointer("/spec/ordinals/start").and_then(Value::as_u64).unwrap_or(0);
    let mut manifest = object.pointer_mut(template).map(Value::take).ok_or("has no pod template")?;

    let pod_name = pod_name(kind, &name, ordinal);
    let fields = manifest.as_object_mut().ok_or("its pod template isn't a mapping")?;
    let metadata = mapping(fields, "metadata")?;
    metadata.insert("name".into(), json!(pod_name));
    metadata.insert("namespace".into(), json!(namespace));
    metadata.insert("uid".into(), json!("00000000-0000-4000-8000-000000000000"));
    if kind == "StatefulSet" {
        let labels = mapping(metadata, "labels")?;
        labels.insert("statefulset.kubernetes.io/pod-name".into(), json!(pod_name));
        labels.insert("apps.kubernetes.io/pod-index".into(), json!(ordinal.to_string()));
    }
    let spec = mapping(fields, "spec")?;
    let mut account =
        ["serviceAccountName", "serviceAccount"].into_iter().filter_map(|name| spec.get(name)?.as_str());
    let account = account.find(|name| !name.is_empty()).unwrap_or("default").to_owned();
    spec.insert("serviceAccountName".into(), json!(account));
    spec.entry("nodeName").or_insert(json!(NODE));
    if kind == "StatefulSet" {
        spec.insert("hostname".into(), json!(pod_name));
        spec.extend(subdomain.map(|service| ("subdomain".to_owned(), json!(service))));
    }
    fields.remove("status");
    Ok(Some((PodManifest { owner: name, manifest }, is_example)))
}

/// As Kubernetes' controllers name their pods.
fn pod_name(kind: &str, owner: &str, ordinal: u64) -> String {
    match kind {
        "Pod" => owner.to_owned(),
        "StatefulSet" => format!("{owner}-{ordinal}"),
        "Deployment" => generated_name(&format!("{owner}-5d4f7c9b6d-")),
        "CronJob" => generated_name(&format!("{owner}-29000000-")),
        _ => generated_name(&format!("{owner}-")),
    }
}

/// As the API server makes a name of a `metadata.generateName`: letters behind what leaves room for them in the 63 of
/// a DNS label.
fn generated_name(prefix: &str) -> String {
    let prefix: String = prefix.chars().take(63 - RANDOM_SUFFIX.len()).collect();
    prefix + RANDOM_SUFFIX
}

fn mapping<'a>(object: &'a mut Map<String, Value>, name: &str) -> Result<&'a mut Map<String, Value>, String> {
    let field = object.entry(name).or_insert(json!({}));
    if field.is_null() {
        *field = json!({});
    }
    field.as_object_mut().ok_or_else(|| format!("{name} of its pod isn't a mapping"))
}

#[cfg(test)]
mod tests;

//! Each folder: what is in it, and what its kustomization names.

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use test_cluster::workspace_dir;

use super::shipped::{
    CONTROLLER, EXAMPLES, METRICS_AUTH, Manifest, SELF_KEEPING, documents, folder, list, read, text, texts,
};

const IMAGE: &str = "localhost/pod-certificate-signers:0.1.0";

fn kustomization(folder: &str) -> Value {
    documents(&read(format!("{folder}/Kustomization"))).unwrap().remove(0)
}

fn names(folder_name: &str) -> Vec<String> {
    folder(folder_name).into_iter().map(|manifest| manifest.name).collect()
}

#[test]
fn a_kustomization_names_each_file_of_its_folder() {
    for folder in [CONTROLLER, EXAMPLES] {
        assert_eq!(list(&kustomization(folder)["resources"]), names(folder), "{folder}");
    }
    for folder in [SELF_KEEPING, METRICS_AUTH] {
        let component = kustomization(folder);
        let mut named = [list(&component["resources"]), texts(&component["patches"], "path")].concat();
        named.sort();
        assert_eq!(named, names(folder));
    }
}

/// `kubectl apply -f` takes each file that ends in .yaml, .yml or .json for objects of the cluster, and knows
/// no kind Kustomization.
#[test]
fn a_folder_can_be_applied_as_it_is() {
    for folder_name in [CONTROLLER, EXAMPLES] {
        let files = fs::read_dir(workspace_dir().join(folder_name)).unwrap();
        let files = files.map(|file| file.unwrap()).filter(|file| file.file_type().unwrap().is_file());
        let mut files: Vec<_> = files.map(|file| file.file_name().into_string().unwrap()).collect();
        files.retain(|name| name != "Kustomization");
        files.sort();
        assert_eq!(files, names(folder_name));
        for object in folder(folder_name).iter().flat_map(Manifest::objects) {
            assert!(
                ["apiVersion", "kind"].iter().all(|field| object[field].is_string())
                    && object["metadata"]["name"].is_string(),
                "{object}"
            );
        }
    }
}

#[test]
fn overlays_lead_to_folders_that_there_are() {
    for overlay in fs::read_dir(workspace_dir().join("overlays")).unwrap() {
        let overlay = overlay.unwrap().path();
        let text = fs::read_to_string(overlay.join("Kustomization")).unwrap();
        let kustomization = documents(&text).unwrap().remove(0);
        let bases = [list(&kustomization["resources"]), list(&kustomization["components"])].concat();
        assert!(!bases.is_empty());
        for base in bases {
            assert!(overlay.join(&base).join("Kustomization").is_file(), "{base} of {}", overlay.display());
        }
    }
}

/// A namespace comes before what lies in it, since objects are created in the order in which they stand.
#[test]
fn objects_lie_in_namespaces_that_are_made_before_them() {
    for folder_name in [CONTROLLER, EXAMPLES] {
        let mut made = BTreeSet::new();
        for object in folder(folder_name).iter().flat_map(Manifest::objects) {
            let metadata = &object["metadata"];
            if object["kind"] == "Namespace" {
                assert_eq!(metadata["labels"]["pod-security.kubernetes.io/enforce"], "restricted");
                assert!(made.insert(text(&metadata["name"])), "two of {}", metadata["name"]);
            } else if let Some(namespace) = metadata["namespace"].as_str() {
                assert!(made.contains(namespace), "{namespace} of {} {}", object["kind"], metadata["name"]);
            }
        }
    }
}

#[test]
fn all_containers_run_one_image() {
    let objects = [CONTROLLER, EXAMPLES].map(folder).concat();
    let mut count = 0;
    for object in objects.iter().flat_map(Manifest::objects) {
        for container in object["spec"]["template"]["spec"]["containers"].as_array().into_iter().flatten() {
            count += 1;
            assert_eq!(
                (&container["image"], &container["imagePullPolicy"]),
                (&IMAGE.into(), &"IfNotPresent".into())
            );
        }
    }
    assert_eq!(count, 11, "containers");
}

/// Paths of manifests in documents and comments, with which readers are sent there.
#[test]
fn what_is_referred_to_is_there() {
    let docs = fs::read_dir(workspace_dir().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let docs = docs.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    let documents =
        docs.chain(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(str::to_owned)).map(read);
    let kind = fs::read_dir(workspace_dir().join("kind")).unwrap().map(|entry| read(entry.unwrap().path()));
    let manifests = [CONTROLLER, SELF_KEEPING, METRICS_AUTH, EXAMPLES].map(folder).concat();
    let texts: Vec<_> =
        documents.chain(kind).chain(manifests.into_iter().map(|manifest| manifest.text)).collect();
    let is_part_of_path = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let mut count = 0;
    for word in texts.iter().flat_map(|text| text.split(|c| !is_part_of_path(c))) {
        let path = word.trim_end_matches(['.', '/']);
        if ["controller-manifests/", "example-manifests/", "overlays/", "kind/1."]
            .iter()
            .any(|start| path.starts_with(start))
        {
            count += 1;
            assert!(workspace_dir().join(path).exists(), "{path}");
        }
    }
    assert!(count > 0, "no references");
}

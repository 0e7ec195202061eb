//! The shipped manifests in a isolated_install of their own: other namespaces, other signer names, pools in a
//! directory.

use std::{fs, sync::Arc};

use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
    discovery::{Scope as Reach, pinned_kind},
};
use serde_json::Value;
use signer_core::PoolSource;
use signer_manager::Config;
use test_cluster::{Error, Scope};

use crate::support::{
    ca::{new_authority, write_pool},
    running::Running,
    shipped::{CONTROLLER, EXAMPLES, Manifest, configuration, folder, renamed, signer_names, text},
};

/// What stands for what.
pub(crate) type Names = Vec<(String, String)>;

/// Makes a namespace for each of a folder's, under a name of its own.
pub(crate) async fn own_namespaces(scope: &Scope, folders: &[&str]) -> Result<Names, Error> {
    let mut names = Names::new();
    let objects = folders.iter().flat_map(|name| folder(name)).flat_map(|manifest| manifest.objects());
    for namespace in objects.filter(|object| object["kind"] == "Namespace") {
        let name = text(&namespace["metadata"]["name"]);
        let own = scope.namespace(&name).await?;
        names.push((name, own));
    }
    Ok(names)
}

/// Applies the shipped ConfigMap of deny rules, and returns the rules of the role that lets it be read.
pub(crate) async fn deny_rules(scope: &Scope, names: &Names) -> Vec<Value> {
    let mut objects = folder(CONTROLLER).into_iter().flat_map(|manifest| manifest.renamed(names).objects());
    let config_map =
        objects.find(|object| object["kind"] == "ConfigMap" && object["data"].is_null()).unwrap();
    apply(&scope.client(), &config_map, &really()).await.unwrap();
    let name = &config_map["metadata"]["name"];
    let role =
        objects.find(|object| object["kind"] == "Role" && object["metadata"]["name"] == *name).unwrap();
    role["rules"].as_array().unwrap().clone()
}

/// Domains for the signers that nobody else uses. Their bundles go at the end.
pub(crate) fn own_domains(scope: &Scope) -> Names {
    let mut names = Names::new();
    for signer in signer_names() {
        let (domain, path) = signer.split_once('/').unwrap();
        match names.iter().find(|(from, _)| from == domain) {
            Some((_, own)) => scope.owns_signer_name(&format!("{own}/{path}")),
            None => {
                let own = scope.signer_name(path);
                names.push((domain.to_owned(), own.split_once('/').unwrap().0.to_owned()));
            }
        }
    }
    names
}

/// The demos, with these names.
pub(crate) fn demos(names: &Names) -> Vec<Manifest> {
    folder(EXAMPLES).iter().map(|manifest| manifest.renamed(names)).collect()
}

/// The manager with the shipped configuration and new CA pools.
pub(crate) fn start_shipped(names: &Names, client: Client) -> Running {
    start(&configuration(CONTROLLER), names, client)
}

/// The same with the settings that the shipped configuration turns off: the role must suffice for them too.
pub(crate) fn start_with_all_settings(names: &Names, client: Client) -> Running {
    let shipped = configuration(CONTROLLER);
    assert!(shipped.contains("podServiceNames: false"), "nothing to turn on");
    start(&shipped.replace("podServiceNames: false", "podServiceNames: true"), names, client)
}

fn start(configuration: &str, names: &Names, client: Client) -> Running {
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let pools = format!("{}/", dir.path().display());
    let configuration = renamed(configuration, names).replace("/run/ca-state/", &pools);
    make_pools(&configuration);
    Running::start(&configuration, client, dir)
}

/// A pool for each signer, where its Secret is mounted.
fn make_pools(configuration: &str) {
    for signer in Config::parse(configuration, "signers.yaml").unwrap().signers {
        let PoolSource::PoolFile(path) = signer.ca_pool else { panic!("a file: {signer:?}") };
        fs::create_dir(path.parent().unwrap()).unwrap();
        write_pool(&path, vec![new_authority("1")]);
    }
}

/// Applies an object on the server's side, with strict validation.
pub(crate) async fn apply(client: &Client, object: &Value, how: &PatchParams) -> kube::Result<Value> {
    let api_version = text(&object["apiVersion"]);
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    let kind = GroupVersionKind::gvk(group, version, object["kind"].as_str().unwrap());
    let (resource, capabilities) = pinned_kind(client, &kind).await?;
    let metadata = &object["metadata"];
    let api: Api<DynamicObject> = match (capabilities.scope, metadata["namespace"].as_str()) {
        (Reach::Namespaced, Some(namespace)) => Api::namespaced_with(client.clone(), namespace, &resource),
        (Reach::Cluster, None) => Api::all_with(client.clone(), &resource),
        (reach, namespace) => panic!("{} is {reach:?}, and in {namespace:?}", object["kind"]),
    };
    let name = metadata["name"].as_str().unwrap();
    let applied = api.patch(name, &how.clone().validation_strict(), &Patch::Apply(object)).await?;
    Ok(serde_json::to_value(applied).unwrap())
}

/// For good.
pub(crate) fn really() -> PatchParams {
    PatchParams::apply("manifests-test").force()
}

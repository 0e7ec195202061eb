//! The component with pools that keep themselves: the same controller but for where its pools are, and rights
//! on these alone.

use serde_json::Value;
use signer_core::PoolSource;
use signer_manager::Config;

use super::shipped::{
    CONTROLLER, Manifest, SELF_KEEPING, configuration, documents, folder, list, only, text,
};

fn secrets() -> Vec<Value> {
    let objects = folder(SELF_KEEPING).iter().flat_map(Manifest::objects).collect::<Vec<_>>();
    objects.into_iter().filter(|object| object["kind"] == "Secret").collect()
}

#[test]
fn its_configuration_differs_in_nothing_but_the_pools() {
    let without_pools = |folder: &str| {
        let mut configuration = documents(&configuration(folder)).unwrap().remove(0);
        for signer in configuration["signers"].as_array_mut().unwrap() {
            signer.as_object_mut().unwrap().remove("caPool").unwrap();
        }
        configuration
    };
    assert_eq!(without_pools(SELF_KEEPING), without_pools(CONTROLLER));
}

#[test]
fn secrets_are_empty_and_the_role_is_for_them_alone() {
    let config = Config::parse(&configuration(SELF_KEEPING), "signers.yaml").unwrap();
    let pools: Vec<_> = config
        .signers
        .iter()
        .map(|signer| match &signer.ca_pool {
            PoolSource::Secret(pool) if pool.automatic_rotation.is_some() => {
                (pool.namespace.clone(), pool.name.clone())
            }
            other => panic!("automatic rotation: {other:?}"),
        })
        .collect();
    let secrets = secrets();
    let named: Vec<_> = secrets
        .iter()
        .map(|secret| (text(&secret["metadata"]["namespace"]), text(&secret["metadata"]["name"])))
        .collect();
    assert_eq!(named, pools);
    assert!(secrets.iter().all(|secret| secret["data"].is_null() && secret["stringData"].is_null()));

    let role = only(SELF_KEEPING, "Role");
    let [rule] = role["rules"].as_array().unwrap().as_slice() else { panic!("one rule: {role}") };
    assert_eq!(list(&rule["resources"]), ["secrets"]);
    assert_eq!(list(&rule["verbs"]), ["get", "update"]);
    assert_eq!(list(&rule["resourceNames"]), pools.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>());
    assert!(pools.iter().all(|(namespace, _)| role["metadata"]["namespace"] == *namespace));
    let subject = &only(SELF_KEEPING, "RoleBinding")["subjects"][0];
    let account = only(CONTROLLER, "ServiceAccount");
    assert_eq!(
        (&subject["name"], &subject["namespace"]),
        (&account["metadata"]["name"], &account["metadata"]["namespace"])
    );
}

#[test]
fn the_patch_takes_away_each_pools_volume() {
    let (base, patch) = (only(CONTROLLER, "Deployment"), only(SELF_KEEPING, "Deployment"));
    assert_eq!(base["metadata"]["name"], patch["metadata"]["name"]);
    let pod = |deployment: &Value| deployment["spec"]["template"]["spec"].clone();
    let removed = |list: &Value, key: &str| -> Vec<String> {
        let list = list.as_array().unwrap().clone();
        assert!(list.iter().all(|item| item["$patch"] == "delete"), "{list:?}");
        list.iter().map(|item| text(&item[key])).collect()
    };
    let volumes = removed(&pod(&patch)["volumes"], "name");
    let mounted = pod(&base)["volumes"].as_array().unwrap().clone();
    let with_secrets: Vec<_> = mounted
        .iter()
        .filter(|volume| volume["secret"].is_object())
        .map(|volume| text(&volume["name"]))
        .collect();
    assert_eq!(volumes, with_secrets);
    let mounts = pod(&base)["containers"][0]["volumeMounts"].as_array().unwrap().clone();
    let of_pools = mounts.iter().filter(|mount| volumes.contains(&text(&mount["name"])));
    let of_pools: Vec<_> = of_pools.map(|mount| text(&mount["mountPath"])).collect();
    assert_eq!(removed(&pod(&patch)["containers"][0]["volumeMounts"], "mountPath"), of_pools);
}

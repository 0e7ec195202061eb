use std::collections::BTreeSet;

use super::*;

/// What RBAC's rules in a manifest give, one right each.
fn given(file: &str, namespace: &str) -> BTreeSet<String> {
    let path = format!("{}/../../controller-manifests/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let documents: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
    let texts = |list: &serde_json::Value| -> Vec<String> {
        let list = list.as_array().cloned().unwrap_or_default();
        list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in documents.iter().filter_map(|document| document["rules"].as_array()).flatten() {
        let mut names = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push(String::new());
        }
        for (verb, resource, name) in texts(&rule["verbs"]).iter().flat_map(|verb| {
            let names = &names;
            texts(&rule["resources"]).into_iter().flat_map(move |resource| {
                names.iter().map(move |name| (verb.clone(), resource.clone(), name.clone()))
            })
        }) {
            let group = rule["apiGroups"][0].as_str().unwrap();
            let group = if group.is_empty() { String::new() } else { format!(".{group}") };
            let name = match (namespace, name.as_str()) {
                (_, "") => String::new(),
                ("", name) => format!(" {name}"),
                (namespace, name) => format!(" {namespace}/{name}"),
            };
            rights.insert(format!("{verb} {resource}{group}{name}"));
        }
    }
    rights
}

fn shipped_config(manifest: &str) -> Config {
    let path = format!("{}/../../controller-manifests/{manifest}", env!("CARGO_MANIFEST_DIR"));
    let config_map: serde_json::Value =
        serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Config::parse(config_map["data"]["signers.yaml"].as_str().unwrap(), "signers.yaml").unwrap()
}

fn needed_by(manifest: &str) -> BTreeSet<String> {
    needed(&shipped_config(manifest), false).iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_checked_is_what_the_manifests_give() {
    let shipped: BTreeSet<String> =
        given("30-rbac.yaml", "").into_iter().chain(given("45-deny-rules.yaml", "mesh-controller")).collect();
    assert_eq!(needed_by("40-configuration.yaml"), shipped);
    let pools = given("self-keeping-pools/role.yaml", "mesh-controller");
    assert_eq!(needed_by("self-keeping-pools/configuration.yaml"), shipped.union(&pools).cloned().collect());
}

/// ClusterRole system:auth-delegator is Kubernetes' own.
#[test]
fn to_authenticate_scrapers_takes_reviews() {
    let config = shipped_config("40-configuration.yaml");
    let metrics = needed(&config, true).split_off(needed(&config, false).len());
    let metrics: Vec<_> = metrics.iter().map(|right| (right.to_string(), right.manifest)).collect();
    let expected =
        ["create tokenreviews.authentication.k8s.io", "create subjectaccessreviews.authorization.k8s.io"];
    assert_eq!(metrics, expected.map(|right| (right.to_owned(), METRICS)));
}

#[test]
fn a_federation_has_rights_of_its_own() {
    let text = "signers: [{name: example.com/a, kind: spiffe, trustDomain: own.example, caPool: {file: /pool}, \
                federation: [{trustDomain: partner.example, trustBundle: {file: /partner.pem}}]}]";
    let config = Config::parse(text, "signers.yaml").unwrap();
    let rights: Vec<_> = needed(&config, false)
        .iter()
        .filter(|right| right.manifest == FEDERATION)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        rights,
        [
            "attest signers.certificates.k8s.io example.com/a-federation",
            "update clustertrustbundles.certificates.k8s.io example.com:a-federation:partner.example",
            "delete clustertrustbundles.certificates.k8s.io example.com:a-federation:partner.example",
        ]
    );
}

//! The demos: each names what there is.

use std::collections::BTreeSet;

use serde_json::Value;
use signer_core::SignerName;

use super::shipped::{EXAMPLES, Manifest, folder, list, signer_names, text, texts};

/// A Deployment or StatefulSet, with the objects of its file.
struct Workload {
    spec: Value,
    all: Vec<Value>,
}

fn workloads() -> Vec<Workload> {
    let of = |manifest: Manifest| {
        let all = manifest.objects();
        let sets = all.clone().into_iter().filter(|object| object["spec"]["template"].is_object());
        sets.map(|set| Workload { spec: set["spec"].clone(), all: all.clone() }).collect::<Vec<_>>()
    };
    folder(EXAMPLES).into_iter().flat_map(of).collect()
}

impl Workload {
    fn pod(&self) -> &Value {
        &self.spec["template"]
    }

    fn sources(&self, kind: &str) -> Vec<Value> {
        let volumes = self.pod()["spec"]["volumes"].as_array().unwrap();
        let sources = volumes.iter().flat_map(|volume| volume["projected"]["sources"].as_array().unwrap());
        sources.filter(|source| source[kind].is_object()).map(|source| source[kind].clone()).collect()
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.all.iter().filter(move |object| object["kind"] == kind)
    }
}

#[test]
fn there_are_five() {
    let mut names: Vec<_> = folder(EXAMPLES).into_iter().map(|manifest| manifest.name).collect();
    names.sort();
    let demos = [
        "annotation-peers",
        "annotation-web",
        "service-dns-spiffe-client",
        "service-dns-unauth-client",
        "spiffe-both-ends",
    ];
    assert_eq!(names, demos.map(|name| format!("{name}.yaml")));
    for manifest in folder(EXAMPLES) {
        let namespace = manifest.name.trim_end_matches(".yaml").to_owned();
        assert_eq!(manifest.objects()[0]["metadata"]["name"], namespace);
    }
}

#[test]
fn workloads_select_their_own_pods_and_run_as_an_account_of_their_file() {
    for workload in workloads() {
        let pod = workload.pod();
        assert_eq!(workload.spec["selector"]["matchLabels"], pod["metadata"]["labels"]);
        let account = &pod["spec"]["serviceAccountName"];
        assert!(
            workload.of_kind("ServiceAccount").any(|object| object["metadata"]["name"] == *account),
            "{account}"
        );
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false, "no demo talks to the API server");
    }
}

#[test]
fn a_service_selects_pods_and_leads_to_a_port_of_theirs() {
    for workload in workloads() {
        for service in workload.of_kind("Service") {
            if service["spec"]["selector"] != workload.pod()["metadata"]["labels"] {
                continue;
            }
            let port = &service["spec"]["ports"][0];
            let containers = workload.pod()["spec"]["containers"].as_array().unwrap();
            let ports =
                containers.iter().flat_map(|container| container["ports"].as_array().into_iter().flatten());
            let target: Vec<_> = ports.filter(|candidate| candidate["name"] == port["targetPort"]).collect();
            assert_eq!(target.len(), 1, "{port}");
            assert_eq!(target[0]["containerPort"], 8443);
            // nobody translates the ports of a headless Service
            let reached_at = if service["spec"]["clusterIP"] == "None" { 8443 } else { 443 };
            assert_eq!(port["port"], reached_at);
        }
    }
    let servers =
        workloads().iter().filter(|workload| !workload.sources("podCertificate").is_empty()).count();
    assert!(servers >= 5);
}

#[test]
fn certificates_and_anchors_are_those_of_signers_that_the_controller_runs() {
    let names = signer_names();
    for workload in workloads() {
        for source in workload.sources("podCertificate") {
            assert!(names.contains(&text(&source["signerName"])), "{source}");
            assert!(source["userAnnotations"].is_null(), "Kubernetes 1.34 doesn't have them");
        }
        for source in workload.sources("clusterTrustBundle") {
            let name: SignerName = text(&source["signerName"]).parse().unwrap();
            assert!(names.contains(&name.to_string()));
            let labels = source["labelSelector"]["matchLabels"].as_object().unwrap();
            // those of SPIFFE's draft don't name the signer
            let prefixes = [name.label_key(""), "k8s.spiffe.io/".to_owned()];
            let prefix = prefixes.iter().find(|prefix| labels.keys().all(|key| key.starts_with(*prefix)));
            let prefix = prefix.unwrap_or_else(|| panic!("{labels:?}"));
            assert_eq!(labels[&format!("{prefix}canarying")], "live");
        }
    }
}

/// A file that a flag names is one that the volume brings, at the mount's place; and none is brought for
/// nothing.
#[test]
fn flags_name_the_files_that_are_mounted() {
    for workload in workloads() {
        let containers = workload.pod()["spec"]["containers"].as_array().unwrap();
        let folder = containers[0]["volumeMounts"][0]["mountPath"].as_str().unwrap();
        let mut files: BTreeSet<_> =
            texts(&workload.sources("podCertificate").into(), "credentialBundlePath")
                .into_iter()
                .chain(texts(&workload.sources("clusterTrustBundle").into(), "path"))
                .map(|file| format!("{folder}/{file}"))
                .collect();
        let brought = files.clone();
        for container in containers {
            assert_eq!(container["volumeMounts"][0]["mountPath"], folder);
            for argument in list(&container["args"]) {
                let Some((_, file)) =
                    argument.split_once('=').filter(|(_, value)| value.starts_with("/run/"))
                else {
                    continue;
                };
                assert!(brought.contains(file), "{argument}");
                files.remove(file);
            }
        }
        assert_eq!(files, BTreeSet::new(), "mounted and not used");
    }
}

/// Peers that wait for each other's readiness before they can be found would wait for ever.
#[test]
fn peers_can_be_found_before_they_are_ready() {
    let peers = workloads().into_iter().find(|workload| workload.spec["serviceName"] == "peer").unwrap();
    let service = peers.of_kind("Service").next().unwrap();
    assert_eq!(service["metadata"]["name"], peers.spec["serviceName"]);
    assert_eq!(service["spec"]["publishNotReadyAddresses"], true);
    assert_eq!(peers.spec["podManagementPolicy"], "Parallel");
    let containers = peers.pod()["spec"]["containers"].as_array().unwrap();
    let named = |flag: &str| -> BTreeSet<String> {
        let arguments = containers.iter().flat_map(|container| list(&container["args"]));
        arguments.filter_map(|argument| Some(argument.strip_prefix(flag)?.to_owned())).collect()
    };
    let replicas = peers.spec["replicas"].as_u64().unwrap();
    let members: Vec<_> = (0..replicas).map(|i| format!("peer-{i}.peer.annotation-peers.svc")).collect();
    assert_eq!(named("--allow-client-dns="), members.iter().cloned().collect());
    assert_eq!(
        named("--fetch-url="),
        members.iter().map(|name| format!("https://{name}:8443/healthz")).collect()
    );
}

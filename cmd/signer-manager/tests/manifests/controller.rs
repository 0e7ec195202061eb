//! The controller's manifests: rights and mounts are those that its configuration calls for.

use signer_core::{PoolSource, SignerName, deny::DenySource};
use signer_manager::Config;

use super::shipped::{
    CONTROLLER, Manifest, SELF_KEEPING, configuration, configuration_object, documents, folder, list, only,
    signer_names, text, texts, yaml_of,
};

fn rules() -> Vec<serde_json::Value> {
    only(CONTROLLER, "ClusterRole")["rules"].as_array().unwrap().clone()
}

#[test]
fn sign_and_attest_are_for_the_configured_signers() {
    let rules = rules();
    let on_signers: Vec<_> = rules.iter().filter(|rule| rule["resources"][0] == "signers").collect();
    assert_eq!(on_signers.len(), 1);
    assert_eq!(list(&on_signers[0]["resourceNames"]), signer_names());
    assert_eq!(list(&on_signers[0]["verbs"]), ["sign", "attest"]);
}

#[test]
fn bundles_are_changed_by_name() {
    let names: Vec<SignerName> = signer_names().iter().map(|name| name.parse().unwrap()).collect();
    let bundles: Vec<_> = names.iter().map(SignerName::bundle_name).collect();
    for rule in rules().iter().filter(|rule| rule["resources"][0] == "clustertrustbundles") {
        match list(&rule["verbs"]).as_slice() {
            [verb] if verb == "create" => assert!(rule["resourceNames"].is_null()),
            _ => assert_eq!(list(&rule["resourceNames"]), bundles),
        }
    }
}

/// The least that the issue of a certificate takes is proven on an API server; that there is nothing which
/// isn't about certificates, here.
#[test]
fn no_rule_is_about_secrets_or_everything() {
    for rule in rules() {
        for field in ["apiGroups", "resources", "verbs", "resourceNames"] {
            assert!(!list(&rule[field]).iter().any(|text| text.contains('*') || text == "secrets"), "{rule}");
        }
    }
    let changing = ["create", "update", "patch", "delete", "deletecollection"];
    let mut written: Vec<_> = rules()
        .iter()
        .filter(|rule| list(&rule["verbs"]).iter().any(|verb| changing.contains(&verb.as_str())))
        .flat_map(|rule| list(&rule["resources"]))
        .collect();
    written.sort();
    written.dedup();
    assert_eq!(written, ["clustertrustbundles", "events", "podcertificaterequests/status"]);
}

#[test]
fn the_role_is_bound_to_the_account_that_the_deployment_runs_as() {
    let (binding, deployment) = (only(CONTROLLER, "ClusterRoleBinding"), only(CONTROLLER, "Deployment"));
    let account = only(CONTROLLER, "ServiceAccount");
    let subject = &binding["subjects"][0];
    assert_eq!(binding["subjects"].as_array().unwrap().len(), 1);
    assert_eq!(binding["roleRef"]["name"], only(CONTROLLER, "ClusterRole")["metadata"]["name"]);
    assert_eq!(
        (&subject["kind"], &subject["name"]),
        (&"ServiceAccount".into(), &account["metadata"]["name"])
    );
    assert_eq!(subject["namespace"], account["metadata"]["namespace"]);
    assert_eq!(deployment["spec"]["template"]["spec"]["serviceAccountName"], account["metadata"]["name"]);
    assert_eq!(deployment["metadata"]["namespace"], account["metadata"]["namespace"]);
}

/// The pod starts without its CA pools, and without a writable file system.
#[test]
fn each_pool_is_an_optional_secret_mounted_where_the_configuration_says() {
    let pod = &only(CONTROLLER, "Deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let config = Config::parse(&configuration(CONTROLLER), "signers.yaml").unwrap();
    let volume =
        |name: &str| pod["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == name).unwrap();
    let mut mounts = container["volumeMounts"].as_array().unwrap().clone();
    for signer in &config.signers {
        let PoolSource::PoolFile(path) = &signer.ca_pool else { panic!("a file: {signer:?}") };
        assert_eq!(path.file_name().unwrap(), "pool", "the key of the Secret");
        let dir = path.parent().unwrap().to_str().unwrap();
        let at = mounts.iter().position(|mount| mount["mountPath"] == dir).expect(dir);
        let mount = mounts.remove(at);
        let secret = &volume(mount["name"].as_str().unwrap())["secret"];
        assert_eq!(secret["optional"], true);
        assert!(dir.ends_with(secret["secretName"].as_str().unwrap()), "{dir}");
    }
    assert_eq!(texts(&serde_json::json!(mounts), "name"), ["configuration"]);
    assert_eq!(
        volume("configuration")["configMap"]["name"],
        configuration_object(CONTROLLER)["metadata"]["name"]
    );
    let config_dir = mounts[0]["mountPath"].as_str().unwrap();
    let argument = format!("--config={config_dir}/signers.yaml");
    assert!(list(&container["args"]).contains(&argument), "{argument}");
}

/// Applied again in an incident, it must not lift the rules: what an object doesn't mention, an apply leaves.
#[test]
fn deny_rules_are_in_a_config_map_that_mentions_no_data_and_may_be_read() {
    for origin in [CONTROLLER, SELF_KEEPING] {
        let config = Config::parse(&configuration(origin), "signers.yaml").unwrap();
        let Some(DenySource::ConfigMap { namespace, name, key }) = config.deny else { panic!("a ConfigMap") };
        assert_eq!(key, "deny.yaml");
        let objects: Vec<_> = folder(CONTROLLER).iter().flat_map(Manifest::objects).collect();
        let named = |kind: &str| {
            let mut named = objects.iter().filter(|object| object["kind"] == kind);
            named
                .find(|object| {
                    object["metadata"]["name"] == name && object["metadata"]["namespace"] == namespace
                })
                .unwrap()
        };
        let config_map = named("ConfigMap").as_object().unwrap();
        assert_eq!(config_map.keys().collect::<Vec<_>>(), ["apiVersion", "kind", "metadata"]);
        let [rule] = named("Role")["rules"].as_array().unwrap().as_slice() else { panic!("one rule") };
        assert_eq!(list(&rule["resources"]), ["configmaps"]);
        assert_eq!(
            (list(&rule["resourceNames"]), list(&rule["verbs"])),
            (vec![name.clone()], vec!["get".to_owned()])
        );
        let binding = named("RoleBinding");
        let account = only(CONTROLLER, "ServiceAccount");
        assert_eq!(binding["roleRef"]["name"], *name);
        for field in ["name", "namespace"] {
            assert_eq!(binding["subjects"][0][field], account["metadata"][field]);
        }
    }
}

/// Probes ask for what the manager answers, on the port that it answers on unless told otherwise.
#[test]
fn probes_ask_the_default_port() {
    let container = &only(CONTROLLER, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    let default = signer_manager::cli::Command::from_arguments(["signer-manager", "--config", "c"]).unwrap();
    let signer_manager::cli::Command::Run(run) = default else { panic!("must run") };
    assert!(!list(&container["args"]).iter().any(|argument| argument.starts_with("--http-bind")));
    assert_eq!(container["ports"][0]["containerPort"], run.http_bind.port());
    for (probe, path) in [("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
        let get = &container[probe]["httpGet"];
        assert_eq!((text(&get["path"]).as_str(), &get["port"]), (path, &container["ports"][0]["name"]));
    }
}

/// Who may create a namespace can take one that a grant names.
#[test]
fn no_name_is_granted_to_anybody() {
    for folder in [CONTROLLER, SELF_KEEPING] {
        let configuration = documents(&configuration(folder)).unwrap().remove(0);
        for signer in configuration["signers"].as_array().unwrap() {
            assert!(signer["grants"].as_array().is_none_or(Vec::is_empty), "{signer}");
        }
    }
}

/// What was admitted before a policy stays.
#[test]
fn policies_come_before_what_they_are_about() {
    let objects: Vec<_> = folder(CONTROLLER).into_iter().flat_map(|manifest| manifest.objects()).collect();
    let kinds = texts(&objects.into(), "kind");
    let last_binding = kinds.iter().rposition(|kind| kind == "ValidatingAdmissionPolicyBinding").unwrap();
    for later in ["PriorityClass", "Deployment"] {
        assert!(kinds.iter().position(|kind| kind == later).unwrap() > last_binding, "{later}");
    }
    for file in [format!("{CONTROLLER}/Kustomization"), "overlays/self-keeping-pools/Kustomization".into()] {
        let kustomization = documents(&super::shipped::read(&file)).unwrap().remove(0);
        assert_eq!(kustomization["sortOptions"]["order"], "fifo", "{file}");
    }
}

#[test]
fn the_policy_of_the_class_names_the_deployments_namespace_and_class() {
    let (deployment, name) = (only(CONTROLLER, "Deployment"), "only-signers-use-their-priority-class");
    let policy = super::shipped::named(CONTROLLER, "ValidatingAdmissionPolicy", name);
    let expressions =
        ["matchConditions", "validations"].map(|field| text(&policy["spec"][field][0]["expression"]));
    let class = &deployment["spec"]["template"]["spec"]["priorityClassName"];
    assert!(expressions[0].ends_with(&format!("== {class}")), "{expressions:?}");
    assert_eq!(expressions[1], format!("request.namespace == {}", deployment["metadata"]["namespace"]));
}

/// A scraper's namespace may hold others' pods.
#[test]
fn the_network_policy_admits_pods_and_no_whole_namespace() {
    for rule in only(CONTROLLER, "NetworkPolicy")["spec"]["ingress"].as_array().unwrap() {
        for peer in rule["from"].as_array().unwrap() {
            assert!(peer["podSelector"]["matchLabels"].is_object(), "{peer}");
        }
    }
}

/// A proxy would have the token, and may need a certificate itself.
#[test]
fn no_mesh_puts_a_proxy_into_the_pods() {
    let metadata = &only(CONTROLLER, "Deployment")["spec"]["template"]["metadata"];
    assert_eq!(metadata["labels"]["sidecar.istio.io/inject"], "false");
    assert_eq!(metadata["annotations"]["linkerd.io/inject"], "disabled");
}

/// Budget, spread and network policies, those of the documentation too, select the pods of the Deployment.
#[test]
fn selectors_meet_the_deployments_pods() {
    let deployment = only(CONTROLLER, "Deployment");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let selects = |selector: &serde_json::Value| {
        let selector = selector["matchLabels"].as_object().unwrap();
        assert!(
            !selector.is_empty() && selector.iter().all(|(key, value)| labels[key] == *value),
            "{selector:?}"
        );
    };
    selects(&deployment["spec"]["selector"]);
    selects(&only(CONTROLLER, "PodDisruptionBudget")["spec"]["selector"]);
    selects(&only(CONTROLLER, "NetworkPolicy")["spec"]["podSelector"]);
    let of_docs = yaml_of("docs/operations.md");
    let of_docs = of_docs.iter().find(|object| object["kind"] == "NetworkPolicy").unwrap();
    assert_eq!(of_docs["metadata"]["namespace"], deployment["metadata"]["namespace"]);
    selects(&of_docs["spec"]["podSelector"]);
    for spread in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"].as_array().unwrap() {
        selects(&spread["labelSelector"]);
    }
    let class = only(CONTROLLER, "PriorityClass");
    assert_eq!(deployment["spec"]["template"]["spec"]["priorityClassName"], class["metadata"]["name"]);
}

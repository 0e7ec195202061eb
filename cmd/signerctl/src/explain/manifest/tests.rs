use std::io::Write as _;

use signer_core::cluster::PodPhase;

use super::*;

fn read(text: &str) -> Result<Manifests, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let mut manifests = Manifests::default();
    manifests.add(file.path(), "default")?;
    Ok(manifests)
}

fn problem(text: &str) -> String {
    let Err(error) = read(text) else { panic!("{text} was read") };
    error.to_string()
}

const TEMPLATE: &str = "
      metadata: {labels: {app: web}, annotations: {a: b}}
      spec:
        serviceAccountName: web
        volumes:
        - projected:
            sources:
            - podCertificate: {signerName: example.com/a, keyType: ED25519, maxExpirationSeconds: 3600, userAnnotations: {x: z}}";

#[test]
fn what_makes_pods_is_read_as_its_controller_would_make_one() {
    for (kind, name) in [
        ("Deployment", "web-5d4f7c9b6d-x7k2p"),
        ("ReplicaSet", "web-x7k2p"),
        ("DaemonSet", "web-x7k2p"),
        ("Job", "web-x7k2p"),
        ("StatefulSet", "web-0"),
    ] {
        let text = format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: web, namespace: shop}}\nspec:\n  serviceName: peers\n  template:{}",
            TEMPLATE.replace("\n      ", "\n    ")
        );
        let manifests = read(&text).unwrap();
        let [Workload { name: workload, pod, is_example, .. }] = &manifests.workloads[..] else {
            panic!("{kind}")
        };
        assert_eq!((workload, *is_example), (&format!("{}/web", kind.to_lowercase()), true));
        assert_eq!((pod.name.as_str(), pod.namespace.as_str()), (name, "shop"));
        assert_eq!((pod.service_account_name.as_str(), pod.phase), ("web", PodPhase::Pending));
        assert_eq!((&pod.labels["app"], &pod.annotations["a"]), (&"web".to_owned(), &"b".to_owned()));
        assert_eq!(pod.certificate_sources[0].key_type, "ED25519");
        assert_eq!(pod.certificate_sources[0].user_annotations["x"], "z");
        let stable = (kind == "StatefulSet").then(|| ("web-0".to_owned(), "peers".to_owned()));
        assert_eq!(pod.hostname.clone().zip(pod.subdomain.clone()), stable);
    }
}

#[test]
fn long_names_are_cut_as_the_api_server_does() {
    let text = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {}}}\nspec: {{template: {{}}}}",
        "a".repeat(60)
    );
    let name = &read(&text).unwrap().workloads[0].pod.name;
    assert_eq!(*name, format!("{}x7k2p", "a".repeat(58)));
}

#[test]
fn a_cron_job_a_list_and_a_pod_are_read_too() {
    let cron_job = format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: night}}\nspec:\n  jobTemplate:\n    spec:\n     template:{TEMPLATE}"
    );
    let pods = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Failed}}\n\
                - {apiVersion: v1, kind: Pod, metadata: {generateName: b-, name: ''}}\n- {apiVersion: v1, kind: Pod, metadata: {generateName: b-, name: d}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}}";
    let manifests = read(&format!("{cron_job}\n---\n{pods}\n---\n")).unwrap();
    let found: Vec<_> =
        manifests.workloads.iter().map(|found| (found.pod.name.as_str(), found.is_example)).collect();
    assert_eq!(found, [("night-29000000-x7k2p", true), ("a", false), ("b-x7k2p", true), ("d", false)]);
    let pod = &manifests.workloads[1].pod;
    assert_eq!((pod.namespace.as_str(), pod.service_account_name.as_str()), ("default", "default"));
    assert_eq!(pod.phase, PodPhase::Pending, "what a status says isn't what will be");
}

#[test]
fn what_the_api_server_would_fill_in_is_filled_in_and_kinds_of_others_are_passed_over() {
    let text = "apiVersion: v1\nkind: PodList\nitems:\n\
                - {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ''}, spec: {serviceAccount: old}}\n\
                - {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {serviceAccountName: '', serviceAccount: ''}}\n\
                ---\napiVersion: foo.example/v1\nkind: Deployment\nmetadata: {name: c}";
    let manifests = read(text).unwrap();
    let found: Vec<_> = manifests
        .workloads
        .iter()
        .map(|found| (found.pod.namespace.as_str(), found.pod.service_account_name.as_str()))
        .collect();
    assert_eq!(found, [("default", "old"), ("default", "default")]);
}

#[test]
fn services_are_found_in_their_namespace() {
    let text = "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {selector: {app: web}, clusterIP: None}\n\
                ---\napiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {selector: {app: web}}";
    let manifests = read(text).unwrap();
    let labels = BTreeMap::from([("app".to_owned(), "web".to_owned())]);
    let names = |namespace: &str| {
        let selecting = manifests.services(namespace).selecting(&labels);
        selecting.iter().map(|service| (service.name().to_owned(), service.is_headless())).collect::<Vec<_>>()
    };
    assert_eq!(names("shop"), [("web".to_owned(), true)]);
    assert_eq!(names("default"), [("other".to_owned(), false)]);
    assert!(names("elsewhere").is_empty());
}

#[test]
fn what_is_no_manifest_is_named_with_its_document() {
    for (text, expected) in [
        ("a: [", "isn't YAML or JSON"),
        ("a: 1\na: 2", "line 2, column 1: has the key \"a\" twice"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: UPPER}",
            "its pod's name \"UPPER\" isn't a DNS subdomain (RFC 1123)",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: a.b}",
            "its namespace \"a.b\" isn't a DNS label",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {serviceAccountName: Bad_Name}",
            "its serviceAccountName \"Bad_Name\" isn't",
        ),
        ("", "is empty"),
        ("---\n---\n", "is empty"),
        ("just words", "manifest 1: has no kind and apiVersion"),
        ("apiVersion: v1\nkind: ConfigMap\n---\nname: x", "manifest 2: has no kind and apiVersion"),
        ("---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\n---\nname: x", "manifest 2: has no kind"),
        ("apiVersion: v1\nkind: Pod\nmetadata: []", "manifest 1: its metadata isn't a mapping"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {}", "manifest 1: has no metadata.name"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}", "manifest 1: has no pod template"),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: x}",
            "its pod template isn't a mapping",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {volumes: 7}",
            "a field isn't of the type that the API defines",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: 7}",
            "a field isn't of the type that the API defines",
        ),
    ] {
        let found = problem(text);
        assert!(found.contains(expected), "{text}: {found}");
    }
    let bomb = (0..30).map(|i| format!("a{}: &a{} [*a{i}, *a{i}]\n", i + 1, i + 1)).collect::<String>();
    let found = problem(&format!("a0: &a0 x\n{bomb}"));
    assert!(found.contains("split it") && !found.contains("budget"), "{found}");
    let secret = problem("apiVersion: v1\nkind: Secret\nstringData:\n  a: s3cr3t\n bad: [");
    assert!(!secret.contains("s3cr3t"), "{secret}");
}

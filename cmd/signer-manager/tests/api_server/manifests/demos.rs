//! The demos' pods ask the shipped configuration for their certificates, and get what their peers look for.

use std::collections::BTreeMap;

use serde_json::Value;
use test_cluster::{BoundPod, CertificateSource, Error, KeyType, Kubelet, NewPod, Scope, verify::Purpose};

use crate::{
    manifests::isolated_install::{
        Names, apply, demos, deny_rules, own_domains, own_namespaces, really, start_shipped,
    },
    support::{
        issued::{Issued, issued},
        on_cluster,
        shipped::{CONTROLLER, EXAMPLES, Manifest, list, text},
    },
};

/// The certificates of a demo's pods, by the name of their Deployment or StatefulSet.
type Certificates = BTreeMap<String, Issued>;

#[tokio::test]
async fn each_pod_gets_the_certificate_that_its_peers_look_for() -> Result<(), Error> {
    on_cluster(async |scope| {
        let names: Names =
            [own_namespaces(scope, &[CONTROLLER, EXAMPLES]).await?, own_domains(scope)].concat();
        deny_rules(scope, &names).await;
        let manager = start_shipped(&names, scope.client());
        let kubelet = scope.kubelet().await?;
        for demo in demos(&names) {
            eprintln!("{}", demo.name);
            let certificates = certificates(scope, &kubelet, &demo).await?;
            for container in containers(&demo) {
                check_expectations(&list(&container["args"]), &certificates);
            }
        }
        manager.stop().await;
        Ok(())
    })
    .await
}

fn workloads(demo: &Manifest) -> Vec<Value> {
    demo.objects().into_iter().filter(|object| object["spec"]["template"].is_object()).collect()
}

fn containers(demo: &Manifest) -> Vec<Value> {
    let of = |workload: Value| workload["spec"]["template"]["spec"]["containers"].as_array().unwrap().clone();
    workloads(demo).into_iter().flat_map(of).collect()
}

/// Applies the demo's Services, starts a pod of each workload, and has it ask as its kubelet would.
async fn certificates(scope: &Scope, kubelet: &Kubelet, demo: &Manifest) -> Result<Certificates, Error> {
    for service in demo.objects().iter().filter(|object| object["kind"] == "Service") {
        apply(&scope.client(), service, &really()).await.unwrap();
    }
    let mut certificates = Certificates::new();
    for workload in workloads(demo) {
        let Some(pod) = pod(&workload) else { continue };
        let pod: BoundPod = kubelet.start_pod(pod).await?;
        let request = kubelet.request(&pod, &pod.sources[0]).await?;
        certificates.insert(text(&workload["metadata"]["name"]), issued(scope, &request).await?);
    }
    Ok(certificates)
}

/// A pod as the workload's controller makes it; none if it asks for no certificate.
fn pod(workload: &Value) -> Option<NewPod> {
    let template = &workload["spec"]["template"];
    let (namespace, name) = (text(&workload["metadata"]["namespace"]), text(&workload["metadata"]["name"]));
    let sources = template["spec"]["volumes"][0]["projected"]["sources"].as_array()?;
    let source = &sources.iter().find(|source| source["podCertificate"].is_object())?["podCertificate"];
    assert_eq!(source["keyType"], KeyType::EcdsaP256.name());
    let mut certificate = CertificateSource::new(source["signerName"].as_str()?, KeyType::EcdsaP256);
    certificate.max_expiration_seconds =
        source["maxExpirationSeconds"].as_i64().map(|seconds| i32::try_from(seconds).unwrap());
    let is_stateful = workload["kind"] == "StatefulSet";
    let pod_name = if is_stateful { format!("{name}-0") } else { format!("{name}-5d4f8c7b9-x2k4q") };
    let mut pod = NewPod::new(&namespace, &pod_name).certificate(certificate);
    if is_stateful {
        pod = pod.hostname(&pod_name).subdomain(workload["spec"]["serviceName"].as_str()?);
    }
    let pairs = |field: &str| template["metadata"][field].as_object().cloned().unwrap_or_default();
    pod = pairs("labels").iter().fold(pod, |pod, (key, value)| pod.label(key, value.as_str().unwrap()));
    pod = pairs("annotations")
        .iter()
        .fold(pod, |pod, (key, value)| pod.annotation(key, value.as_str().unwrap()));
    Some(pod.service_account(template["spec"]["serviceAccountName"].as_str()?))
}

/// What the flags of a container expect of the other side's certificate, or promise of its own.
fn check_expectations(arguments: &[String], certificates: &Certificates) {
    let by_spiffe_id = arguments.iter().any(|argument| argument.starts_with("--server-spiffe-id="));
    for argument in arguments {
        let (flag, value) = argument.split_once('=').unwrap_or((argument, ""));
        match flag {
            "--fetch-url" if !by_spiffe_id => is_served(value, certificates),
            "--server-spiffe-id" => assert_eq!(certificates["server"].leaf().uris(), [value]),
            "--allow-spiffe-id" => assert_eq!(certificates["client"].leaf().uris(), [value]),
            "--allow-client-dns" if value.starts_with("peer-0.") => {
                assert_eq!(certificates["peer"].leaf().dns_names(), [value]);
            }
            "--client-cred-bundle" => {
                let shown = certificates.get("client").unwrap_or_else(|| &certificates["peer"]);
                shown.chain.verify(Purpose::Client).unwrap();
            }
            _ => {}
        }
    }
}

/// A client that asks for this URL takes the server's certificate. Of the peers, the first has one here.
fn is_served(url: &str, certificates: &Certificates) {
    let authority = url.strip_prefix("https://").and_then(|rest| rest.split('/').next()).unwrap();
    let host = authority.split(':').next().unwrap();
    let server = if host.starts_with("peer-") { "peer" } else { "server" };
    if host.starts_with("peer-") && !host.starts_with("peer-0.") {
        return;
    }
    certificates[server].chain.verify(Purpose::ServerNamed(host)).unwrap();
}

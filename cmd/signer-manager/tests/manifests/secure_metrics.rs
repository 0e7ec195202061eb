//! The component whose metrics ask who reads them: the same controller, with one port and its rights more.

use serde_json::Value;
use signer_core::manager::ServingCertificate;
use signer_manager::{Config, cli::Command};

use super::shipped::{
    CONTROLLER, METRICS_AUTH, SELF_KEEPING, configuration, documents, list, only, read, text,
};

fn container(folder: &str) -> Value {
    only(folder, "Deployment")["spec"]["template"]["spec"]["containers"][0].clone()
}

#[test]
fn its_arguments_are_those_of_the_controller_and_serve_with_a_certificate_of_a_signer_that_is_there() {
    let arguments = list(&container(METRICS_AUTH)["args"]);
    let base = list(&container(CONTROLLER)["args"]);
    assert_eq!(arguments[..base.len()], base);
    let command = std::iter::once("signer-manager".to_owned()).chain(arguments);
    let Command::Run(run) = Command::from_arguments(command).unwrap() else { panic!("must run") };
    let server = run.secure_metrics().unwrap().unwrap();
    assert_eq!(container(METRICS_AUTH)["ports"][0]["containerPort"], server.bind.port());
    let ServingCertificate::Issued { signer, leaf } = server.certificate else { panic!("issued") };
    for folder in [CONTROLLER, SELF_KEEPING] {
        let config = Config::parse(&configuration(folder), "signers.yaml").unwrap();
        assert!(config.signers.iter().any(|known| *known.name() == signer), "{folder}: {signer}");
    }
    let service = only(METRICS_AUTH, "Service");
    let metadata = &service["metadata"];
    let name = format!("{}.{}.svc", text(&metadata["name"]), text(&metadata["namespace"]));
    assert_eq!(leaf.dns_names[0].as_str(), name);
    assert_eq!(
        service["spec"]["selector"],
        only(CONTROLLER, "Deployment")["spec"]["selector"]["matchLabels"]
    );
    let monitor = documents(&read("monitoring/service-monitor.yaml")).unwrap().remove(0);
    let endpoint = &monitor["spec"]["endpoints"][0];
    assert_eq!(
        (&endpoint["tlsConfig"]["serverName"], &endpoint["port"]),
        (&name.into(), &service["spec"]["ports"][0]["name"])
    );
}

#[test]
fn prometheus_reaches_that_port_alone_and_the_account_may_have_reviews() {
    let (base, patch) = (only(CONTROLLER, "NetworkPolicy"), only(METRICS_AUTH, "NetworkPolicy"));
    let (base, patch) = (&base["spec"]["ingress"][0], &patch["spec"]["ingress"][0]);
    assert_eq!(base["from"], patch["from"]);
    assert_eq!(patch["ports"][0]["port"], container(METRICS_AUTH)["ports"][0]["name"]);
    let binding = only(METRICS_AUTH, "ClusterRoleBinding");
    assert_eq!(binding["roleRef"]["name"], "system:auth-delegator");
    for field in ["name", "namespace"] {
        assert_eq!(binding["subjects"][0][field], only(CONTROLLER, "ServiceAccount")["metadata"][field]);
    }
}

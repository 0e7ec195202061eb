//! The demo's last words.

use std::{fmt::Write, time::Duration};

use test_cluster::Cluster;

use super::{
    configuration::SERVICE_DNS,
    stage::Stage,
    verdict::{Row, Verdict},
};
use crate::terminal::Style;

/// What was seen, in one sentence.
pub(super) fn summary(rows: &[Row], took: Duration, style: &Style) -> String {
    let verifiers = rows.iter().find_map(|row| match &row.verdict {
        Verdict::Issued(verified) => Some(verified.by.join(" and ")),
        Verdict::Denied { .. } => None,
    });
    let issued = rows.iter().filter(|row| matches!(row.verdict, Verdict::Issued(_))).count();
    let (denied, verifiers) = (rows.len() - issued, verifiers.unwrap_or_default());
    let summary = format!(
        "{issued} certificates issued, each verified by {verifiers} with the published trust bundle; {denied} request denied."
    );
    format!("\n{} {:.1} s, and nothing is left running.", style.bold(&summary), took.as_secs_f32())
}

/// With `--keep`: how to look further.
pub(super) fn what_to_try(cluster: &Cluster, stage: &Stage, rows: &[Row], style: &Style) -> String {
    let mut out = format!("{}\n", style.bold("All of this stays up until Ctrl-C. In another terminal, try:"));
    let mut line = |command: &str| {
        let _ = writeln!(out, "  {command}");
    };
    if let Some(kubeconfig) = cluster.kubeconfig() {
        line(&format!("export KUBECONFIG={}", kubeconfig.display()));
    }
    line("kubectl get podcertificaterequests --all-namespaces");
    for row in rows.iter().take(1) {
        if let Some((namespace, name)) = row.request.split_once('/') {
            line(&format!("kubectl -n {namespace} get podcertificaterequest {name} -o yaml"));
        }
    }
    line("kubectl get events --all-namespaces");
    let bundle = SERVICE_DNS.replace('/', ":");
    line(&format!("kubectl get clustertrustbundle {bundle}:primary-bundle -o yaml"));
    line(&format!("kubectl delete clustertrustbundle {bundle}:primary-bundle   # it comes back"));
    if let Some(manager) = stage.manager() {
        line(&format!("curl -s http://{}/readyz", manager.http));
        line(&format!("tail -f {}", manager.log.display()));
    }
    line(&format!("cat {}", stage.config().display()));
    line(
        "SIGNER_TEST_CLUSTER=existing cargo test -p test-cluster   # pods and requests of your own: its README.md",
    );
    out
}

//! What must hold on the node, one after the other. A check that fails doesn't end the others.

mod clients;
mod controller;
mod denial;
mod live;
mod pods;
mod renewal;
mod startup;

use super::{kubectl::Kubectl, node::Node, summary::Row};
use crate::{
    error::Error,
    terminal::{Progress, Steps},
};

/// The namespaces of `example-manifests`.
const EXAMPLES: [&str; 5] = [
    "service-dns-unauth-client",
    "service-dns-spiffe-client",
    "spiffe-both-ends",
    "annotation-web",
    "annotation-peers",
];

/// Does checks, and keeps what they have seen.
pub(super) struct Checks<'a> {
    steps: &'a Steps,
    rows: Vec<Row>,
}

impl<'a> Checks<'a> {
    pub(super) fn new(steps: &'a Steps) -> Self {
        Self { steps, rows: Vec::new() }
    }

    /// What was seen, in order.
    pub(super) fn rows(self) -> Vec<Row> {
        self.rows
    }

    /// Does one, which returns what it has seen; tells whether it passed.
    async fn check(
        &mut self,
        what: &str,
        work: impl AsyncFnOnce(&Progress) -> Result<String, Error>,
    ) -> bool {
        let seen = self.steps.watched(what, work).await.map_err(|error| match error {
            Error::Step { source, .. } => test_cluster::story(&*source),
            error => test_cluster::story(&error),
        });
        let (Ok(text) | Err(text)) = &seen;
        text.lines().for_each(|line| self.steps.tell(line));
        let passed = seen.is_ok();
        self.rows.push(Row { check: what.into(), seen });
        passed
    }

    /// After a failure: what kubectl tells of the pods, and what the cluster has warned of last.
    async fn diagnose(&self, kubectl: &Kubectl) {
        const LAST: usize = 15;
        for arguments in [
            "get pods --all-namespaces --output=wide",
            "get events --all-namespaces --field-selector=type=Warning --sort-by=.lastTimestamp",
        ] {
            let said = kubectl.run(arguments).await.unwrap_or_else(|error| test_cluster::story(&error));
            println!("\n$ kubectl {arguments}");
            let lines: Vec<&str> = said.lines().collect();
            let skipped =
                if arguments.starts_with("get events") { lines.len().saturating_sub(LAST) } else { 0 };
            lines.iter().skip(skipped).for_each(|line| println!("{line}"));
        }
    }
}

/// The story of a cluster: applied, in use, under stress.
pub(super) async fn all(node: &mut Node, checks: &mut Checks<'_>) {
    let kubectl = node.kubectl.clone();
    // Without running pods there is nothing to look at, and each look would wait in vain.
    if applied(&kubectl, checks).await {
        in_use(&kubectl, checks).await;
        under_stress(node, checks).await;
    } else {
        checks.rows.push(Row { check: "all other checks".into(), seen: Err("not tried".into()) });
    }
    if checks.rows.iter().any(|row| row.seen.is_err()) {
        checks.diagnose(&kubectl).await;
    }
}

async fn applied(kubectl: &Kubectl, checks: &mut Checks<'_>) -> bool {
    let controller = async |progress: &Progress| controller::starts_without_pools(kubectl, progress).await;
    let examples = async |_: &Progress| pods::apply(kubectl, "example-manifests").await;
    let pools = async |progress: &Progress| controller::takes_pools_up(kubectl, progress).await;
    let running = async |progress: &Progress| pods::all_ready(kubectl, progress).await;
    checks.check("controller starts before its CA pools exist", controller).await
        && checks.check("examples apply as they are", examples).await
        && checks.check("controller takes up new CA pools", pools).await
        && checks.check("every pod runs with its certificates", running).await
}

async fn in_use(kubectl: &Kubectl, checks: &mut Checks<'_>) {
    for namespace in EXAMPLES {
        let answered = async |progress: &Progress| clients::answered(kubectl, namespace, progress).await;
        checks.check(&format!("{namespace} answers"), answered).await;
    }
    let startup = async |progress: &Progress| startup::measured(kubectl, progress).await;
    checks.check("a new pod runs at once", startup).await;
    let denied = async |progress: &Progress| denial::is_told(kubectl, progress).await;
    checks.check("denied, and kubectl describe tells why", denied).await;
}

async fn under_stress(node: &mut Node, checks: &mut Checks<'_>) {
    let kubectl = &node.kubectl.clone();
    let renewal = async |progress: &Progress| renewal::on_kubelet_restart(node, progress).await;
    checks.check("kubelet restart renews all certificates", renewal).await;
    let restarted = async |progress: &Progress| controller::restarted(kubectl, progress).await;
    checks.check("a pod starts while the controller restarts", restarted).await;
    let unbroken = async |progress: &Progress| clients::unbroken(kubectl, progress).await;
    checks.check("no container restarted, all clients content", unbroken).await;
}

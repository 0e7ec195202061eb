//! What the process may use, and does with little.

use std::process::Stdio;

use test_cluster::{Error, NewPod};
use tokio::process::Command;

use crate::{
    process::SPIFFE,
    process::source,
    support::{
        events::assert_says, eventually, http::get, issued::issued, on_cluster, process::signer_manager,
        setup::Setup,
    },
};

/// Requests at once, which would take more connections than files may be open.
const REQUESTS: usize = 150;

#[tokio::test]
async fn with_few_files_all_is_issued_and_probes_are_answered() -> Result<(), Error> {
    on_cluster(async |scope| {
        let name = scope.signer_name("spiffe");
        let setup = Setup::new().signer(&name, SPIFFE);
        let (kubelet, namespace) = (scope.kubelet().await?, scope.namespace("many").await?);
        let pods =
            (0..REQUESTS).map(|i| NewPod::new(&namespace, &format!("pod-{i}")).certificate(source(&name)));
        let pods = kubelet.start_pods(pods).await?;
        let requests = pods.iter().map(|pod| kubelet.request(pod, &pod.sources[0]));
        let requests = futures::future::try_join_all(requests).await?;

        // all of them wait when it starts
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -n 64 && exec \"$@\"", "sh", env!("CARGO_BIN_EXE_signer-manager")]);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let process = setup.spawn_by(command, scope.cluster(), &[]);
        process.readyz(|page| page.code != 0).await;
        eventually("all certificates", async || {
            assert_eq!(get(process.http, "/livez").await.unwrap().code, 200);
            let count = process.audit("Issued").len();
            if count == REQUESTS { Ok(()) } else { Err(format!("{count} of {REQUESTS}")) }
        })
        .await;
        issued(scope, &requests[0]).await?;
        let log = process.log_text();
        assert!(!log.contains("os error 24"), "files ran out");
        assert_says(&log, &["few files may be open at once (RLIMIT_NOFILE), so that only 8 calls"]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn no_core_is_dumped() -> Result<(), Error> {
    on_cluster(async |scope| {
        let process = Setup::new().signer(&scope.signer_name("spiffe"), SPIFFE).spawn(scope.cluster());
        process.ready().await;
        let limits = process.limits();
        let cores = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
        assert_eq!(cores.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"], "{limits}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_server_without_a_scheme_is_refused() {
    let setup = Setup::new().signer("a.example.test/a", SPIFFE);
    let kubeconfig = setup.dir.path().join("kubeconfig");
    for server in ["127.0.0.1:18099", "localhost:18099", "ftp://localhost"] {
        let text = format!(
            "current-context: x\nclusters: [{{name: c, cluster: {{server: \"{server}\"}}}}]\n\
             contexts: [{{name: x, context: {{cluster: c, user: me}}}}]\nusers: [{{name: me, user: {{}}}}]\n"
        );
        std::fs::write(&kubeconfig, text).unwrap();
        let mut command = signer_manager();
        command.arg("--config").arg(setup.write()).arg("--kubeconfig").arg(&kubeconfig);
        let output = command.output().await.unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert_says(&error, &[&format!("{server:?}"), "server: https://HOST:PORT"]);
    }
}

//! What it says of itself once it runs, and when it can't.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use test_cluster::Error;

use crate::{
    process::SPIFFE,
    support::{
        SOON,
        ca::{new_authority, write_pool},
        events::assert_says,
        eventually,
        http::{Page, get},
        on_cluster,
        process::signer_manager,
        setup::Setup,
    },
};

#[tokio::test]
async fn livez_and_readyz_tell_who_is_up_and_what_the_others_lack() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (has, lacks) = (scope.signer_name("has-a-pool"), scope.signer_name("lacks-a-pool"));
        let setup = Setup::new().signer(&has, SPIFFE).signer_without_pool(&lacks, "kind: service-dns");
        let process = setup.spawn(scope.cluster());
        let path = setup.pool_path(&lacks);
        let path = path.display();
        let remedy =
            format!("  - {path} doesn't exist; make one with `signerctl ca-pool create --file {path}`");
        let says = [&format!("{has}: ready\n"), &format!("{lacks}: not ready\n"), &remedy];
        let page = process.readyz(|page| says.iter().all(|text| page.body.contains(*text))).await;
        assert_eq!(page.code, 503, "one signer has never been ready: {page:?}");
        let alive = Page { code: 200, body: "ok\n".into() };
        assert_eq!(get(process.http, "/livez").await.unwrap(), alive);
        assert_eq!(get(process.http, "/nothing").await.unwrap().code, 404);

        write_pool(&setup.pool_path(&lacks), vec![new_authority("1")]);
        let page = process.ready().await;
        let mut lines: Vec<_> = page.body.lines().collect();
        lines.sort_unstable();
        let mut expected = [format!("{has}: ready"), format!("{lacks}: ready")];
        expected.sort_unstable();
        assert_eq!(lines, expected);

        // what was ready once keeps its last good pool
        std::fs::remove_file(setup.pool_path(&has)).unwrap();
        process
            .readyz(|page| page.code == 200 && page.body.contains("the last good pool stays in use"))
            .await;
        assert_eq!(get(process.http, "/livez").await.unwrap(), alive);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_bad_configuration_ends_it_with_file_and_line() {
    let setup = Setup::new()
        .signer("a.example.test/a", "kind: spiffe, trustDomain: cluster.local, keyTypes: [RSA2048]");
    let setup = setup.signer("a.example.test/a", "kind: spiffy");
    let path = setup.write();
    for arguments in [&["--config"][..], &["check-config"]] {
        let output = signer_manager().args(arguments).arg(&path).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        let file = path.display();
        assert_says(
            &errors,
            &[&format!("{file}:2:"), "signers[0].keyTypes[0]", "\"RSA2048\" is not a key type"],
        );
        assert_says(
            &errors,
            &[&format!("{file}:3:"), "signers[1].kind", "service-dns, spiffe, annotation or pod-identity"],
        );
        assert_says(&errors, &["signers[1].name", "is the name of another signer"]);
    }
}

#[tokio::test]
async fn it_ends_when_asked_while_a_plugin_keeps_it_from_the_cluster() {
    let setup = Setup::new().signer("a.example.test/a", SPIFFE);
    let (dir, kubeconfig) = (setup.dir.path(), setup.dir.path().join("kubeconfig"));
    let runs = dir.join("runs");
    let text = format!(
        "current-context: x\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:9'}}}}]\n\
         contexts: [{{name: x, context: {{cluster: c, user: me}}}}]\nusers: [{{name: me, user: {{exec: {{\
         apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [-c, 'touch {}; exec sleep 600']}}}}}}]\n",
        runs.display()
    );
    std::fs::write(&kubeconfig, text).unwrap();
    let mut command = signer_manager();
    command.arg("--config").arg(setup.write()).arg("--kubeconfig").arg(&kubeconfig);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the plugin", async || runs.exists().then_some(()).ok_or_else(|| "it doesn't run".to_owned()))
        .await;
    let id = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(id, Signal::TERM).unwrap();
    let output = tokio::time::timeout(SOON, child.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_says(&said, &["asked to end before the way to the cluster was found"]);
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_it_is_for() {
    let setup = Setup::new().signer("a.example.test/a", "kind: service-dns");
    let kubeconfig = setup.dir.path().join("kubeconfig");
    let text = "current-context: x\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:9'}}]\n\
                contexts: [{name: x, context: {cluster: c, user: me}}]\nusers: [{name: me, user: {token: t}}]\n";
    std::fs::write(&kubeconfig, text).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (taken, free) =
        (listener.local_addr().unwrap().to_string(), crate::support::http::free_address().to_string());
    let metrics =
        ["--metrics-auth", "--metrics-signer", "a.example.test/a", "--metrics-dns-name", "m.example.test"];
    for (arguments, what) in [
        (vec!["--http-bind", &taken], "/livez, /readyz, /metrics and /"),
        (
            [&["--http-bind", &free, "--metrics-bind", &taken], &metrics[..]].concat(),
            "/metrics and / over TLS",
        ),
    ] {
        let mut command = signer_manager();
        command.arg("--config").arg(setup.write()).arg("--kubeconfig").arg(&kubeconfig).args(arguments);
        let output = command.output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert_says(&errors, &[&format!("can't listen on {taken} for {what}; choose another address")]);
    }
}

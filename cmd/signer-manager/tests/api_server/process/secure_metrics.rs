//! Authenticated metrics.

use std::{net::SocketAddr, path::Path, process::Stdio};

use jiff::Timestamp;
use serde_json::json;
use test_cluster::Error;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::support::{
    ca::new_authority,
    eventually,
    http::{free_address, get},
    on_cluster, pool,
    process::signer_manager,
    rights::{User, token_of},
    setup::Setup,
};

const NAME: &str = "metrics.signers.example.test";

/// What openssl's client is answered, if the server's certificate is of this name and trusted by these anchors.
async fn scrape(
    address: SocketAddr,
    anchors: &Path,
    path: &str,
    token: Option<&str>,
) -> Result<String, String> {
    let mut command = Command::new("openssl");
    command.args([
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-verify_hostname",
        NAME,
        "-servername",
        NAME,
        "-CAfile",
    ]);
    command.arg(anchors).args(["-connect", &address.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {NAME}\r\n{token}\r\n");
    let mut stdin = child.stdin.take().unwrap();
    // one that fails the handshake has gone
    let _ = stdin.write_all(request.as_bytes()).await;
    let output = child.wait_with_output().await.unwrap();
    drop(stdin);
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    if answer.starts_with("HTTP/1.1 ") {
        Ok(answer)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[tokio::test]
async fn they_are_for_those_alone_whom_the_api_server_allows_it() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("serving");
        let setup = Setup::new().signer(&signer, "kind: service-dns");
        let (secure, namespace) = (free_address(), scope.namespace("monitoring").await?);
        let bind = secure.to_string();
        let further = [
            "--metrics-auth",
            "--metrics-bind",
            &bind,
            "--metrics-signer",
            &signer,
            "--metrics-dns-name",
            NAME,
        ];
        let process = setup.spawn_by(signer_manager(), scope.cluster(), &further);
        process.ready().await;
        assert_eq!(get(process.http, "/metrics").await.unwrap().code, 404, "not where probes are answered");

        let bundle = scope.cluster().trust_bundles(&signer).await?.remove(0);
        let anchors = setup.dir.path().join("anchors.pem");
        std::fs::write(&anchors, bundle.anchors_pem).unwrap();
        let prometheus = token_of(scope, &namespace, "prometheus").await?;
        let of = async |path: &str, token: Option<&str>| scrape(secure, &anchors, path, token).await;
        let nobody = eventually("a certificate", async || of("/metrics", None).await).await;
        assert!(nobody.starts_with("HTTP/1.1 401") && nobody.contains("no bearer token"), "{nobody}");
        let unknown = of("/metrics", Some("no-token")).await.unwrap();
        assert!(
            unknown.starts_with("HTTP/1.1 401") && unknown.contains("doesn't know this bearer token"),
            "{unknown}"
        );
        let forbidden = of("/metrics", Some(&prometheus)).await.unwrap();
        let expected = format!("system:serviceaccount:{namespace}:prometheus may not get /metrics");
        assert!(forbidden.starts_with("HTTP/1.1 403") && forbidden.contains(&expected), "{forbidden}");

        let user = User::service_account(scope, &namespace, "prometheus").await?;
        user.grant(&[json!({"nonResourceURLs": ["/metrics"], "verbs": ["get"]})]).await;
        eventually("the metrics", async || {
            let page = of("/metrics", Some(&prometheus)).await?;
            let is_page = page.starts_with("HTTP/1.1 200") && page.contains("pod_certificate_signer_ready{");
            is_page.then_some(()).ok_or(page)
        })
        .await;
        let status = of("/", Some(&prometheus)).await.unwrap();
        assert!(status.starts_with("HTTP/1.1 403"), "only what was granted: {status}");

        let issued = process.audit("Issued");
        assert_eq!(
            (&issued[0]["purpose"], &issued[0]["dns_names"]),
            (&json!("metrics"), &json!(NAME)),
            "{issued:?}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn their_certificate_follows_the_signers_policy_and_pool() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("serving");
        let setup = Setup::new().signer(&signer, "kind: service-dns, maxLifetime: 2h, clockSkew: 0s");
        let bind = free_address().to_string();
        let of_signer = ["--metrics-signer", &signer, "--metrics-dns-name", NAME];
        let further = [&["--metrics-auth", "--metrics-bind", &bind][..], &of_signer].concat();
        let process = setup.spawn_by(signer_manager(), scope.cluster(), &further);
        let issued = async |count: usize| {
            eventually("a certificate", async || {
                let issued = process.audit("Issued");
                if issued.len() < count { Err(format!("{issued:?}")) } else { Ok(issued) }
            })
            .await
        };
        let first = issued(1).await.remove(0);
        let time = |field: &str| first[field].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert_eq!(time("not_after").duration_since(time("not_before")).as_secs(), 7200, "{first}");

        let path = setup.pool_path(&signer);
        let successor = Some((new_authority("2"), None));
        pool::change(&path, |pool| pool.without_compromised("1", successor, Timestamp::now()).unwrap());
        let second = issued(2).await.remove(1);
        let ca = pool::read(&path).signing().issuer().fingerprint();
        assert_eq!(second["ca_sha256"], json!(ca), "{second}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_api_server_that_refuses_reviews_is_named() -> Result<(), Error> {
    on_cluster(async |scope| {
        let signer = scope.signer_name("serving");
        let setup = Setup::new().signer(&signer, "kind: service-dns");
        let secure = free_address();
        let bind = secure.to_string();
        let (cert, key) = (setup.dir.path().join("tls.crt"), setup.dir.path().join("tls.key"));
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let files =
            ["--metrics-cert-file", cert.to_str().unwrap(), "--metrics-key-file", key.to_str().unwrap()];
        let further = [&["--metrics-auth", "--metrics-bind", &bind][..], &files].concat();
        let mut command = signer_manager();
        command.arg("--kubeconfig").arg(nobody(scope, &setup).await?);
        let _process = setup.spawn_by(command, scope.cluster(), &further);
        let answer =
            eventually("an answer", async || scrape(secure, &cert, "/metrics", Some("any")).await).await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("system:auth-delegator"), "{answer}");
        Ok(())
    })
    .await
}

/// A kubeconfig of a service account that may nothing.
async fn nobody(scope: &test_cluster::Scope, setup: &Setup) -> Result<std::path::PathBuf, Error> {
    let namespace = scope.namespace("nobody").await?;
    let token = token_of(scope, &namespace, "nobody").await?;
    let administrator = std::fs::read_to_string(scope.cluster().kubeconfig().unwrap()).unwrap();
    // the last `user` is that of the only entry of `users`
    let (before, _) = administrator.split_at(administrator.rfind("user:").unwrap());
    let path = setup.dir.path().join("nobody.kubeconfig");
    std::fs::write(&path, format!("{before}user: {{token: {token}}}\n")).unwrap();
    Ok(path)
}

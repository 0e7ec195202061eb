//! `signerctl ca-pool` on Secrets of a real API server.

use std::{
    collections::BTreeMap,
    process::{Command, Output},
};

use ca_pool::CaPool;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Api, api::ObjectMeta, api::PostParams};
use test_cluster::{Cluster, Error};

fn signerctl(cluster: &Cluster, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    if let Some(kubeconfig) = cluster.kubeconfig() {
        command.env("KUBECONFIG", kubeconfig);
    }
    command.arg("ca-pool").args(arguments).output().unwrap()
}

fn prints(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = signerctl(cluster, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn complains(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = signerctl(cluster, arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

async fn read(cluster: &Cluster, namespace: &str, name: &str) -> Secret {
    Api::namespaced(cluster.client(), namespace).get(name).await.unwrap()
}

#[tokio::test]
async fn pool_is_created_once_and_shown() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("pools").await?;
            let place = ["--namespace", &namespace, "--name", "web-ca"];
            let report = prints(&cluster, &[&["create", "--signer", "example.com/web"], &place[..]].concat());

            let secret = read(&cluster, &namespace, "web-ca").await;
            assert_eq!(secret.type_.as_deref(), Some("Opaque"));
            let data = secret.data.unwrap();
            assert_eq!(data.keys().collect::<Vec<_>>(), ["pool"]);
            let pool = CaPool::from_json(&data["pool"].0).unwrap();
            let root = pool.signing().root();
            assert!(root.subject().starts_with("CN=example.com/web CA 1 "), "{}", root.subject());
            for expected in [&root.fingerprint(), "secretName: web-ca", "{file: /run/ca-state/web-ca/pool}"] {
                assert!(report.contains(expected), "{expected}: {report}");
            }

            let shown = prints(&cluster, &[&["show"], &place[..]].concat());
            assert!(shown.contains(&format!("Secret {namespace}/web-ca: 1 CA")), "{shown}");
            assert!(shown.contains(&root.fingerprint()), "{shown}");
            for headline in [&report, &shown] {
                assert!(
                    headline.contains("\nIn context ") && headline.contains(", server http"),
                    "{headline}"
                );
            }

            let error = complains(&cluster, &[&["create"], &place[..]].concat());
            assert!(
                error.contains("web-ca exists in context ")
                    && error.contains("and a pool is never overwritten"),
                "{error}"
            );
            assert_eq!(read(&cluster, &namespace, "web-ca").await.data.unwrap(), data);
            Ok(())
        })
        .await
}

#[tokio::test]
async fn subject_without_a_signer_names_the_secret() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("pools").await?;
            let report =
                prints(&cluster, &["create", "--namespace", &namespace, "--name", "ca", "--ca-id", "7"]);
            assert!(report.contains(&format!("CN={namespace}/ca CA 7 ")), "{report}");
            Ok(())
        })
        .await
}

#[tokio::test]
async fn secrets_of_type_tls_are_shown_and_others_explained() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("pools").await?;
            let data = |file: &str| {
                let path = format!("{}/../../crates/ca-pool/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
                ByteString(std::fs::read(path).unwrap())
            };
            let api: Api<Secret> = Api::namespaced(cluster.client(), &namespace);
            for (name, data) in [
                ("tls", vec![("tls.crt", data("root-p256.pem")), ("tls.key", data("sec1-p256.pem"))]),
                ("other", vec![("password", ByteString(b"x".to_vec()))]),
            ] {
                let data: BTreeMap<String, ByteString> =
                    data.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
                let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
                let secret = Secret { metadata, data: Some(data), ..Secret::default() };
                api.create(&PostParams::default(), &secret).await.unwrap();
            }
            let shown = prints(&cluster, &["show", "--namespace", &namespace, "--name", "tls"]);
            assert!(shown.contains("CN=odd root"), "{shown}");
            let error = complains(&cluster, &["show", "--namespace", &namespace, "--name", "other"]);
            assert!(error.contains("holds no CA pool: it has the keys password"), "{error}");
            Ok(())
        })
        .await
}

#[tokio::test]
async fn what_is_missing_is_named_with_its_remedy() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("pools").await?;
            let error = complains(&cluster, &["show", "--namespace", &namespace, "--name", "none"]);
            assert!(
                error.contains(&format!("signerctl ca-pool create --namespace {namespace} --name none")),
                "{error}"
            );
            let error = complains(&cluster, &["create", "--namespace", "no-such-place", "--name", "ca"]);
            assert!(error.contains("kubectl create namespace no-such-place"), "{error}");
            Ok(())
        })
        .await
}

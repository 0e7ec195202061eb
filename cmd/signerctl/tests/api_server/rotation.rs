//! `signerctl ca-pool rotate`, `import` and `prune` on Secrets of a real API server.

use std::{
    collections::BTreeMap,
    process::{Command, Output, Stdio},
};

use ca_pool::{CaPool, CertificateAuthority};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use serde_json::{Value, json};
use test_cluster::{Cluster, Error};

/// A Secret that signerctl works on.
struct Place<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
    name: &'a str,
}

impl Place<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
        if let Some(kubeconfig) = self.cluster.kubeconfig() {
            command.env("KUBECONFIG", kubeconfig);
        }
        let place = ["--namespace", self.namespace, "--name", self.name];
        command.arg("ca-pool").args(arguments).args(place).stdin(Stdio::null());
        command
    }

    fn signerctl(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.signerctl(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn complains(&self, arguments: &[&str]) -> String {
        let output = self.signerctl(arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs all of these at the same time.
    fn at_once(&self, commands: &[&[&str]]) -> Vec<Output> {
        let spawn = |arguments: &&[&str]| {
            self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children: Vec<_> = commands.iter().map(spawn).collect();
        children.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
    }

    fn api(&self) -> Api<Secret> {
        Api::namespaced(self.cluster.client(), self.namespace)
    }

    async fn pool(&self) -> CaPool {
        let secret = self.api().get(self.name).await.unwrap();
        CaPool::from_json(&secret.data.unwrap()["pool"].0).unwrap()
    }

    async fn put(&self, data: &[(&str, Vec<u8>)]) {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.clone())));
        let metadata = ObjectMeta { name: Some(self.name.to_owned()), ..ObjectMeta::default() };
        let secret = Secret { metadata, data: Some(BTreeMap::from_iter(data)), ..Secret::default() };
        self.api().create(&PostParams::default(), &secret).await.unwrap();
    }

    /// As if the last CA had signed for that long.
    async fn let_time_pass(&self, hours: i64) {
        let mut secret = self.api().get(self.name).await.unwrap();
        let data = secret.data.get_or_insert_default();
        let mut pool: Value = serde_json::from_slice(&data["pool"].0).unwrap();
        let from = Timestamp::now().checked_sub(SignedDuration::from_hours(hours)).unwrap();
        pool["CAs"].as_array_mut().unwrap().last_mut().unwrap()["SignsFrom"] = json!(from);
        data.insert("pool".to_owned(), ByteString(pool.to_string().into_bytes()));
        self.api().replace(self.name, &PostParams::default(), &secret).await.unwrap();
    }
}

fn ids(pool: &CaPool) -> Vec<&str> {
    pool.authorities().map(CertificateAuthority::id).collect()
}

const ROTATE: &[&str] = &["rotate", "--max-lifetime", "24h", "--predecessor-max-lifetime", "24h"];

#[tokio::test]
async fn a_pool_lives_in_its_secret() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("rotation").await?;
            let place = Place { cluster: &cluster, namespace: &namespace, name: "ca" };
            // as the manifests ship it
            place.put(&[]).await;
            assert!(place.complains(&["rotate"]).contains("holds no CA pool yet"));
            place.prints(&["create", "--signer", "example.com/web"]);
            let report = place.prints(ROTATE);
            assert!(report.contains(&format!("prune --namespace {namespace} --name ca")), "{report}");
            assert!(place.prints(&["show"]).contains("CA 1 signs until"));
            place.let_time_pass(49).await;
            assert!(place.prints(&["show"]).contains("To do: CA 1 is of no use any more"));
            assert!(place.prints(&["prune"]).starts_with("CA 1 has left"));
            assert_eq!(ids(&place.pool().await), ["2"]);
            let question = place.complains(&["rotate", "--emergency"]);
            assert!(
                question.contains("\nIn context ") && question.contains("nobody is there to ask"),
                "{question}"
            );
            assert!(place.signerctl(&["rotate", "--emergency", "--yes"]).status.success());
            assert_eq!(ids(&place.pool().await), ["3"]);
            Ok(())
        })
        .await
}

#[tokio::test]
async fn people_who_rotate_at_once_lose_nothing() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("rotation").await?;
            let place = Place { cluster: &cluster, namespace: &namespace, name: "ca" };
            place.prints(&["create"]);
            let (done, refused): (Vec<_>, Vec<_>) =
                place.at_once(&[ROTATE; 6]).into_iter().partition(|output| output.status.success());
            assert_eq!(done.len(), 1);
            for output in refused {
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(error.contains("CA 2 is prepared"), "{error}");
            }
            let rotated = place.pool().await;
            assert_eq!(ids(&rotated), ["1", "2"]);

            place.let_time_pass(49).await;
            for output in place.at_once(&[&["rotate"], &["prune"]]) {
                assert!(output.status.success(), "{output:?}");
            }
            let pool = place.pool().await;
            assert_eq!(ids(&pool), ["2", "3"]);
            assert!(pool.generation() > rotated.generation() + 1);
            Ok(())
        })
        .await
}

#[tokio::test]
async fn a_tls_secret_is_imported_and_else_left_alone() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let namespace = scope.namespace("rotation").await?;
            let tls = Place { cluster: &cluster, namespace: &namespace, name: "tls" };
            let data = |file: &str| {
                std::fs::read(format!(
                    "{}/../../crates/ca-pool/tests/data/{file}",
                    env!("CARGO_MANIFEST_DIR")
                ))
                .unwrap()
            };
            tls.put(&[("tls.crt", data("root-p256.pem")), ("tls.key", data("sec1-p256.pem"))]).await;
            let shown = tls.prints(&["show"]);
            assert!(shown.contains("odd root") && !shown.contains("signerctl ca-pool"), "{shown}");
            let error = tls.complains(&["rotate"]);
            assert!(
                error.contains(&format!(
                    "import --from-secret {namespace}/tls --namespace {namespace} --name tls-pool"
                )),
                "{error}"
            );

            let pool = Place { name: "tls-pool", ..tls };
            let from = format!("{namespace}/tls");
            pool.prints(&["import", "--from-secret", &from]);
            assert!(pool.pool().await.signing().root().subject().ends_with("CN=odd root"));
            assert!(
                pool.complains(&["import", "--from-secret", &from]).contains("have the same signing key")
            );
            pool.prints(ROTATE);
            assert_eq!(ids(&pool.pool().await), ["1", "2"]);
            let whole = format!("{namespace}/tls-pool");
            let root =
                format!("{}/../../crates/ca-pool/tests/data/root-p256.pem", env!("CARGO_MANIFEST_DIR"));
            let third = Place { name: "third", ..pool };
            let error = third.complains(&["import", "--from-secret", &whole, "--root-file", &root]);
            assert!(error.contains("leave --root-file away"), "{error}");
            Ok(())
        })
        .await
}

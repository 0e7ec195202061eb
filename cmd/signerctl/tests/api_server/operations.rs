//! `signerctl explain`, `check`, `status` and `revoke-status`, beside signers that run in this process.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use ca_pool::SecretPool;
use k8s_openapi::api::{
    apps::v1::Deployment,
    authentication::v1::TokenRequest,
    core::v1::{ConfigMap, ServiceAccount},
};
use kube::{Api, api::PostParams};
use serde_json::{Value, json};
use signer_core::{Manager, PoolSource, SignerOptions, manager::ManagerError};
use signer_service_dns::{ServiceDnsConfig, ServiceDnsSigner};
use tempfile::TempDir;
use test_cluster::{
    CertificateSource, Cluster, Error, KeyType, Kubelet, NewPod, NewService, Scope, SentRequest,
};
use tokio::{sync::oneshot, task::JoinHandle};

/// For what takes moments, on a machine that has much else to do.
const SOON: Duration = Duration::from_secs(120);

/// A signer that runs, and the controller's objects that describe it.
struct World<'a> {
    scope: &'a Scope,
    signer: String,
    /// Of the controller.
    namespace: String,
    /// Of the pods.
    shop: String,
    dir: TempDir,
    kubelet: Kubelet,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ManagerError>>,
}

impl<'a> World<'a> {
    async fn new(scope: &'a Scope) -> Result<Self, Error> {
        let (namespace, shop) = (scope.namespace("controller").await?, scope.namespace("shop").await?);
        let signer = scope.signer_name("web");
        let place = ["--namespace", &namespace, "--name", "ca"];
        let made = signerctl(scope.cluster(), &[&["ca-pool", "create"], &place[..]].concat());
        assert!(made.status.success(), "{made:?}");
        let pool = PoolSource::Secret(SecretPool {
            namespace: namespace.clone(),
            name: "ca".into(),
            automatic_rotation: None,
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let manager = Manager::new(scope.client()).http_bind("127.0.0.1:0".parse().unwrap()).signer(
            ServiceDnsSigner::new(ServiceDnsConfig::new(signer.parse().unwrap())),
            SignerOptions::new(pool),
        );
        let task = tokio::spawn(manager.run(async { _ = stopped.await }));
        let world = Self {
            scope,
            signer,
            namespace,
            shop,
            dir: TempDir::new().unwrap(),
            kubelet: scope.kubelet().await?,
            stop: Some(stop),
            task,
        };
        world.deploy().await;
        Ok(world)
    }

    /// What the manifests would have made.
    async fn deploy(&self) {
        let text = self.configuration("");
        let config_map = json!({"metadata": {"name": "signer-manager"}, "data": {"signers.yaml": text}});
        let config_maps: Api<ConfigMap> = Api::namespaced(self.scope.client(), &self.namespace);
        config_maps
            .create(&PostParams::default(), &serde_json::from_value(config_map).unwrap())
            .await
            .unwrap();
        let labels = json!({"app": "signer-manager"});
        let deployment = json!({
            "metadata": {"name": "signer-manager"},
            "spec": {
                "replicas": 2, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "signer-manager", "image": "example.test/signers:1"}]}},
            },
        });
        let deployments: Api<Deployment> = Api::namespaced(self.scope.client(), &self.namespace);
        deployments
            .create(&PostParams::default(), &serde_json::from_value(deployment).unwrap())
            .await
            .unwrap();
    }

    fn configuration(&self, further: &str) -> String {
        let Self { signer, namespace, .. } = self;
        format!(
            "signers:\n- name: {signer}\n  kind: service-dns\n  caPool: {{secret: {{namespace: {namespace}, name: ca}}}}\n{further}"
        )
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    async fn ask(&self, name: &str, app: &str) -> Result<(test_cluster::BoundPod, SentRequest), Error> {
        let source = CertificateSource::new(&self.signer, KeyType::Ed25519);
        let pod = NewPod::new(&self.shop, name).label("app", app).certificate(source.clone());
        let pod = self.kubelet.start_pod(pod).await?;
        let request = self.kubelet.request(&pod, &source).await?;
        Ok((pod, request))
    }

    fn run(&self, arguments: &[&str]) -> Output {
        signerctl(self.scope.cluster(), &[arguments, &["--controller-namespace", &self.namespace]].concat())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--output", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
    }

    async fn end(mut self) {
        _ = self.stop.take().unwrap().send(());
        self.task.await.unwrap().unwrap();
    }
}

fn signerctl(cluster: &Cluster, arguments: &[&str]) -> Output {
    let kubeconfig = cluster.kubeconfig().map(|path| path.as_path());
    signerctl_as(kubeconfig, arguments)
}

fn signerctl_as(kubeconfig: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    if let Some(kubeconfig) = kubeconfig {
        command.env("KUBECONFIG", kubeconfig);
    }
    command.args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + str::from_utf8(&output.stderr).unwrap()
}

/// Waits until a command says something, and gives how it ended.
async fn until_it_says(expected: &str, mut run: impl FnMut() -> Output) -> Output {
    let began = Instant::now();
    loop {
        let output = run();
        if text(&output).contains(expected) {
            return output;
        }
        assert!(began.elapsed() < SOON, "no {expected:?}: {}", text(&output));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn says_all(output: &Output, code: i32, expected: &[&str]) {
    let text = text(output);
    for expected in expected {
        assert!(text.contains(expected), "{expected:?}: {text}");
    }
    assert_eq!(output.status.code(), Some(code), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_are_explained_and_shown_and_a_change_is_foreseen() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let world = World::new(scope).await?;
            scope.create_service(NewService::new(&world.shop, "web").selects("app", "web")).await?;
            let (web, request) = world.ask("web-0", "web").await?;
            let serial = request.outcome(SOON).await?.issued()?;
            world.kubelet.set_phase(&web, "Running").await?;
            world.ask("lonely", "other").await?;

            let issued = signerctl(&cluster, &["explain", "pod", &format!("{}/web-0", world.shop)]);
            let name = format!("web.{}.svc", world.shop);
            says_all(
                &issued,
                0,
                &[&world.signer, "issued", &name, "server auth", "ED25519", "Next: Nothing"],
            );
            let leaf = test_cluster::Certificate::all(&serial.chain_pem)?.remove(0);
            assert!(text(&issued).replace(':', "").contains(&leaf.serial().to_lowercase()), "{issued:?}");

            let lonely = format!("{}/lonely", world.shop);
            let explain = ["explain", "pod", &lonely];
            let waits = until_it_says("WaitingForService", || signerctl(&cluster, &explain)).await;
            says_all(&waits, 1, &["waits", "Next: Correct what the message names"]);
            let found: Value = serde_json::from_slice(
                &signerctl(&cluster, &[&explain[..], &["--output", "json"]].concat()).stdout,
            )
            .unwrap();
            assert_eq!(
                (&found["certificates"][0]["outcome"], &found["certificates"][0]["reason"]),
                (&json!("Pending"), &json!("WaitingForService"))
            );
            let nobody = signerctl(&cluster, &["explain", "pod", &format!("{}/nobody", world.shop)]);
            says_all(&nobody, 1, &["nobody isn't in context"]);

            let status = world.json(&["status"]);
            let signer = &status["signers"][0];
            let counts = ["issued", "waiting", "refused", "anchors"].map(|count| signer[count].as_u64());
            assert_eq!(counts, [Some(1), Some(1), Some(0), Some(1)], "{status}");
            assert_eq!(status["replicas"][0]["finished"], json!(1), "{status}");
            let waiting = status["waiting"].as_array().unwrap();
            let waiting = waiting.iter().find(|waiting| waiting["signer"] == world.signer.as_str()).unwrap();
            assert_eq!(
                (&waiting["pod"], &waiting["reason"]),
                (&json!("lonely"), &json!("WaitingForService"))
            );
            says_all(&world.run(&["status"]), 0, &[&world.signer, "signs", "ANCHORS", "WaitingForService"]);

            let wider =
                world.file("wider.yaml", &world.configuration("  dnsSuffixes: [svc, svc.cluster.local]\n"));
            let narrower = world.file(
                "narrower.yaml",
                &world.configuration("  allow: [{namespaces: [elsewhere], serviceAccounts: [\"*\"]}]\n"),
            );
            let same = world.file("same.yaml", &world.configuration(""));
            let of_shop = ["--namespace", &world.shop, "--config"];
            let compared = |config: &str| world.run(&[&["explain"], &of_shop[..], &[config]].concat());
            says_all(
                &compared(&wider),
                0,
                &["1 would gain a name", &format!("+ {name}.cluster.local"), "web-0"],
            );
            says_all(
                &compared(&narrower),
                1,
                &["1 would lose a name", &format!("- {name}"), "Denied IdentityNotGranted"],
            );
            says_all(&compared(&same), 0, &["0 would lose", "2 would stay"]);
            let back = world.run(&[&["explain"], &of_shop[..], &[&same, "--against", &wider]].concat());
            says_all(&back, 1, &[&format!("- {name}.cluster.local")]);
            world.end().await;
            Ok(())
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_finds_what_is_missing_and_what_may_not_be_read() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let world = World::new(scope).await?;
            until_it_says("has the pool's 1 root", || world.run(&["check"])).await;
            let checked = world.json(&["check"]);
            let of = |id: &str| {
                let all = checked["checks"].as_array().unwrap();
                let ours = all.iter().filter(|check| check["id"] == id);
                ours.map(|check| (check["severity"].as_str().unwrap(), check["text"].as_str().unwrap()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(of("api")[0].0, "good", "{checked}");
            assert_eq!(of("configuration"), [("good", "the configuration is valid: 1 signer")]);
            assert_eq!(of("replicas")[0], ("bad", "no replica is ready, so nothing is issued"));
            let (severity, rights) = of("rights")[0];
            assert_eq!(severity, "bad");
            for right in
                ["sign signers.certificates.k8s.io ", "update podcertificaterequests/status", "get secrets "]
            {
                assert!(rights.contains(right), "{right}: {rights}");
            }
            assert!(of("ca-pool")[0].1.contains("CA 1 signs"), "{checked}");
            assert_eq!(of("trust-bundle")[0].0, "good", "{checked}");
            assert_eq!(checked["isGood"], json!(false));
            says_all(
                &world.run(&["check", "--fail-before", "9000d"]),
                1,
                &["within --fail-before", "ca-pool rotate"],
            );

            let out = world.dir.path().join("anchors");
            fs::create_dir(&out).unwrap();
            let export = ["bundle", "export", "--signer", &world.signer, "--dir", out.to_str().unwrap()];
            says_all(&signerctl(&cluster, &export), 0, &["bundle.pem", "bundle.spiffe.json", ".der"]);
            let pem = out.join("bundle.pem");
            let published = scope.cluster().trust_bundles(&world.signer).await?.remove(0);
            assert_eq!(fs::read_to_string(&pem).unwrap(), published.anchors_pem);
            let spiffe: Value =
                serde_json::from_slice(&fs::read(out.join("bundle.spiffe.json")).unwrap()).unwrap();
            assert_eq!(spiffe["spiffe_sequence"].to_string(), published.resource_version);
            let show = ["bundle", "show", "--signer", &world.signer];
            says_all(&signerctl(&cluster, &show), 0, &["1 anchor", "SHA-256"]);
            // the API server's certificate is of another CA
            let address = scope.cluster().config().cluster_url.authority().unwrap().to_string();
            let verify = ["bundle", "verify", "--file", pem.to_str().unwrap(), "--connect", &address];
            says_all(
                &signerctl(&cluster, &verify),
                1,
                &["not verified against", "none of its anchors has signed it"],
            );

            let nobody = kubeconfig_of_nobody(&world).await;
            let stranger = signerctl_as(
                Some(Path::new(&nobody)),
                &["check", "--controller-namespace", &world.namespace],
            );
            let expected = [
                "configuration: not checked",
                "requests: not checked",
                "doesn't allow it",
                "couldn't be made; the others found nothing broken",
            ];
            says_all(&stranger, 0, &expected);
            world.end().await;
            Ok(())
        })
        .await
}

/// A kubeconfig with the token of a service account that may nothing.
async fn kubeconfig_of_nobody(world: &World<'_>) -> String {
    let accounts: Api<ServiceAccount> = Api::namespaced(world.scope.client(), &world.shop);
    let token =
        accounts.create_token_request("default", &PostParams::default(), &TokenRequest::default()).await;
    let token = token.unwrap().status.unwrap().token;
    let administrator = fs::read_to_string(world.scope.cluster().kubeconfig().unwrap()).unwrap();
    // the last `user` is that of the only entry of `users`
    let (before, _) = administrator.split_at(administrator.rfind("user:").unwrap());
    world.file("nobody.kubeconfig", &format!("{before}user: {{token: {}}}\n", token.unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holders_of_a_revoked_ca_are_named_until_none_is_left() -> Result<(), Error> {
    let cluster = Cluster::connect().await?;
    cluster
        .run(async |scope| {
            let world = World::new(scope).await?;
            scope.create_service(NewService::new(&world.shop, "web").selects("app", "web")).await?;
            let (first, request) = world.ask("web-0", "web").await?;
            let (second, other) = world.ask("web-1", "web").await?;
            request.outcome(SOON).await?.issued()?;
            other.outcome(SOON).await?.issued()?;
            world.kubelet.set_phase(&first, "Running").await?;
            world.kubelet.set_phase(&second, "Running").await?;

            let place = ["--namespace", &world.namespace, "--name", "ca"];
            let rotate = ["ca-pool", "rotate", "--emergency", "--yes"];
            let rotated = signerctl(&cluster, &[&rotate[..], &place[..]].concat());
            assert!(rotated.status.success(), "{rotated:?}");
            let status = || world.run(&["revoke-status", &world.signer]);
            let both = format!("without a controller\n  Nobody makes these again once they are deleted: replace each from its manifest.\n  {0}/web-0\n  {0}/web-1\n", world.shop);
            says_all(&status(), 1, &["2 of 2 pods may hold", "2 of 2", &both]);

            // its next certificate is of the new CA as soon as the signer has read the pool again
            let last = format!("manifest.\n  {}/web-1\n", world.shop);
            let began = Instant::now();
            while !text(&status()).contains("1 of 2 pods may hold") {
                assert!(began.elapsed() < SOON, "{}", text(&status()));
                let next = world.kubelet.request(&first, &first.sources[0]).await?;
                next.outcome(SOON).await?.issued()?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            says_all(&status(), 1, &[&last]);
            world.kubelet.remove(&second).await?;
            says_all(&until_it_says("none of 1 pod holds", status).await, 0, &[]);
            says_all(&world.run(&["revoke-status", &world.signer, "--watch"]), 0, &["none of 1 pod"]);
            world.end().await;
            Ok(())
        })
        .await
}

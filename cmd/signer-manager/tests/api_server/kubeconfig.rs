//! signer-manager on kubeconfigs as people bring them, beside kubectl.
//! `cmd/signerctl/tests/api_server/kubeconfig` has the whole table, on the same module.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{events::assert_says, process::signer_manager, setup::Setup};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use test_cluster::{
    Cluster, ControlPlane, Minor,
    control_plane::{Program, Progress, build},
    own_control_plane,
};

struct World {
    node: PathBuf,
    plane: ControlPlane,
    cluster: Cluster,
    dir: tempfile::TempDir,
}

impl World {
    /// None where only a foreign cluster is at hand, whose CA can't be asked to sign.
    async fn start() -> Option<Self> {
        let Some(options) = own_control_plane().unwrap() else {
            eprintln!("skipped: needs a control plane of its own");
            return None;
        };
        let (node, plane) = tokio::task::spawn_blocking(move || {
            let minor = Minor::newest().unwrap();
            let mut progress = Progress::new(Program::Node, minor);
            let node = build(Program::Node, minor, &mut |elapsed| progress.report(elapsed)).unwrap();
            (node, ControlPlane::start(&options).unwrap())
        })
        .await
        .unwrap();
        let cluster = Cluster::of(&plane).await.unwrap();
        Some(Self { node, plane, cluster, dir: tempfile::tempdir().unwrap() })
    }

    fn pki(&self, name: &str) -> PathBuf {
        self.plane.dir().join("pki").join(name)
    }

    fn data(path: &Path) -> String {
        STANDARD.encode(fs::read(path).unwrap())
    }

    fn kubeconfig(&self, user: &str, cluster: &str) -> PathBuf {
        let path = self.dir.path().join("kubeconfig");
        let text = format!(
            "current-context: x\nclusters: [{{name: c, cluster: {{{cluster}}}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{{user}}}}}]\n"
        );
        fs::write(&path, text).unwrap();
        path
    }

    fn kubectl_works(&self, kubeconfig: &Path, environment: &[(&str, &str)]) -> bool {
        let mut command = Command::new(&self.node);
        command.args(["kubectl", "get", "namespaces"]).envs(environment.iter().copied());
        command.arg("--kubeconfig").arg(kubeconfig).output().unwrap().status.success()
    }

    /// A client certificate as `openssl x509 -req` makes it: of version 1.
    fn version_1(&self) -> String {
        let openssl = |arguments: &[&str]| {
            let output =
                Command::new("openssl").args(arguments).current_dir(self.dir.path()).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let (ca, key) = (self.pki("ca.crt"), self.pki("ca.key"));
        openssl(&[
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/O=system:masters/CN=v1",
            "-keyout",
            "v1.key",
            "-out",
            "v1.csr",
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            "v1.csr",
            "-CA",
            ca.to_str().unwrap(),
            "-CAkey",
            key.to_str().unwrap(),
            "-set_serial",
            "7",
            "-days",
            "30",
            "-out",
            "v1.crt",
        ]);
        assert!(openssl(&["x509", "-in", "v1.crt", "-noout", "-text"]).contains("Version: 1 (0x0)"));
        Self::certificate(&self.dir.path().join("v1.crt"), &self.dir.path().join("v1.key"))
    }

    fn certificate(certificate: &Path, key: &Path) -> String {
        format!("client-certificate-data: {}, client-key-data: {}", Self::data(certificate), Self::data(key))
    }
}

#[tokio::test]
async fn what_kubectl_takes_signer_manager_takes_and_what_it_refuses_is_told() {
    let Some(world) = World::start().await else { return };
    let admin = World::certificate(&world.pki("admin.crt"), &world.pki("admin.key"));
    let server = format!("server: '{}'", world.plane.server());
    let ca = format!("{server}, certificate-authority-data: {}", World::data(&world.pki("ca.crt")));
    let leaf =
        format!("{server}, certificate-authority-data: {}", World::data(&world.pki("kube-apiserver.crt")));
    let dead = [("HTTPS_PROXY", "http://u:s3cret@127.0.0.1:1")];
    let empty = format!("{admin}, token: '', tokenFile: null, auth-provider: null");
    for (name, user, cluster, environment) in [
        ("a certificate of version 1", &world.version_1(), &ca, &[][..]),
        ("a pinned server", &admin, &leaf, &[]),
        ("a proxy in the environment, and a server here", &admin, &ca, &dead),
        ("empty values", &empty, &ca, &[]),
    ] {
        let kubeconfig = world.kubeconfig(user, cluster);
        assert!(world.kubectl_works(&kubeconfig, environment), "{name}");
        let process = spawn(&world, &kubeconfig, environment);
        process.ready().await;
        let log = format!("{:?}", process.log());
        assert_says(&log, &["user \\\"u\\\" of ", "of context x", world.plane.server()]);
        assert!(!log.contains("s3cret"), "{log}");
    }

    let without_scheme = format!(
        "server: '{}', certificate-authority-data: {}",
        world.plane.server().replace("https://", ""),
        World::data(&world.pki("ca.crt"))
    );
    let kubeconfig = world.kubeconfig(&admin, &without_scheme);
    assert!(!world.kubectl_works(&kubeconfig, &[]));
    let mut command = signer_manager();
    let config = Setup::new().signer("a.example.test/a", "kind: service-dns");
    command.arg("--config").arg(config.write()).arg("--kubeconfig").arg(&kubeconfig);
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_says(
        &String::from_utf8_lossy(&output.stderr),
        &["wants TLS", "write `server: https://HOST:PORT`"],
    );
}

#[tokio::test]
async fn a_wrong_kubeconfig_ends_it_with_entry_file_and_remedy() {
    let Some(world) = World::start().await else { return };
    let config = Setup::new().signer("a.example.test/a", "kind: service-dns");
    let config_file = config.write();
    let server = format!("server: '{}'", world.plane.server());
    for (user, cluster, code, says) in [
        ("token: \"s3cret\\n\"", &server, 2, &["user \"u\" of ", "`token` holds a line break"]),
        (
            "auth-provider: {name: gcp, config: null}",
            &server,
            2,
            &["user \"u\" of ", "gke-gcloud-auth-plugin"],
        ),
        ("client-certificate-data: czNjcmV0", &server, 2, &["user \"u\" of ", "without its key"]),
        (
            "",
            &"server: 'ftp://u:s3cret@h'".to_owned(),
            2,
            &["cluster \"c\" of ", "server: https://HOST:PORT"],
        ),
    ] {
        let kubeconfig = world.kubeconfig(user, cluster);
        assert!(!world.kubectl_works(&kubeconfig, &[]), "{user} {cluster}");
        let mut command = signer_manager();
        command.arg("--config").arg(&config_file).arg("--kubeconfig").arg(&kubeconfig);
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_says(&said, says);
        assert!(!said.contains("s3cret") && !said.contains("czNjcmV0"), "{said}");
    }
    let mut command = signer_manager();
    command.arg("--config").arg(&config_file).args(["--kubeconfig", "/nonexistent"]);
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_says(&String::from_utf8_lossy(&output.stderr), &["/nonexistent doesn't exist; correct the path"]);
}

fn spawn(world: &World, kubeconfig: &Path, environment: &[(&str, &str)]) -> crate::support::process::Process {
    let mut command = signer_manager();
    command.envs(environment.iter().copied());
    let setup = Setup::new().signer("a.example.test/a", "kind: service-dns");
    setup.spawn_by(command, &world.cluster, &["--kubeconfig", kubeconfig.to_str().unwrap()])
}

//! A control plane with a Secret to ask for, and ways to it.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use test_cluster::{
    ControlPlane, Minor, Options,
    control_plane::{Program, Progress, build},
};

use super::pki::{base64, read};

pub(crate) struct World {
    /// The program that is kubectl.
    pub(crate) node: PathBuf,
    /// Such as `https://127.0.0.1:41269`.
    pub(crate) server: String,
    pub(crate) pki: PathBuf,
    /// A service account's, who may read the Secret.
    pub(crate) token: String,
    /// Ports on 127.0.0.1 at which the API server answers without TLS and to anybody.
    pub(crate) plain: u16,
    /// The same below `/k8s/clusters/c-1`.
    pub(crate) below: u16,
    /// Keys and certificates that rows need.
    pub(crate) made: tempfile::TempDir,
    _proxies: Vec<KubectlProxy>,
    _plane: ControlPlane,
}

impl World {
    pub(crate) async fn start(options: Options) -> Self {
        tokio::task::spawn_blocking(move || Self::start_blocking(&options)).await.unwrap()
    }

    fn start_blocking(options: &Options) -> Self {
        let minor = Minor::newest().unwrap();
        let mut progress = Progress::new(Program::Node, minor);
        let node = build(Program::Node, minor, &mut |elapsed| progress.report(elapsed)).unwrap();
        drop(progress);
        let plane = ControlPlane::start(options).unwrap();
        let kubectl = |arguments: &[&str]| {
            let mut command = Command::new(&node);
            command.arg("kubectl").args(arguments).env("KUBECONFIG", plane.kubeconfig());
            let output = command.output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let mut create = Command::new(env!("CARGO_BIN_EXE_signerctl"));
        create.args([
            "ca-pool",
            "create",
            "--namespace",
            "default",
            "--name",
            "pool",
            "--signer",
            "example.com/web",
        ]);
        let created = create.env("KUBECONFIG", plane.kubeconfig()).output().unwrap();
        assert!(created.status.success(), "{created:?}");
        kubectl(&[
            "create",
            "clusterrolebinding",
            "reader",
            "--clusterrole=cluster-admin",
            "--serviceaccount=default:default",
        ]);
        let token = kubectl(&["create", "token", "default", "--namespace", "default", "--duration", "2h"]);
        let proxies = [&[][..], &["--api-prefix=/k8s/clusters/c-1/"]]
            .map(|further| KubectlProxy::start(&node, plane.kubeconfig(), further));
        Self {
            server: plane.server().to_owned(),
            pki: plane.dir().join("pki"),
            token,
            plain: proxies[0].port,
            below: proxies[1].port,
            made: tempfile::tempdir().unwrap(),
            _proxies: proxies.into(),
            _plane: plane,
            node,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The fields of the cluster as it is, the CA as data.
    pub(crate) fn cluster(&self) -> String {
        format!("server: '{}', {}", self.server, self.authority())
    }

    pub(crate) fn authority(&self) -> String {
        format!("certificate-authority-data: {}", base64(&read(&self.pki.join("ca.crt"))))
    }

    /// The fields of the administrator.
    pub(crate) fn admin(&self) -> String {
        certificate(&self.pki.join("admin.crt"), &self.pki.join("admin.key"))
    }

    /// The fields of the service account.
    pub(crate) fn bearer(&self) -> String {
        format!("token: {}", self.token)
    }

    pub(crate) fn token_is_in(&self, text: &str) -> bool {
        text.contains(&self.token)
    }
}

/// The fields of a user with a client certificate.
pub(crate) fn certificate(certificate: &Path, key: &Path) -> String {
    format!(
        "client-certificate-data: {}, client-key-data: {}",
        base64(&read(certificate)),
        base64(&read(key))
    )
}

/// `kubectl proxy`: the API server without TLS.
struct KubectlProxy {
    child: Child,
    port: u16,
}

impl KubectlProxy {
    fn start(node: &Path, kubeconfig: &Path, further: &[&str]) -> Self {
        let mut command = Command::new(node);
        command
            .args(["kubectl", "proxy", "--port=0", "--accept-hosts=.*", "--reject-paths=^$"])
            .args(further);
        command.env("KUBECONFIG", kubeconfig).stdout(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit_once(':').unwrap_or_else(|| panic!("{line:?}")).1.parse().unwrap();
        Self { child, port }
    }
}

impl Drop for KubectlProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The same kubeconfig, the same environment, kubectl and signerctl side by side against a real API server:
//! the same verdict, except where a row says otherwise and why.

mod credentials;
mod files;
mod pki;
mod plugins;
mod proxies;
mod relay;
mod servers;
mod trust;
mod world;

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use self::world::World;
use test_cluster::own_control_plane;

/// What becomes of a row.
enum Expected {
    /// Both get the Secret.
    Works,
    /// Both fail; signerctl's message has these parts.
    Fails(&'static [&'static str]),
    /// kubectl gets it, and signerctl says why it doesn't, and what to do.
    Remedy(&'static [&'static str]),
    /// signerctl gets it, and kubectl doesn't, for this reason.
    Lenient(&'static str),
}
use Expected::{Fails, Lenient, Remedy, Works};

/// A way to the cluster.
struct Row {
    name: &'static str,
    /// Files with their content, in the directory in which both programs run. `kubeconfig` is what
    /// `KUBECONFIG` says by default.
    files: Vec<(&'static str, Vec<u8>)>,
    environment: Vec<(&'static str, String)>,
    /// `--kubeconfig` or `--context`, which both programs have.
    arguments: Vec<&'static str>,
    expected: Expected,
}

impl Row {
    /// A kubeconfig with these fields of its one user and its one cluster.
    fn of(name: &'static str, user: impl AsRef<str>, cluster: impl AsRef<str>, expected: Expected) -> Self {
        Self::text(name, kubeconfig(user.as_ref(), cluster.as_ref()), expected)
    }

    fn text(name: &'static str, text: impl Into<Vec<u8>>, expected: Expected) -> Self {
        let files = vec![("kubeconfig", text.into())];
        Self { name, files, environment: Vec::new(), arguments: Vec::new(), expected }
    }

    fn file(mut self, name: &'static str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name, content.into()));
        self
    }

    fn env(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((variable, value.into()));
        self
    }

    fn arguments(mut self, arguments: &[&'static str]) -> Self {
        self.arguments.extend(arguments);
        self
    }
}

fn kubeconfig(user: &str, cluster: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\nclusters:\n- name: c\n  cluster: {{{cluster}}}\n\
         contexts:\n- name: x\n  context: {{cluster: c, user: u}}\nusers:\n- name: u\n  user: {{{user}}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_and_signerctl_agree_on_each_kubeconfig() {
    let Some(options) = own_control_plane().unwrap() else {
        eprintln!("skipped: needs a control plane of its own, whose CA signs clients");
        return;
    };
    let world = World::start(options).await;
    let mut rows = files::rows(&world);
    rows.extend(servers::rows(&world));
    rows.extend(credentials::rows(&world));
    rows.extend(plugins::rows(&world));
    rows.extend(trust::rows(&world).await);
    rows.extend(proxies::rows(&world).await);
    println!("{} rows", rows.len());

    let problems = tokio::task::spawn_blocking(move || {
        let world = &world;
        thread::scope(|scope| {
            let share = rows.len().div_ceil(4);
            let parts: Vec<_> =
                rows.chunks(share).map(|part| scope.spawn(move || judge_all(world, part))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect::<Vec<_>>()
        })
    });
    let problems = problems.await.unwrap();
    assert!(problems.is_empty(), "{} rows differ:\n\n{}", problems.len(), problems.join("\n\n"));
}

fn judge_all(world: &World, rows: &[Row]) -> Vec<String> {
    rows.iter().filter_map(|row| judge(world, row).err()).collect()
}

/// Runs both programs on a row.
fn judge(world: &World, row: &Row) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in &row.files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut kubectl = Command::new(&world.node);
    kubectl.args([
        "kubectl",
        "get",
        "secret",
        "pool",
        "--namespace",
        "default",
        "--output",
        "name",
        "--request-timeout",
        "20s",
    ]);
    let mut signerctl = Command::new(env!("CARGO_BIN_EXE_signerctl"));
    signerctl.args(["ca-pool", "show", "--namespace", "default", "--name", "pool"]);
    let (kubectl, signerctl) = (run(kubectl, row, directory.path()), run(signerctl, row, directory.path()));
    let said = String::from_utf8_lossy(&signerctl.stderr).into_owned();
    let works = (kubectl.status.success(), signerctl.status.success());
    let differs = |what: &str| {
        Err(format!(
            "{}: {what}\n  kubectl: {} {}\n  signerctl: {} {said}",
            row.name,
            kubectl.status,
            String::from_utf8_lossy(&kubectl.stderr).trim(),
            signerctl.status,
        ))
    };
    if SECRETS.iter().any(|secret| said.contains(secret)) || world.token_is_in(&said) {
        return differs("a secret is shown");
    }
    // words of libraries that nobody outside of them knows
    if ["rustls", "identity PEM", "hyper", "Err(", "panicked", "ServiceError", "OtherError", "TunnelError"]
        .iter()
        .any(|word| said.contains(word))
    {
        return differs("a library speaks");
    }
    let says = |parts: &[&str]| parts.iter().all(|part| said.contains(part));
    match (&row.expected, works) {
        (Works, (true, true)) => Ok(()),
        (Fails(parts), (false, false)) | (Remedy(parts), (true, false)) if says(parts) => Ok(()),
        (Fails(parts), (false, false)) | (Remedy(parts), (true, false)) => {
            differs(&format!("must say {parts:?}"))
        }
        (Lenient(_), (false, true)) => Ok(()),
        (Works, _) => differs("both must work"),
        (Fails(_), _) => differs("both must fail"),
        (Remedy(_), _) => differs("kubectl alone must work"),
        (Lenient(why), _) => differs(&format!("signerctl alone must work ({why})")),
    }
}

/// What stands in rows, and must be in no message.
const SECRETS: [&str; 2] = ["s3cret", "czNjcmV0"];

fn run(mut command: Command, row: &Row, directory: &Path) -> Output {
    command.args(&row.arguments).current_dir(directory).stdin(Stdio::null());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", directory.join("home"));
    command.env("KUBECONFIG", "kubeconfig");
    for (variable, value) in &row.environment {
        if value.is_empty() {
            command.env_remove(variable)
        } else {
            command.env(variable, value)
        };
    }
    command.output().unwrap()
}

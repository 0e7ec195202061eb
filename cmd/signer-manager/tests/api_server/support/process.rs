//! The real binary, as a process of its own.

use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use test_cluster::{Cluster, unique};
use tokio::process::{Child, Command};

use super::{
    SOON,
    ca::write_whole,
    http::{Page, free_address, get, readyz},
    setup::Setup,
};

/// A running signer-manager; dropped, it is killed, and if the test fails its log is shown.
pub(crate) struct Process {
    /// Where it answers `/livez` and `/readyz`.
    pub(crate) http: SocketAddr,
    child: Child,
    log: PathBuf,
    _setup: Setup,
}

/// `$LIB` is the dynamic linker's own word for where this architecture's libraries are.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// The binary, with nothing but its program name.
pub(crate) fn signer_manager() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signer-manager"));
    command.stdin(std::process::Stdio::null()).kill_on_drop(true);
    command
}

impl Setup {
    /// Writes the configuration file, at once, since a process may be reading it; returns its path.
    pub(crate) fn write(&self) -> PathBuf {
        let path = self.dir.path().join("signers.yaml");
        write_whole(&path, self.text().as_bytes());
        path
    }

    /// Runs the binary with it.
    pub(crate) fn spawn(&self, cluster: &Cluster) -> Process {
        self.spawn_by(signer_manager(), cluster, &[])
    }

    /// Runs the binary on a machine whose clock is off by so much: `+8d`, `-10m`. Debian's package `faketime`
    /// has the library; its monotonic clock stays right.
    pub(crate) fn spawn_at(&self, cluster: &Cluster, off: &str) -> Process {
        let mut command = signer_manager();
        command.envs([("LD_PRELOAD", FAKETIME), ("FAKETIME", off), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
        self.spawn_by(command, cluster, &[])
    }

    /// The same, where a file says by how much it is off, and may say something else at any time.
    pub(crate) fn spawn_at_what(&self, cluster: &Cluster, file: &Path) -> Process {
        let mut command = signer_manager();
        command.env("LD_PRELOAD", FAKETIME).env("FAKETIME_TIMESTAMP_FILE", file);
        command.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
        self.spawn_by(command, cluster, &[])
    }

    /// Runs another program in the binary's place, with its arguments.
    pub(crate) fn spawn_program(&self, cluster: &Cluster, program: &Path) -> Process {
        let mut command = Command::new(program);
        command.stdin(std::process::Stdio::null()).kill_on_drop(true);
        self.spawn_by(command, cluster, &[])
    }

    /// Runs the binary with it, in a pod of this name.
    pub(crate) fn spawn_in(&self, cluster: &Cluster, pod: &str) -> Process {
        self.spawn_replica(signer_manager(), cluster, &[], pod)
    }

    /// Runs the binary with it, and with further arguments, by a command that ends where the binary's
    /// arguments begin.
    pub(crate) fn spawn_by(&self, command: Command, cluster: &Cluster, further: &[&str]) -> Process {
        self.spawn_replica(command, cluster, further, &format!("replica-{}", unique::label()))
    }

    fn spawn_replica(&self, mut command: Command, cluster: &Cluster, further: &[&str], pod: &str) -> Process {
        let http = free_address();
        let log = self.dir.path().join(format!("{pod}-{}.log", unique::label()));
        command.arg("--config").arg(self.write()).args([
            "--log-format",
            "json",
            "--http-bind",
            &http.to_string(),
        ]);
        command.args(further);
        let output = File::create(&log).unwrap();
        command.env("HOSTNAME", pod).stdout(output.try_clone().unwrap()).stderr(output);
        if let Some(kubeconfig) = cluster.kubeconfig() {
            command.env("KUBECONFIG", kubeconfig);
        }
        Process { http, child: command.spawn().unwrap(), log, _setup: self.clone() }
    }
}

impl Process {
    /// Waits until `/readyz` answers 200.
    pub(crate) async fn ready(&self) -> Page {
        self.readyz(|page| page.code == 200).await
    }

    /// Waits until `/readyz` answers with a page for which `wanted` holds.
    pub(crate) async fn readyz(&self, wanted: impl Fn(&Page) -> bool) -> Page {
        readyz(self.http, wanted).await
    }

    /// Whether it hasn't ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it at once, whatever it has in hand.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// What a metric of it says, summed over signers; nothing if it isn't there.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let page = get(self.http, "/metrics").await.ok()?.body;
        let name = format!("pod_certificate_signer_{name}{{");
        let lines = page.lines().filter(|line| line.starts_with(&name));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).reduce(|sum, value| sum + value)
    }

    /// Stops it until it is resumed: it notices nothing of what happens.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(SOON, self.child.wait()).await;
        ended.expect("the process must end").unwrap()
    }

    /// What it has logged so far, line by line.
    pub(crate) fn log(&self) -> Vec<Value> {
        // it may be written just now
        let bytes = std::fs::read(&self.log).unwrap();
        let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
        let whole = std::str::from_utf8(&bytes[..end]).unwrap();
        whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into())).collect()
    }

    /// What it has written so far, as it stands there.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The limits that the kernel holds it to.
    pub(crate) fn limits(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/limits", self.child.id().unwrap())).unwrap()
    }

    /// Its audit records with that outcome.
    pub(crate) fn audit(&self, outcome: &str) -> Vec<Value> {
        let mut lines = self.log();
        lines.retain(|line| line["target"] == "audit" && line["outcome"] == outcome);
        lines
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("\"outcome\":\"Issued\"")).collect();
            let end = lines[lines.len().saturating_sub(30)..].join("\n");
            eprintln!("the end of {}, without what was issued:\n{end}", self.log.display());
        }
    }
}

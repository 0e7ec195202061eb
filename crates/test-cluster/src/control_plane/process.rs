//! Runs the control plane as a child process.

use std::{
    io::{BufRead, BufReader},
    net::IpAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{
    build::{Program, build, io, tail},
    progress::Progress,
};
use crate::{Error, Minor};

/// A start takes seconds; a machine that builds at the same time makes it much longer.
const START: Duration = Duration::from_secs(300);

/// After this, an end is enforced, which leaves files behind. It takes the program about 2 s at most by its
/// own rules; a loaded machine may take longer.
const END: Duration = Duration::from_secs(60);

/// What a control plane may be asked for. The default is the newest version, as a cluster has it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The Kubernetes version; `None` is the newest.
    pub kubernetes: Option<Minor>,
    /// Where the API server writes one JSON line for each finished call.
    pub audit_log: Option<PathBuf>,
    /// Serve neither PodCertificateRequest nor ClusterTrustBundle, as a cluster with the feature gates off.
    pub without_pcr_api: bool,
    /// A directory that survives the end, and can be started on again; `None` is a temporary one.
    pub dir: Option<PathBuf>,
    /// The API server's port on 127.0.0.1, or on the node's address; `None` is a free one. To come back on
    /// `dir` where clients expect it.
    pub port: Option<u16>,
    /// A kubelet that is going to run on this machine.
    pub node: Option<RealNode>,
}

/// A node on this machine, for which the control plane runs every controller, and beside its announced
/// kubeconfig leaves `node-<name>.kubeconfig`, `kube-proxy.kubeconfig` and `kube-scheduler.kubeconfig`, and
/// in `pki` the CA and `kubelet-serving`.
#[derive(Debug, Clone)]
pub struct RealNode {
    /// The Node object's name.
    pub name: String,
    /// An address of this machine that isn't loopback; the API server listens there alone.
    pub address: IpAddr,
}

/// A running control plane. It ends, and removes its directory, when this is dropped, and whenever and
/// however this process ends.
#[derive(Debug)]
pub struct ControlPlane {
    child: Child,
    announced: Announcement,
}

/// The one line that the program prints once it is ready.
#[derive(Debug, Deserialize)]
struct Announcement {
    kubeconfig: PathBuf,
    server: String,
    kubernetes: String,
    dir: PathBuf,
}

impl ControlPlane {
    /// Builds the program if need be (with progress on standard error), starts it, and returns once it is
    /// ready.
    ///
    /// It blocks: from async code, call it in `tokio::task::spawn_blocking`.
    pub fn start(options: &Options) -> Result<Self, Error> {
        let minor = options.kubernetes.map_or_else(Minor::newest, Ok)?;
        let mut progress = Progress::new(Program::ControlPlane, minor);
        let program = build(Program::ControlPlane, minor, &mut |elapsed| progress.report(elapsed))?;
        drop(progress);
        let stderr =
            tempfile::NamedTempFile::new().map_err(io("creating a file in", &std::env::temp_dir()))?;
        let child = command(&program, options)
            .stderr(stderr.reopen().map_err(io("opening", stderr.path()))?)
            .spawn()
            .map_err(io("running", &program))?;
        Self::await_announcement(child).map_err(|why| Error::Start {
            minor: minor.to_string(),
            why,
            output: tail(stderr.path(), 30),
        })
    }

    fn await_announcement(mut child: Child) -> Result<Self, String> {
        let (sender, line) = mpsc::channel();
        let stdout = child.stdout.take();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut line));
            let _ = sender.send(match read {
                Some(Ok(1..)) => Ok(line),
                Some(Err(error)) => Err(error.to_string()),
                Some(Ok(0)) | None => Err("it ended before it was ready".into()),
            });
        });
        let line = line
            .recv_timeout(START)
            .unwrap_or_else(|_| Err(format!("not ready after {} s", START.as_secs())));
        let parsed = line.and_then(|line| {
            serde_json::from_str(&line)
                .map_err(|error| format!("it announced {line:?}, which isn't understood: {error}"))
        });
        match parsed {
            Ok(announced) => Ok(Self { child, announced }),
            Err(why) => {
                end(&mut child);
                Err(why)
            }
        }
    }

    /// The kubeconfig file of a superuser.
    pub fn kubeconfig(&self) -> &Path {
        &self.announced.kubeconfig
    }

    /// The API server's URL.
    pub fn server(&self) -> &str {
        &self.announced.server
    }

    /// The full version, such as `v1.36.3`.
    pub fn kubernetes(&self) -> &str {
        &self.announced.kubernetes
    }

    /// The directory with its state and logs.
    pub fn dir(&self) -> &Path {
        &self.announced.dir
    }

    /// The last lines of its components' logs: what a failure report needs.
    pub fn log_tail(&self, lines: usize) -> String {
        tail(&self.dir().join("controlplane.log"), lines)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn command(program: &Path, options: &Options) -> Command {
    let mut command = Command::new(program);
    command.arg("--parent-pipe").stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Some(file) = &options.audit_log {
        command.arg("--audit-log").arg(file);
    }
    if let Some(dir) = &options.dir {
        command.arg("--dir").arg(dir);
    }
    if let Some(port) = options.port {
        command.arg("--port").arg(port.to_string());
    }
    if options.without_pcr_api {
        command.arg("--without-pcr-api");
    }
    if let Some(RealNode { name, address }) = &options.node {
        command.arg("--node").arg(format!("{name}={address}"));
    }
    // Ctrl-C is for us, who may still need the API server to tidy up; the end of the pipe is for the child.
    command.process_group(0);
    command
}

/// Closes the pipe, by which the program is told to end, and makes sure that it does.
fn end(child: &mut Child) {
    drop(child.stdin.take());
    let began = Instant::now();
    while began.elapsed() < END {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
}

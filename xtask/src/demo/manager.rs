//! The real signer-manager, as a child process.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::error::Error;

/// From the start until every signer is ready. It takes a second; a loaded machine may take longer.
const READY: Duration = Duration::from_secs(120);

/// For what is in hand to be finished: longer than it gives itself.
const END: Duration = Duration::from_secs(60);

const PULSE: Duration = Duration::from_millis(20);

/// A running signer-manager. Dropped without [`Manager::stop`], it is killed.
#[derive(Debug)]
pub(super) struct Manager {
    child: Child,
    /// Where `/readyz` and `/livez` are.
    pub(super) http: String,
    /// What it logs.
    pub(super) log: PathBuf,
}

impl Manager {
    /// Starts it with that configuration file, against the cluster of that kubeconfig (by kube's own rules,
    /// if none).
    pub(super) fn start(
        program: &Path,
        config: &Path,
        kubeconfig: Option<&Path>,
        log: PathBuf,
    ) -> Result<Self, Error> {
        let http = format!(
            "{}:{}",
            Ipv4Addr::LOCALHOST,
            free_port().map_err(Error::io("looking for", "a free port"))?
        );
        let output = File::create(&log).map_err(Error::io("creating", &log))?;
        let both = output.try_clone().map_err(Error::io("creating", &log))?;
        let mut command = Command::new(program);
        command.arg("--config").arg(config).args(["--http-bind", &http, "--log-format", "text"]);
        command.stdin(Stdio::null()).stdout(output).stderr(both);
        if let Some(kubeconfig) = kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        let child = command.spawn().map_err(Error::io("running", program))?;
        Ok(Self { child, http, log })
    }

    /// Waits until `/readyz` says that every signer is ready.
    pub(super) async fn ready(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.status()? {
                return Err(unasked(status));
            }
            let answer = get(&self.http, "/readyz").await;
            if answer.as_ref().is_ok_and(|answer| answer.split(' ').nth(1) == Some("200")) {
                return Ok(());
            }
            if began.elapsed() > READY {
                let answer = answer.unwrap_or_else(|error| error.to_string());
                return Err(Error::Unmet(format!("/readyz after {} s:\n{answer}", READY.as_secs())));
            }
            tokio::time::sleep(PULSE).await;
        }
    }

    /// Asks it to end (SIGTERM), as kubelet would, and expects it to finish what is in hand and exit with 0.
    pub(super) async fn stop(&mut self) -> Result<(), Error> {
        // Once it has ended, its number may be another process's.
        if self.status()?.is_none() {
            let signal = kill_process(Pid::from_child(&self.child), Signal::TERM);
            signal.map_err(|error| Error::io("signalling", "signer-manager")(error.into()))?;
        }
        match self.ended(END).await? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Error::Unmet(format!("signer-manager ended with {status} after SIGTERM"))),
            None => Err(Error::Unmet(format!("signer-manager goes on {} s after SIGTERM", END.as_secs()))),
        }
    }

    async fn ended(&mut self, within: Duration) -> Result<Option<ExitStatus>, Error> {
        let began = Instant::now();
        while began.elapsed() < within {
            if let Some(status) = self.status()? {
                return Ok(Some(status));
            }
            tokio::time::sleep(PULSE).await;
        }
        Ok(None)
    }

    /// Returns if it ends though nobody has asked it to.
    pub(super) async fn ends_by_itself(&mut self) -> Error {
        loop {
            match self.status() {
                Ok(None) => tokio::time::sleep(PULSE).await,
                Ok(Some(status)) => return unasked(status),
                Err(error) => return error,
            }
        }
    }

    /// How it ended, if it has.
    fn status(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().map_err(Error::io("waiting for", "signer-manager"))
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The last lines of its log.
    pub(super) fn log_tail(&self, lines: usize) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.kill();
    }
}

fn unasked(status: ExitStatus) -> Error {
    Error::Unmet(format!("signer-manager ended by itself ({status})"))
}

/// One that no outgoing connection is given in the moment until signer-manager takes it: the kernel hands out
/// those from 32768 on.
fn free_port() -> io::Result<u16> {
    // two demos don't begin with the same one
    let first = 32_000 + u16::try_from(std::process::id() % 700).unwrap_or_default();
    let free = (first..32_768).find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    free.ok_or(io::ErrorKind::AddrInUse)?.local_addr().map(|address| address.port())
}

/// The whole answer of an HTTP/1.0 server, of which the first line says the status.
async fn get(address: &str, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

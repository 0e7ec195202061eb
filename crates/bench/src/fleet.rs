//! What is measured: some replicas of signer-manager, or the null signer, as processes of their own.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{
    Result,
    stage::{Signer, Stage},
    usage::{Usage, forget_peak},
};

/// Processes that serve the same signers.
pub(crate) struct Fleet {
    pub(crate) replicas: Vec<Replica>,
    /// What replicas that have ended had counted.
    ended: Counts,
}

/// One of them.
pub(crate) struct Replica {
    child: Child,
    /// Where its metrics are; the null signer has none.
    http: Option<SocketAddr>,
}

/// What replicas have counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) issued: f64,
    pub(crate) duplicates: f64,
    pub(crate) takeovers: f64,
}

const READY: Duration = Duration::from_secs(60);
const PULSE: Duration = Duration::from_millis(10);

impl Fleet {
    /// Starts so many replicas that serve these signers, and waits until they are ready.
    pub(crate) async fn of(stage: &Stage, signers: &[Signer], replicas: usize) -> Result<Self> {
        let mut fleet = Self { replicas: Vec::new(), ended: Counts::default() };
        for _ in 0..replicas {
            fleet.replicas.push(Replica::spawn(stage, signers, stage.kubeconfig())?);
        }
        for replica in &fleet.replicas {
            replica.ready().await?;
        }
        Ok(fleet)
    }

    /// Starts so many null signers, and waits until they watch.
    pub(crate) async fn of_null(stage: &Stage, signer: &Signer, count: u8) -> Result<Self> {
        let mut replicas = Vec::new();
        for index in 0..count {
            replicas.push(Replica::null(stage, signer, index, count).await?);
        }
        Ok(Self { replicas, ended: Counts::default() })
    }

    /// What all have used together: the sum of times, and of memory the most that one has.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let mut all = Usage::default();
        for replica in &self.replicas {
            let usage = Usage::of(replica.id()?)?;
            all.cpu += usage.cpu;
            all.resident = all.resident.max(usage.resident);
            all.peak = all.peak.max(usage.peak);
        }
        Ok(all)
    }

    pub(crate) fn forget_peaks(&self) -> Result<()> {
        self.replicas.iter().try_for_each(|replica| forget_peak(replica.id()?))
    }

    /// What all have counted together, those that have ended among them.
    pub(crate) async fn counts(&self) -> Result<Counts> {
        let mut all = self.ended;
        for replica in &self.replicas {
            all = all.and(replica.counts().await?);
        }
        Ok(all)
    }

    /// What each has issued.
    pub(crate) async fn shares(&self) -> Result<Vec<f64>> {
        let mut shares = Vec::new();
        for replica in &self.replicas {
            shares.push(replica.counts().await?.issued);
        }
        Ok(shares)
    }

    /// Ends the first replica with this signal, and waits for that.
    pub(crate) async fn end_first(&mut self, signal: Signal) -> Result<()> {
        let mut first = self.replicas.remove(0);
        // what it counts between this and its end is lost: some milliseconds' worth
        self.ended = self.ended.and(first.counts().await?);
        first.signal(signal)?;
        first.child.wait().await?;
        Ok(())
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        for replica in &self.replicas {
            replica.signal(Signal::TERM)?;
        }
        for replica in &mut self.replicas {
            replica.child.wait().await?;
        }
        Ok(())
    }
}

impl Replica {
    /// Starts signer-manager on a configuration of these signers.
    pub(crate) fn spawn(stage: &Stage, signers: &[Signer], kubeconfig: &Path) -> Result<Self> {
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let config = stage.dir.path().join(format!("{http}.yaml"));
        fs::write(&config, configuration(stage, signers))?;
        let log = stage.dir.path().join(format!("{http}.log"));
        let output = File::create(log)?;
        let mut command = Command::new(&stage.signer_manager);
        command.arg("--config").arg(config).args(["--http-bind", &http.to_string(), "--log-format", "json"]);
        command.args(["--log", &std::env::var("BENCH_LOG").unwrap_or_else(|_| "info".to_owned())]);
        command.env("KUBECONFIG", kubeconfig).env("HOSTNAME", format!("replica-{}", http.port()));
        command.stdin(std::process::Stdio::null()).stdout(output.try_clone()?).stderr(output);
        Ok(Self { child: command.kill_on_drop(true).spawn()?, http: Some(http) })
    }

    async fn null(stage: &Stage, signer: &Signer, index: u8, of: u8) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["null-signer", "--signer-name", &signer.name(), "--pool"]).arg(stage.pool(signer));
        command.args(["--index", &index.to_string(), "--of", &of.to_string()]);
        command.env("KUBECONFIG", stage.kubeconfig()).stdin(std::process::Stdio::null());
        let mut child = command.stdout(std::process::Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut said = [0; 5];
        child.stdout.take().ok_or("no output")?.read_exact(&mut said).await?;
        Ok(Self { child, http: None })
    }

    /// Waits until each signer is ready.
    pub(crate) async fn ready(&self) -> Result<()> {
        let began = Instant::now();
        while let Some(http) = self.http {
            if get(http, "/readyz").await.is_ok_and(|answer| answer.split(' ').nth(1) == Some("200")) {
                break;
            }
            if began.elapsed() > READY {
                return Err(format!("signer-manager isn't ready:\n{}", get(http, "/readyz").await?).into());
            }
            sleep(PULSE).await;
        }
        Ok(())
    }

    pub(crate) fn id(&self) -> Result<u32> {
        Ok(self.child.id().ok_or("a replica has ended by itself")?)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.id()?.try_into()?).ok_or("no process")?;
        Ok(kill_process(pid, signal)?)
    }

    pub(crate) async fn counts(&self) -> Result<Counts> {
        let Some(http) = self.http else { return Ok(Counts::default()) };
        let page = get(http, "/metrics").await?;
        let sum = |name: &str, with: &str| -> f64 {
            let lines = page.lines().filter(|line| line.starts_with(name) && line.contains(with));
            lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
        };
        Ok(Counts {
            issued: sum("pod_certificate_signer_requests_total", "outcome=\"Issued\""),
            duplicates: sum("pod_certificate_signer_duplicates_total", ""),
            takeovers: sum("pod_certificate_signer_takeovers_total", ""),
        })
    }
}

impl Counts {
    fn and(self, other: Self) -> Self {
        Self {
            issued: self.issued + other.issued,
            duplicates: self.duplicates + other.duplicates,
            takeovers: self.takeovers + other.takeovers,
        }
    }

    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            issued: self.issued - before.issued,
            duplicates: self.duplicates - before.duplicates,
            takeovers: self.takeovers - before.takeovers,
        }
    }
}

fn configuration(stage: &Stage, signers: &[Signer]) -> String {
    let mut text = "clusterDomain: cluster.local\nsigners:\n".to_owned();
    for signer in signers {
        let (name, fields, pool) = (signer.name(), signer.fields, stage.pool(signer));
        text += &format!("  - {{name: {name}, {fields}, caPool: {{file: {}}}}}\n", pool.display());
    }
    text
}

/// A kubeconfig that leads through this address.
pub(crate) fn kubeconfig_through(stage: &Stage, address: SocketAddr) -> Result<PathBuf> {
    let text = fs::read_to_string(stage.kubeconfig())?.replace(&stage.server(), &address.to_string());
    let path = stage.dir.path().join(format!("kubeconfig-{}", address.port()));
    fs::write(&path, text)?;
    Ok(path)
}

/// One that no outgoing connection gets, as the kernel hands out those from 32768 on; and none that was given
/// to a replica before.
fn free_port() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(30_000);
    let ports =
        std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed)).take_while(|port| *port < 32_768);
    let mut free = ports.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.next().ok_or_else(|| io::ErrorKind::AddrInUse.into())
}

async fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

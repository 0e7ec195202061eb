//! Memory follows the number of objects, not what tenants write into them: the program lives in a cgroup of
//! 128 MiB among objects as large as they can be.
//!
//! It takes minutes, root, and the program as users get it, so it runs where `MEMORY_CHECK` names that:
//!
//! ```sh
//! cargo build --release -p signer-manager
//! MEMORY_CHECK=$PWD/target/release/signer-manager cargo test -p signer-manager --test api_server memory:: -- --nocapture
//! ```

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::{ask, process::Process, setup::Setup};
use futures::{StreamExt, TryStreamExt, stream};
use test_cluster::{
    BoundPod, CertificateSource, Cluster, ControlPlane, Error, KeyType, Kubelet, NewPod, NewService, Outcome,
    Scope, own_control_plane,
};

const LIMIT: u64 = 128 * 1024 * 1024;

/// The API server's bound for the annotations of an object is 256 KiB.
const LARGE: usize = 255 * 1024;
const LARGE_OBJECTS: usize = 1000;
const DENIALS: usize = 200;
const SERVICES: usize = 5000;
const WAITING: usize = 1000;

/// On a machine that has much else to do.
const MINUTES: Duration = Duration::from_secs(900);

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_killed_whatever_tenants_write() -> Result<(), Error> {
    let (Some(program), Some(options)) = (std::env::var_os("MEMORY_CHECK"), own_control_plane()?) else {
        eprintln!("skipped: MEMORY_CHECK doesn't name the program, or there is no control plane of its own");
        return Ok(());
    };
    let plane = tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await.unwrap()?;
    let cluster = Cluster::of(&plane).await?;
    let checked = cluster.run(async |scope| Check::new(scope, program.into()).await?.run().await).await;
    tokio::task::spawn_blocking(move || drop(plane)).await.unwrap();
    checked
}

struct Check<'a> {
    scope: &'a Scope,
    kubelet: Kubelet,
    program: PathBuf,
    setup: Setup,
    dns: String,
    asked: String,
    fill: String,
}

impl<'a> Check<'a> {
    async fn new(scope: &'a Scope, program: PathBuf) -> Result<Self, Error> {
        let (dns, asked) = (scope.signer_name("service-dns"), scope.signer_name("asked"));
        let setup = Setup::new().signer(&dns, "kind: service-dns").signer(&asked, "kind: annotation");
        let kubelet = scope.kubelet().await?;
        Ok(Self { scope, kubelet, program, setup, dns, asked, fill: "x".repeat(LARGE) })
    }

    async fn run(self) -> Result<(), Error> {
        self.measured("nothing but itself", async || Ok(())).await?;
        let crowded = self.scope.namespace("crowded").await?;
        let service = |i: usize| NewService::new(&crowded, &format!("s{i}")).selects("app", &i.to_string());
        self.scope.create_services((0..SERVICES).map(service)).await?;
        self.measured("200 denials at once beside 5,000 Services", async || self.denials(&crowded).await)
            .await?;
        let large = self.scope.namespace("large").await?;
        self.large_objects(&large).await?;
        self.measured("1,000 Services and 1,000 pods of 256 KiB", async || Ok(())).await?;
        self.waiting_requests(&large).await?;
        self.measured("the same, and 1,000 waiting requests with 255 KiB of annotations", async || Ok(()))
            .await?;
        let again = self.scope.namespace("crowded").await?;
        let service = |i: usize| NewService::new(&again, &format!("s{i}")).selects("app", &i.to_string());
        self.scope.create_services((0..SERVICES).map(service)).await?;
        self.measured("all at once", async || {
            let refreshes = self.refreshes_of_large_pods(&large);
            futures::try_join!(self.denials(&again), refreshes).map(drop)
        })
        .await
    }

    /// Runs the program in a cgroup of its own, until it is ready and has lived through this; in the end it
    /// still issues.
    async fn measured(&self, what: &str, load: impl AsyncFnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let group = Cgroup::new();
        let mut process = self
            .setup
            .spawn_program(self.scope.cluster(), &group.wrapper(self.setup.dir.path(), &self.program));
        process.ready().await;
        load().await?;
        let namespace = self.scope.namespace("ordinary").await?;
        self.scope.create_service(NewService::new(&namespace, "web").selects("app", "web")).await?;
        let pod = NewPod::new(&namespace, "web-0").label("app", "web");
        let (_, request) = ask(&self.kubelet, pod.certificate(self.source(&self.dns))).await?;
        request.outcome(MINUTES).await?.issued()?;
        assert!(process.is_running(), "{what}: it was killed");
        let own = own_peak(&process);
        eprintln!(
            "  {what}: {own} MiB at the peak, {} MiB with its files, of {} MiB",
            group.peak(),
            LIMIT >> 20
        );
        assert!(!group.has_killed(), "{what}: the kernel has killed in {}", group.dir.display());
        process.terminate();
        process.ended().await;
        Ok(())
    }

    fn source(&self, name: &str) -> CertificateSource {
        CertificateSource::new(name, KeyType::EcdsaP256)
    }

    async fn denials(&self, namespace: &str) -> Result<(), Error> {
        let item = format!("{}-san", self.asked);
        let pods = (0..DENIALS).map(|i: usize| {
            let source = self.source(&self.asked).user_annotation(&item, "www.example.com");
            NewPod::new(namespace, &format!("denied-{i}")).certificate(source)
        });
        let pods = self.kubelet.start_pods(pods).await?;
        let wanted: Vec<_> = pods.iter().map(|pod| (pod, &pod.sources[0])).collect();
        let burst = self.kubelet.burst(&wanted, MINUTES).await?;
        assert!(burst.answered.iter().all(|answered| matches!(answered.outcome, Outcome::Denied { .. })));
        Ok(())
    }

    async fn large_objects(&self, namespace: &str) -> Result<(), Error> {
        let service = |i: usize| {
            NewService::new(namespace, &format!("s{i}"))
                .selects("app", "large")
                .annotation("fill", &self.fill)
        };
        self.scope.create_services((0..LARGE_OBJECTS).map(service)).await?;
        let pod = |i: usize| {
            let pod = NewPod::new(namespace, &format!("p{i}")).annotation("fill", &self.fill);
            pod.certificate(self.source(&self.asked))
        };
        self.kubelet.start_pods((0..LARGE_OBJECTS).map(pod)).await.map(drop)
    }

    /// Their pods don't exist: an administrator may ask for them.
    async fn waiting_requests(&self, namespace: &str) -> Result<(), Error> {
        let key = format!("{}-services", self.dns);
        let source = self.source(&self.dns).user_annotation(&key, &self.fill);
        let pod = NewPod::new(namespace, "absent").certificate(self.source(&self.dns));
        let pod: BoundPod = self.kubelet.start_pod(pod).await?;
        let send = |i: usize| {
            let draft = self.kubelet.draft(&pod, &source).as_admin();
            draft.with(|spec| spec.pod_name = format!("absent-{i}")).send()
        };
        let sent = stream::iter(0..WAITING).map(send).buffer_unordered(16);
        sent.try_for_each(|_| async { Ok(()) }).await
    }

    /// Pods too large for the cache are read, each of them.
    async fn refreshes_of_large_pods(&self, namespace: &str) -> Result<(), Error> {
        let pod = |i: usize| {
            let pod = NewPod::new(namespace, &format!("refreshed-{i}")).annotation("fill", &self.fill);
            pod.certificate(self.source(&self.asked))
        };
        let pods = self.kubelet.start_pods((0..DENIALS).map(pod)).await?;
        let wanted: Vec<_> = pods.iter().map(|pod| (pod, &pod.sources[0])).collect();
        let burst = self.kubelet.burst(&wanted, MINUTES).await?;
        assert!(burst.answered.iter().all(|answered| matches!(answered.outcome, Outcome::Issued(_))));
        Ok(())
    }
}

/// The most that was the process's own, in MiB.
fn own_peak(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// A memory cgroup, of version 1 or 2.
struct Cgroup {
    dir: PathBuf,
    is_v1: bool,
}

impl Cgroup {
    fn new() -> Self {
        let v1 = Path::new("/sys/fs/cgroup/memory");
        let (parent, is_v1) = if v1.is_dir() { (v1, true) } else { (Path::new("/sys/fs/cgroup"), false) };
        let dir = parent.join(format!("signer-manager-{}", test_cluster::unique::label()));
        fs::create_dir(&dir).expect("root, and a memory cgroup");
        let group = Self { dir, is_v1 };
        fs::write(group.file("memory.limit_in_bytes", "memory.max"), LIMIT.to_string()).unwrap();
        group
    }

    fn file(&self, v1: &str, v2: &str) -> PathBuf {
        self.dir.join(if self.is_v1 { v1 } else { v2 })
    }

    /// A program that runs the other one in this group.
    fn wrapper(&self, dir: &Path, program: &Path) -> PathBuf {
        let path = dir.join("in-cgroup");
        let procs = self.dir.join("cgroup.procs");
        let text = format!("#!/bin/sh\necho $$ > {} && exec {} \"$@\"\n", procs.display(), program.display());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// In MiB. The cache of files counts here too; the kernel drops it when memory is short.
    fn peak(&self) -> u64 {
        let peak = fs::read_to_string(self.file("memory.max_usage_in_bytes", "memory.peak")).unwrap();
        peak.trim().parse::<u64>().unwrap() >> 20
    }

    fn has_killed(&self) -> bool {
        let events = fs::read_to_string(self.file("memory.oom_control", "memory.events")).unwrap();
        events.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count != "0"))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // it is empty once the process has ended
        drop(fs::remove_dir(&self.dir));
    }
}

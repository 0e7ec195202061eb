//! The manager: the builder that takes signers and runs them.

mod allowed_changes;
mod bundle_endpoint;
mod error;
mod exclusive;
mod http;
mod http_server;
mod listeners;
mod options;
mod pool_guard;
mod running;
mod secret_content;
mod secret_pool;
mod secure_metrics;
mod serving_certificate;
mod shared_client;
mod shutdown;
mod supervision;
mod supervisor;

pub use crate::process::raise_open_files;
#[cfg(test)]
pub(crate) use allowed_changes::{allowed_changes, standing_in};
pub use bundle_endpoint::{BUNDLE_REFRESH_HINT, BundleEndpoint};
pub use error::ManagerError;
pub use http::serve_probes;
pub use options::SignerOptions;
pub use secure_metrics::SecureMetrics;
pub use serving_certificate::ServingCertificate;
pub use shutdown::shutdown_signal;
use std::{collections::HashSet, fmt, future::Future, net::SocketAddr};

use futures::future::BoxFuture;
use kube::Client;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use self::{
    exclusive::Claims,
    http::Pages,
    listeners::Listeners,
    running::{Shared, run_signer},
    serving_certificate::IssuerSlots,
    shared_client::shared,
    supervision::{SHOWN, supervise},
    supervisor::{Spawner, Supervisor},
};
use crate::{
    api::timeout::ANSWER_BEGINS,
    clock::{Clock, report_for_ever},
    cluster::{pod_cache::PodCache, reader::ClusterReader},
    controller::pending::SLOTS,
    deny::{DenyRules, DenyRulesInForce, DenySource, Follower, ParseDenyRules},
    handle::SignerHandle,
    health::{Component, EndedTasks, Health, SignerHealth},
    metrics::{Metrics, of_signer},
    overview::Overview,
    process::open_files,
    replicas::ReplicaName,
    retry_after::RetryAfter,
    signer::Signer,
    status::events::Events,
};
use ca_pool::names::SignerName;

/// Runs signers side by side in one process, each with a CA of its own.
///
/// ```no_run
/// # use signer_core::{BoxError, Decision, Manager, PoolSource, Request, Signer, SignerName, SignerOptions};
/// # struct Mine(SignerName);
/// # impl Signer for Mine {
/// #     fn name(&self) -> &SignerName { &self.0 }
/// #     async fn decide(&self, _: &Request) -> Result<Decision, BoxError> { unimplemented!() }
/// # }
/// # async fn run(signer: Mine) -> Result<(), BoxError> {
/// let options = SignerOptions::new(PoolSource::PoolFile("/run/ca/pool.json".into()));
/// Manager::new(kube::Client::try_default().await?)
///     .signer(signer, options)
///     .http_bind((std::net::Ipv6Addr::UNSPECIFIED, 8080).into())
///     .run(async { drop(tokio::signal::ctrl_c().await) })
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a manager does nothing until it runs"]
pub struct Manager {
    client: Client,
    signers: Vec<Registered>,
    http_bind: Option<SocketAddr>,
    deny: Option<(DenySource, ParseDenyRules)>,
    replica: ReplicaName,
    status_page: bool,
    secure_metrics: Option<SecureMetrics>,
    bundle_endpoint: Option<BundleEndpoint>,
    metrics: Vec<RegisterMetrics>,
}

type RegisterMetrics = Box<dyn FnOnce(&mut Registry) + Send>;

/// The state that the tasks of a process share.
struct ProcessState {
    clock: Clock,
    retry_after: RetryAfter,
    health: Health,
    metrics: Metrics,
    overview: Overview,
    serving_certificates: IssuerSlots,
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.signers.iter().map(|signer| signer.name.as_str()).collect();
        f.debug_struct("Manager")
            .field("signers", &names)
            .field("http_bind", &self.http_bind)
            .finish_non_exhaustive()
    }
}

struct Registered {
    name: SignerName,
    reads_services: bool,
    handle: SignerHandle,
    run: Box<dyn FnOnce(Shared, SignerHealth) -> BoxFuture<'static, ()> + Send>,
}

impl Manager {
    /// A manager without signers. It talks to the cluster through this client, which best repeats no calls by
    /// itself (`kube::Config::default_retry`): the manager does, and shows what fails.
    pub fn new(client: Client) -> Self {
        let replica = ReplicaName::of_process();
        Self {
            client,
            signers: Vec::new(),
            http_bind: None,
            deny: None,
            replica,
            status_page: false,
            secure_metrics: None,
            bundle_endpoint: None,
            metrics: Vec::new(),
        }
    }

    /// Adds a signer.
    pub fn signer<S: Signer>(mut self, signer: S, options: SignerOptions) -> Self {
        self.signers.push(Registered {
            name: signer.name().clone(),
            reads_services: signer.reads_services(),
            handle: options.handle.clone(),
            run: Box::new(move |shared, health| Box::pin(run_signer(signer, options, shared, health))),
        });
        self
    }

    /// Answers `/livez`, `/readyz` and `/metrics` on this address; `[::]` stands for all addresses, those of
    /// IPv4 too.
    pub fn http_bind(mut self, address: SocketAddr) -> Self {
        self.http_bind = Some(address);
        self
    }

    /// Answers `/` with a page that shows what each signer does: its CAs, the replicas, which requests wait
    /// and why, and the last decisions. It names pods of all namespaces to whoever can reach the address.
    pub fn status_page(mut self, is_shown: bool) -> Self {
        self.status_page = is_shown;
        self
    }

    /// Answers `/metrics` and the status page at an address of their own, over TLS, and to those alone whom the
    /// API server knows by their bearer token and allows it; `/livez` and `/readyz` stay where they are.
    pub fn secure_metrics(mut self, server: SecureMetrics) -> Self {
        self.secure_metrics = Some(server);
        self
    }

    /// Serves the trust anchors of spiffe signers as SPIFFE bundles, to whoever comes, over TLS.
    pub fn bundle_endpoint(mut self, endpoint: BundleEndpoint) -> Self {
        self.bundle_endpoint = Some(endpoint);
        self
    }

    /// Adds metrics to those of the process. Their names get the prefix `pod_certificate_signer_`; what a signer
    /// counts belongs to its [`SignerHandle`].
    pub fn register_metrics(mut self, register: impl FnOnce(&mut Registry) + Send + 'static) -> Self {
        self.metrics.push(Box::new(register));
        self
    }

    /// Follows deny rules: whom they block, no signer issues anything, and nothing is issued before they have
    /// been read once.
    pub fn deny(mut self, source: DenySource, parse: ParseDenyRules) -> Self {
        self.deny = Some((source, parse));
        self
    }

    /// Runs the signers until `shutdown` is there; running evaluations are finished first.
    ///
    /// # Errors
    /// If no signers, or two of one name, were added, or the HTTP address can't be used; or if a background
    /// task ends before `shutdown`. A missing CA pool, API or permission is no error: the signer that lacks
    /// it isn't ready, `/readyz` and the log say why, and it starts when that is mended.
    pub async fn run(
        mut self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ManagerError> {
        self.check()?;
        let secure = self.secure_metrics.take();
        let bundles = self.bundle_endpoint.take();
        let listeners = Listeners::bind(self.http_bind, secure, bundles, self.status_page).await?;
        // all tasks end with this future, however that ends
        let supervisor = Supervisor::new();
        let clock = Clock::new();
        let retry_after = RetryAfter::default();
        let (health, ended) = (Health::default(), EndedTasks::default());
        let overview = Overview::new(clock.clone(), self.replica.clone(), health.clone(), ended.clone());
        let metrics = Metrics::new(health.clone(), ended.clone(), |registry| {
            registry.register_collector(Box::new(overview.clone()));
            std::mem::take(&mut self.metrics).into_iter().for_each(|register| register(registry));
            for signer in &self.signers {
                signer.handle.register(of_signer(registry, &signer.name));
            }
        });
        let calls = metrics.process().calls.clone();
        let (client, worker_ended) =
            shared(self.client, ANSWER_BEGINS, calls_at_once(), clock.clone(), retry_after.clone(), calls);
        self.client = client;
        supervisor.spawner().spawn("Kubernetes client", worker_ended);
        let shown = self.status_page.then(|| overview.clone());
        let pages = Pages { metrics: metrics.clone(), overview: shown };
        let probed = (health.clone(), ended.clone());
        let serving_certificates = listeners.serve(probed, pages, &self.client, supervisor.spawner());
        let (stop, stopped) = watch::channel(false);
        let state = ProcessState { clock, retry_after, health, metrics, overview, serving_certificates };
        let signers = self.start(state, stopped, supervisor.spawner());
        supervise(supervisor, signers, shutdown, stop, ended, SHOWN).await
    }

    fn check(&self) -> Result<(), ManagerError> {
        let mut names = HashSet::new();
        if let Some(twice) = self.signers.iter().find(|signer| !names.insert(&signer.name)) {
            return Err(ManagerError::DuplicateSigner(twice.name.clone()));
        }
        let certificates = [
            self.secure_metrics.as_ref().map(|server| &server.certificate),
            self.bundle_endpoint.as_ref().map(|endpoint| &endpoint.certificate),
        ];
        for certificate in certificates.into_iter().flatten() {
            if let ServingCertificate::Issued { signer, .. } = certificate
                && !names.contains(signer)
            {
                return Err(ManagerError::NoSuchSigner(signer.clone()));
            }
        }
        if self.signers.is_empty() { Err(ManagerError::NoSigners) } else { Ok(()) }
    }

    /// Starts all tasks; returns the names of those that end when they are told to stop.
    fn start(self, state: ProcessState, stopped: watch::Receiver<bool>, tasks: &Spawner) -> HashSet<String> {
        let ProcessState { clock, retry_after, health, metrics, overview, serving_certificates } = state;
        let watches = metrics.process().watches.clone();
        let pods = PodCache::new(self.signers.iter().map(|signer| signer.name.clone()));
        let cluster = ClusterReader::new(self.client.clone(), pods);
        let (events, publish) =
            Events::new(self.client.clone(), self.replica.host().to_owned(), metrics.events_dropped());
        tasks.spawn("publisher of events", async { match publish.await {} });
        let (follower, deny) = match self.deny {
            Some((source, parse)) => {
                let (follower, deny) = Follower::new(source, parse, self.client.clone(), metrics.clone());
                (Some(follower), deny)
            }
            None => (None, DenyRulesInForce::fixed(DenyRules::default())),
        };
        let shared = Shared {
            client: self.client,
            tasks: tasks.clone(),
            cluster: cluster.clone(),
            claims: Claims::default(),
            events,
            replica: self.replica,
            clock: clock.clone(),
            retry_after,
            metrics,
            overview,
            serving_certificates,
            deny,
            stopped,
        };
        let mut with_services = Vec::new();
        let mut all = Vec::new();
        let mut denying = Vec::new();
        let mut running = HashSet::new();
        for signer in self.signers {
            let signer_health =
                health.signer(&signer.name, &needs(signer.reads_services, follower.is_some()));
            if signer.reads_services {
                with_services.push(signer_health.clone());
            }
            all.push(signer_health.clone());
            denying.push((signer.name.clone(), signer_health.clone()));
            let task = format!("signer {}", signer.name);
            tasks.spawn(task.clone(), (signer.run)(shared.clone(), signer_health));
            running.insert(task);
        }
        tasks.spawn("report on the clock", report_for_ever(clock, all.clone()));
        tasks.spawn("watch of pods", cluster.clone().keep_pods(all, watches.clone()));
        if let Some(follower) = follower {
            tasks.spawn("follower of deny rules", follower.run(denying));
        }
        if !with_services.is_empty() {
            tasks.spawn("watch of Services", cluster.keep_services(with_services, watches));
        }
        running
    }
}

/// The calls to the API server that may run at once.
fn calls_at_once() -> usize {
    let open_files = open_files();
    let calls = shared_client::calls_at_once(open_files);
    if calls < SLOTS {
        tracing::warn!(
            open_files,
            "few files may be open at once (RLIMIT_NOFILE), so that only {calls} calls to the API server run at once; raise the limit to 1024"
        );
    }
    calls
}

/// What a signer needs before it is ready.
fn needs(reads_services: bool, follows_deny_rules: bool) -> Vec<Component> {
    use Component as C;
    let mut needs = vec![
        C::Clock,
        C::Api,
        C::PodCertificateRequests,
        C::Pods,
        C::CertificateAuthority,
        C::ClusterTrustBundles,
        C::TrustBundle,
    ];
    needs.extend(reads_services.then_some(C::Services));
    needs.extend(follows_deny_rules.then_some(C::DenyRules));
    needs
}

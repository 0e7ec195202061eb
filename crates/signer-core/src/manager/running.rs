//! One signer, running: its CA pool, its controller and its trust bundle.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use kube::{Client, api::ApiResource};
use tokio::{sync::watch, time};

use super::{
    SignerOptions,
    exclusive::Claims,
    pool_guard::{Guarded, Issued, pool_guard},
    secret_pool::follow_secret,
    serving_certificate::IssuerSlots,
    supervisor::Spawner,
};
use crate::pool_source::{DEFAULT_POLL, PoolState, watch_pool_by};
use crate::{
    api::discovery::{CertificatesApi, discover},
    clock::Clock,
    cluster::reader::ClusterReader,
    controller::{
        self, Ended, cause_log::CauseLog, decision_log::DecisionLog, evaluator::Evaluator, issuer::Issuer,
        pending::Pending, reconcile::Context,
    },
    deny::DenyRulesInForce,
    federation::{Federation, Federator, federation_signer_name},
    handle::SignerHandle,
    health::{Component, SignerHealth},
    metrics::Metrics,
    overview::{Overview, Sources},
    policy::Policy,
    replicas::{ReplicaName, Replicas},
    request_source::PodCertificateRequests,
    retry_after::RetryAfter,
    signer::Signer,
    status::events::Events,
    trust_bundle::{DeletionRecord, Published, Publisher},
};
use ca_pool::names::SignerName;
use ca_pool::{AutomaticRotation, Leaf, PoolSource};

/// What the signers of a process share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) tasks: Spawner,
    pub(crate) cluster: ClusterReader,
    pub(crate) claims: Claims,
    pub(crate) events: Events,
    pub(crate) replica: ReplicaName,
    pub(crate) clock: Clock,
    pub(crate) retry_after: RetryAfter,
    pub(crate) metrics: Metrics,
    pub(crate) overview: Overview,
    pub(crate) serving_certificates: IssuerSlots,
    pub(crate) deny: DenyRulesInForce,
    pub(crate) stopped: watch::Receiver<bool>,
}

/// How often a cluster that lacks the API, or doesn't answer, is asked again.
const DISCOVERY_RETRY: Duration = Duration::from_secs(5);

/// Runs a signer until it is stopped.
pub(crate) async fn run_signer<S: Signer>(
    signer: S,
    options: SignerOptions,
    shared: Shared,
    health: SignerHealth,
) {
    let (signer, policy) = (Arc::new(signer), Arc::new(options.policy));
    let examples: Arc<[Leaf]> = signer.examples().into();
    let published = watch::Sender::new(None);
    let replicas = Replicas::alone(shared.replica.clone());
    let issued = Issued {
        examples: examples.clone(),
        max_lifetime: policy.max_lifetime,
        automatic_rotation: rotation_of(&options.ca_pool).cloned(),
    };
    let pools = follow(options.ca_pool, signer.name(), &shared, &replicas, published.subscribe(), examples);
    let guarded = Guarded {
        signer: signer.name().clone(),
        issued,
        claims: shared.claims.clone(),
        published: published.subscribe(),
        clock: shared.clock.clone(),
        health: health.clone(),
        metrics: shared.metrics.of(signer.name()),
    };
    let (pool, check) = pool_guard(pools, guarded);
    let issuer = Issuer {
        pool: pool.clone(),
        published: published.subscribe(),
        clock: shared.clock.clone(),
        times: shared.metrics.of(signer.name()).steps(),
    };
    shared.serving_certificates.offer(signer.name(), &issuer, &policy);
    let decisions = DecisionLog::default();
    let sources = Sources {
        pool: pool.clone(),
        published: published.subscribe(),
        replicas: replicas.clone(),
        decisions: decisions.clone(),
        pending: Weak::new(),
    };
    shared.overview.add(signer.name().clone(), sources);
    shared.tasks.spawn(format!("checks of the CA pool of {}", signer.name()), check);
    loop {
        let api = tokio::select! {
            api = discovered(&shared.client, &health) => api,
            () = until(shared.stopped.clone()) => return,
        };
        let running = Running {
            handle: &options.handle,
            federation: options.federation.as_ref(),
            signer: &signer,
            policy: &policy,
            shared: &shared,
            health: &health,
            pool: &pool,
            published: &published,
            issuer: &issuer,
            replicas: &replicas,
            decisions: &decisions,
        };
        if running.serve(api).await == Ended::Shutdown {
            return;
        }
        // an API server that lists what it doesn't serve mustn't be asked without a pause
        tokio::select! {
            () = time::sleep(DISCOVERY_RETRY) => {}
            () = until(shared.stopped.clone()) => return,
        }
    }
}

struct Running<'a, S> {
    handle: &'a SignerHandle,
    federation: Option<&'a Federation>,
    signer: &'a Arc<S>,
    policy: &'a Arc<Policy>,
    shared: &'a Shared,
    health: &'a SignerHealth,
    pool: &'a watch::Receiver<PoolState>,
    published: &'a watch::Sender<Option<Published>>,
    issuer: &'a Issuer,
    replicas: &'a Replicas,
    decisions: &'a DecisionLog,
}

impl<S: Signer> Running<'_, S> {
    /// Serves with these versions of the API, until they are gone or the signer is stopped.
    async fn serve(&self, api: CertificatesApi) -> Ended {
        let client = &self.shared.client;
        let metrics = self.shared.metrics.of(self.signer.name());
        let watch_metrics = self.shared.metrics.process().watches.clone();
        let pending = Arc::new(Pending::new(metrics.queue(), self.replicas.clone()));
        self.shared.overview.serves(self.signer.name(), &pending);
        // what another version of the API told is read anew
        self.published.send_replace(None);
        let first_reads = self.first_reads(self.published.subscribe());
        let federation = self.federate(api.bundles.clone());
        let bundle = Publisher {
            client: client.clone(),
            resource: api.bundles,
            signer_name: self.signer.name().clone(),
            labels: self.signer.bundle_labels(),
            clock: self.shared.clock.clone(),
            pool: self.pool.clone(),
            published: self.published.clone(),
            replicas: self.replicas.clone(),
            health: self.health.clone(),
            deletion_record: DeletionRecord::default(),
            metrics: metrics.clone(),
            watch_metrics: watch_metrics.clone(),
        };
        let context = Context {
            signer_name: self.signer.name().clone(),
            source: PodCertificateRequests::new(client.clone(), api.requests, self.shared.replica.clone()),
            evaluator: Evaluator {
                signer: Arc::clone(self.signer),
                policy: Arc::clone(self.policy),
                deny: self.shared.deny.clone(),
                cluster: self.shared.cluster.clone(),
                issuer: self.issuer.clone(),
            },
            pending,
            events: self.shared.events.clone(),
            health: self.health.clone(),
            logged: CauseLog::default(),
            handle: self.handle.clone(),
            retry_after: self.shared.retry_after.clone(),
            metrics,
            watch_metrics,
            decisions: self.decisions.clone(),
        };
        let stopped = until(self.shared.stopped.clone());
        tokio::select! {
            ended = controller::run(Arc::new(context), first_reads, stopped) => ended,
            () = bundle.run() => Ended::ApiGone,
            // never
            () = federation => Ended::ApiGone,
        }
    }

    /// Keeps the bundles of foreign trust domains. Never ends.
    fn federate(&self, resource: ApiResource) -> impl Future<Output = ()> + use<S> {
        let name = federation_signer_name(self.signer.name());
        let federator = self.federation.cloned().zip(name).map(|(federation, name)| Federator {
            client: self.shared.client.clone(),
            resource,
            name,
            federation,
            pool: self.pool.clone(),
            clock: self.shared.clock.clone(),
            health: self.health.clone(),
        });
        async move {
            match federator {
                Some(federator) => federator.run().await,
                None => std::future::pending().await,
            }
        }
    }

    /// Waits until all that decisions rest on has been read once. What is only not known yet is no reason to
    /// tell a pod's author that it is missing; what can't be read stands in the health.
    fn first_reads(
        &self,
        mut published: watch::Receiver<Option<Published>>,
    ) -> impl Future<Output = ()> + use<S> {
        let (cluster, with_services) = (self.shared.cluster.clone(), self.signer.reads_services());
        let mut pool = self.pool.clone();
        async move {
            cluster.first_lists(with_services).await;
            // an error means that the sender is gone: then it's over
            let _ = pool.wait_for(|state| state.pool.is_some() || state.problem.is_some()).await;
            let _ = published.wait_for(Option::is_some).await;
        }
    }
}

fn rotation_of(source: &PoolSource) -> Option<&AutomaticRotation> {
    match source {
        PoolSource::Secret(secret) => secret.automatic_rotation.as_ref(),
        PoolSource::PoolFile(_) | PoolSource::PemFiles { .. } => None,
    }
}

/// Starts to follow a pool.
fn follow(
    source: PoolSource,
    signer: &SignerName,
    shared: &Shared,
    replicas: &Replicas,
    published: watch::Receiver<Option<Published>>,
    examples: Arc<[Leaf]>,
) -> watch::Receiver<PoolState> {
    let (task, clock) = (format!("CA pool of {signer}"), shared.clock.clone());
    if let PoolSource::Secret(secret) = source {
        let (pools, follow) =
            follow_secret(&shared.client, clock, secret, replicas.clone(), published, examples);
        shared.tasks.spawn(task, follow);
        return pools;
    }
    let (pools, follow) = watch_pool_by(source, DEFAULT_POLL, move || Some(clock.now()));
    shared.tasks.spawn(task, follow);
    pools
}

async fn discovered(client: &Client, health: &SignerHealth) -> CertificatesApi {
    loop {
        match discover(client).await {
            Ok(api) => {
                tracing::info!(
                    requests = api.requests.api_version,
                    bundles = api.bundles.api_version,
                    "API versions discovered"
                );
                health.recovered(Component::Api);
                return api;
            }
            Err(error) => health.failed(Component::Api, &error.to_string()),
        }
        time::sleep(DISCOVERY_RETRY).await;
    }
}

/// Waits until the flag is set, or nobody is left to set it.
pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    // an error means that the sender is gone: then, too, it's over
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

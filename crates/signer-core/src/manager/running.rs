//! One signer, running: its CA pool, its controller and its trust bundle.

use std::{sync::Arc, time::Duration};

use kube::Client;
use tokio::{sync::watch, time};

use super::{
    SignerOptions,
    exclusive::{Roots, fingerprints},
};
use crate::{
    api::discovery::{CertificatesApi, discover},
    ca_pool::{DEFAULT_POLL, PoolState, watch_pool},
    cluster::reader::ClusterReader,
    controller::{self, Ended, outcome::Examiner, pending::Pending, reconcile::Context},
    health::{Component, SignerHealth},
    policy::Policy,
    signer::Signer,
    signer_name::SignerName,
    status::{events::Events, writer::StatusWriter},
    trust_bundle::BundleKeeper,
};

/// What the signers of a process share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) cluster: ClusterReader,
    pub(crate) roots: Roots,
    pub(crate) instance: String,
    pub(crate) stopped: watch::Receiver<bool>,
}

/// How often a cluster that lacks the API, or doesn't answer, is asked again.
const DISCOVERY_RETRY: Duration = Duration::from_secs(5);

/// Runs a signer until it is stopped.
pub(crate) async fn run_signer<S: Signer>(signer: S, options: SignerOptions, shared: Shared, health: SignerHealth) {
    let (signer, policy) = (Arc::new(signer), Arc::new(options.policy));
    let (pools, follow) = watch_pool(options.ca_pool, DEFAULT_POLL);
    tokio::spawn(follow);
    let pool = own_pool(pools, signer.name().clone(), &shared, health.clone());
    loop {
        let api = tokio::select! {
            api = discovered(&shared.client, &health) => api,
            () = until(shared.stopped.clone()) => return,
        };
        let running = Running { signer: &signer, policy: &policy, shared: &shared, health: &health, pool: &pool };
        if running.serve(api).await == Ended::Shutdown {
            return;
        }
    }
}

struct Running<'a, S> {
    signer: &'a Arc<S>,
    policy: &'a Arc<Policy>,
    shared: &'a Shared,
    health: &'a SignerHealth,
    pool: &'a watch::Receiver<PoolState>,
}

impl<S: Signer> Running<'_, S> {
    /// Serves with these versions of the API, until they are gone or the signer is stopped.
    async fn serve(&self, api: CertificatesApi) -> Ended {
        let client = &self.shared.client;
        let (pending, woken) = Pending::new();
        let bundle = BundleKeeper {
            client: client.clone(),
            resource: api.bundles,
            signer_name: self.signer.name().clone(),
            labels: self.signer.bundle_labels(),
            pool: self.pool.clone(),
            health: self.health.clone(),
        };
        let context = Context {
            signer_name: self.signer.name().clone(),
            resource: api.requests.clone(),
            examiner: Examiner {
                signer: Arc::clone(self.signer),
                policy: Arc::clone(self.policy),
                cluster: self.shared.cluster.clone(),
                pool: self.pool.clone(),
            },
            pending: Arc::new(pending),
            writer: StatusWriter::new(client.clone(), api.requests),
            events: Events::new(client.clone(), self.shared.instance.clone()),
            health: self.health.clone(),
        };
        let stopped = until(self.shared.stopped.clone());
        tokio::select! {
            ended = controller::run(Arc::new(context), woken, client.clone(), stopped) => ended,
            () = bundle.keep() => Ended::ApiGone,
        }
    }
}

async fn discovered(client: &Client, health: &SignerHealth) -> CertificatesApi {
    loop {
        match discover(client).await {
            Ok(api) => {
                tracing::debug!(requests = api.requests.api_version, bundles = api.bundles.api_version, "discovered");
                health.mended(Component::Api);
                return api;
            }
            Err(error) => health.broken(Component::Api, &error.to_string()),
        }
        time::sleep(DISCOVERY_RETRY).await;
    }
}

/// The pools of `pools` whose keys and roots no other signer has. What is wrong with a pool becomes a matter of health.
fn own_pool(
    mut pools: watch::Receiver<PoolState>,
    signer: SignerName,
    shared: &Shared,
    health: SignerHealth,
) -> watch::Receiver<PoolState> {
    let (send, own) = watch::channel(PoolState::default());
    let roots = shared.roots.clone();
    tokio::spawn(async move {
        loop {
            let state = accept(pools.borrow_and_update().clone(), &send.borrow(), &signer, &roots);
            report(&state, &health);
            // ends with the last who wants the pool, or with the one who reads it
            if send.send(state).is_err() || pools.changed().await.is_err() {
                return;
            }
        }
    });
    own
}

/// A new pool, unless another signer has a key or root of it; then the one in use stays.
fn accept(read: PoolState, in_use: &PoolState, signer: &SignerName, roots: &Roots) -> PoolState {
    let Some(pool) = &read.pool else { return read };
    match roots.claim(signer, &fingerprints(pool)) {
        Ok(()) => read,
        Err(other) => PoolState {
            pool: in_use.pool.clone(),
            problem: Some(format!(
                "the CA pool shares a key or a root with that of the signer {other}; give each signer a CA of its own \
                 (signerctl ca-pool create makes one)"
            )),
        },
    }
}

fn report(state: &PoolState, health: &SignerHealth) {
    match (&state.pool, &state.problem) {
        (Some(_), None) => health.mended(Component::CertificateAuthority),
        (Some(_), Some(problem)) => {
            health.warned(Component::CertificateAuthority, &format!("{problem}; the last good pool stays in use"));
        }
        (None, Some(problem)) => health.broken(Component::CertificateAuthority, problem),
        (None, None) => {}
    }
}

/// Waits until the flag is set, or nobody is left to set it.
pub(crate) async fn until(mut stopped: watch::Receiver<bool>) {
    // an error means that the sender is gone: then, too, it's over
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

//! The manager in this process.

use std::{net::SocketAddr, sync::Arc};

use kube::Client;
use signer_annotation::AnnotationSigner;
use signer_core::{Manager, PoolSource, Signer, SignerHandle, SignerOptions, manager::ManagerError};
use signer_manager::{
    Config,
    config::{SignerKind, deny_rules},
};
use signer_pod_identity::PodIdentitySigner;
use signer_service_dns::ServiceDnsSigner;
use signer_spiffe::SpiffeSigner;
use tempfile::TempDir;
use test_cluster::{Scope, SentRequest};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use super::{
    SOON,
    ca::{new_authority, write_pool},
    http::{Page, free_address, readyz},
    observed::{Looks, Observed, looks},
    setup::Setup,
};

/// A manager that runs until it is stopped; dropped, it is gone too.
pub(crate) struct Running {
    /// Where it answers `/livez` and `/readyz`.
    pub(crate) http: SocketAddr,
    looks: watch::Receiver<Looks>,
    shutdown: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ManagerError>>,
    _dir: Arc<TempDir>,
}

impl Setup {
    /// Runs it as the administrator.
    pub(crate) fn start(&self, scope: &Scope) -> Running {
        self.start_as(scope.client())
    }

    /// Runs it with the rights of this client.
    pub(crate) fn start_as(&self, client: Client) -> Running {
        Running::start(&self.text(), client, self.dir.clone())
    }
}

fn add<S: Signer>(
    manager: Manager,
    signer: S,
    options: SignerOptions,
    looks: &watch::Sender<Looks>,
) -> Manager {
    manager.signer(Observed { signer, looks: looks.clone() }, options)
}

impl Running {
    /// Runs a configuration, whose files are in this directory.
    pub(crate) fn start(configuration: &str, client: Client, dir: Arc<TempDir>) -> Self {
        let config = Config::parse(configuration, "signers.yaml").unwrap();
        let http = free_address();
        let (sender, looks) = watch::channel(Looks::default());
        let manager =
            config.signers.into_iter().fold(Manager::new(client).http_bind(http), |manager, signer| {
                let federation = signer.federation();
                let options =
                    SignerOptions { policy: signer.policy, federation, ..SignerOptions::new(signer.ca_pool) };
                match signer.kind {
                    SignerKind::ServiceDns(config) => {
                        add(manager, ServiceDnsSigner::new(config), options, &sender)
                    }
                    SignerKind::Spiffe(config) => add(manager, SpiffeSigner::new(config), options, &sender),
                    SignerKind::PodIdentity(config) => {
                        add(manager, PodIdentitySigner::new(config), options, &sender)
                    }
                    SignerKind::Annotation(config) => {
                        add(manager, AnnotationSigner::new(config).unwrap(), options, &sender)
                    }
                }
            });
        let manager = match config.deny {
            Some(source) => manager.deny(source, deny_rules),
            None => manager,
        };
        let (shutdown, told) = oneshot::channel();
        let task = tokio::spawn(manager.run(async move { drop(told.await) }));
        Self { http, looks, shutdown: Some(shutdown), task, _dir: dir }
    }

    /// Runs another signer, with a CA of its own.
    pub(crate) fn signer(signer: impl Signer, client: Client) -> Self {
        Self::signer_with(signer, SignerHandle::new(), client)
    }

    /// The same with a handle that the signer has.
    pub(crate) fn signer_with(signer: impl Signer, handle: SignerHandle, client: Client) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let pool = dir.path().join("pool.json");
        write_pool(&pool, vec![new_authority("1")]);
        let (http, (sender, looks)) = (free_address(), watch::channel(Looks::default()));
        let options = SignerOptions { handle, ..SignerOptions::new(PoolSource::PoolFile(pool)) };
        let manager = add(Manager::new(client).http_bind(http), signer, options, &sender);
        let (shutdown, told) = oneshot::channel();
        let task = tokio::spawn(manager.run(async move { drop(told.await) }));
        Self { http, looks, shutdown: Some(shutdown), task, _dir: dir }
    }

    /// Ends it as SIGTERM does, and waits for the end.
    pub(crate) async fn stop(mut self) {
        drop(self.shutdown.take());
        let ended = tokio::time::timeout(SOON, &mut self.task)
            .await
            .expect("the manager must end when it is told to");
        ended.unwrap().unwrap();
    }

    /// Waits until its signers have looked at a request that often, and returns how often they have.
    pub(crate) async fn looks(&self, request: &SentRequest, at_least: usize) -> usize {
        looks(&self.looks, request, at_least).await
    }

    /// Waits until `/readyz` answers 200.
    pub(crate) async fn ready(&self) -> Page {
        self.readyz(|page| page.code == 200).await
    }

    /// Waits until `/readyz` answers with a page for which `wanted` holds.
    pub(crate) async fn readyz(&self, wanted: impl Fn(&Page) -> bool) -> Page {
        readyz(self.http, wanted).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

use std::{
    convert::Infallible,
    future::{pending, ready},
};

use kube::{Client, client::Body};

use super::*;
use crate::{BoxError, Decision, Manager, PoolSource, Request, Signer, SignerName, SignerOptions};

/// A signer's task that ends when it is stopped.
fn with_signer() -> (Supervisor, HashSet<String>, watch::Sender<bool>) {
    let (supervisor, (stop, stopped)) = (Supervisor::new(), watch::channel(false));
    supervisor.spawner().spawn("signer", until(stopped));
    (supervisor, HashSet::from(["signer".to_owned()]), stop)
}

#[tokio::test]
async fn a_shutdown_waits_for_the_signers_and_is_no_failure() {
    let (supervisor, signers, stop) = with_signer();
    supervisor.spawner().spawn("watch", pending());
    let ended = EndedTasks::default();
    supervise(supervisor, signers, ready(()), stop, ended.clone(), Duration::ZERO).await.unwrap();
    assert_eq!(ended.list(), []);
}

#[tokio::test]
async fn a_task_that_ends_stops_the_others_and_is_the_failure() {
    for (panics, message) in [
        (true, "the task \"watch\" has ended: it panicked. The process ends"),
        (false, "the task \"watch\" has ended. The process ends"),
    ] {
        let (supervisor, signers, stop) = with_signer();
        supervisor.spawner().spawn("watch", async move { assert!(!panics, "a bug") });
        let (ended, stopped) = (EndedTasks::default(), stop.subscribe());
        let error =
            supervise(supervisor, signers, pending(), stop, ended.clone(), Duration::ZERO).await.unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
        assert!(*stopped.borrow() && ended.list().len() == 1);
    }
}

struct Never(SignerName);

impl Signer for Never {
    fn name(&self) -> &SignerName {
        &self.0
    }

    async fn decide(&self, _: &Request) -> Result<Decision, BoxError> {
        pending().await
    }
}

#[tokio::test]
async fn a_manager_whose_client_has_panicked_ends() {
    let broken = tower::service_fn(|request: http::Request<Body>| {
        assert!(request.uri().path().is_empty(), "a bug in a layer of the client");
        pending::<Result<http::Response<Body>, Infallible>>()
    });
    let options = SignerOptions::new(PoolSource::PoolFile("/nowhere/pool.json".into()));
    let manager = Manager::new(Client::new(broken, "default"));
    let manager = manager.signer(Never("example.com/a".parse().unwrap()), options);
    let error = manager.run(pending()).await.unwrap_err();
    assert!(error.to_string().starts_with("the task \"Kubernetes client\" has ended"), "{error}");
}

#[tokio::test]
async fn a_signer_that_returns_unasked_is_a_failure() {
    let supervisor = Supervisor::new();
    supervisor.spawner().spawn("signer", ready(()));
    let signers = HashSet::from(["signer".to_owned()]);
    let stop = watch::Sender::new(false);
    let error = supervise(supervisor, signers, pending(), stop, EndedTasks::default(), Duration::ZERO).await;
    assert!(matches!(error, Err(ManagerError::TaskEnded(end)) if end == "the task \"signer\" has ended"));
}

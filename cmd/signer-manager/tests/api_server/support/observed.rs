//! A signer that counts how often it decides on each request: tests wait for its next look instead of for a
//! time.

use std::collections::{BTreeMap, HashMap};

use signer_core::{BoxError, Decision, Leaf, Request, Signer, SignerName};
use test_cluster::SentRequest;
use tokio::sync::watch;

use super::SOON;

/// How often each request was decided on, by its name.
pub(crate) type Looks = HashMap<String, usize>;

/// Does what the signer in it does.
pub(crate) struct Observed<S> {
    pub(crate) signer: S,
    pub(crate) looks: watch::Sender<Looks>,
}

impl<S: Signer> Signer for Observed<S> {
    fn name(&self) -> &SignerName {
        self.signer.name()
    }

    async fn decide(&self, request: &Request) -> Result<Decision, BoxError> {
        let decision = self.signer.decide(request).await;
        self.looks.send_modify(|looks| *looks.entry(request.name().to_owned()).or_default() += 1);
        decision
    }

    fn reads_services(&self) -> bool {
        self.signer.reads_services()
    }

    fn reads_namespaces(&self) -> bool {
        self.signer.reads_namespaces()
    }

    fn examples(&self) -> Vec<Leaf> {
        self.signer.examples()
    }

    fn bundle_labels(&self) -> BTreeMap<String, String> {
        self.signer.bundle_labels()
    }
}

/// Waits until a request has been decided on that often, and returns how often it has.
pub(crate) async fn looks(looks: &watch::Receiver<Looks>, request: &SentRequest, at_least: usize) -> usize {
    let count = |looks: &Looks| looks.get(&request.name).copied().unwrap_or_default();
    let mut looks = looks.clone();
    let waited = tokio::time::timeout(SOON, looks.wait_for(|looks| count(looks) >= at_least)).await;
    let seen = waited
        .unwrap_or_else(|_| panic!("request {} wasn't looked at {at_least} times", request.name))
        .unwrap();
    count(&seen)
}

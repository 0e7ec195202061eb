//! Pods that ask for certificates without a pause, and hold each against the trust bundle.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use test_cluster::{
    BoundPod, Certificate, CertificateSource, Cluster, Error, KeyType, Kubelet, NewPod, Scope, TrustBundle,
    verify::{Chain, Purpose, webpki},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{self, MissedTickBehavior},
};

use crate::support::SOON;

/// Between two requests: about twenty in a second, whatever becomes of those before.
const PACE: Duration = Duration::from_millis(50);

/// A machine that can't keep that pace isn't asked for more than this at once.
const MOST_AT_ONCE: usize = 40;

/// How many certificates each signer's CAs have issued so far, by the signer's name and the CA's subject.
pub(crate) type Issued = BTreeMap<(String, Vec<u8>), usize>;

/// The stream, with one pod for each signer.
pub(crate) struct Stream {
    kubelet: Kubelet,
    pods: Vec<BoundPod>,
    issued: watch::Sender<Issued>,
    /// The requests in hand, by their numbers.
    in_hand: watch::Sender<BTreeSet<usize>>,
    emergencies: Mutex<BTreeSet<String>>,
    is_over: AtomicBool,
}

impl Stream {
    pub(crate) async fn of(scope: &Scope, signer_names: &[String]) -> Result<Arc<Self>, Error> {
        let (namespace, kubelet) = (scope.namespace("stream").await?, scope.kubelet().await?);
        let mut pods = Vec::new();
        for (index, signer_name) in signer_names.iter().enumerate() {
            let source = CertificateSource::new(signer_name, KeyType::EcdsaP256);
            let pod = NewPod::new(&namespace, &format!("web-{index}")).certificate(source);
            pods.push(kubelet.start_pod(pod).await?);
        }
        Ok(Arc::new(Self {
            kubelet,
            pods,
            issued: watch::Sender::new(Issued::new()),
            in_hand: watch::Sender::new(BTreeSet::new()),
            emergencies: Mutex::default(),
            is_over: AtomicBool::new(false),
        }))
    }

    /// Asks, pod after pod, until it is over; then waits for the last answers, and returns how many requests
    /// there were. Each must be answered with a certificate that a pod can use.
    pub(crate) async fn run(self: Arc<Self>, scope: &Scope) -> usize {
        let (mut requests, mut ticks) = (JoinSet::new(), time::interval(PACE));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let (stream, cluster) = (self.clone(), scope.cluster().clone());
            let number = count;
            self.in_hand.send_if_modified(|in_hand| in_hand.insert(number));
            requests.spawn(async move {
                stream.request(&cluster, number % stream.pods.len()).await.unwrap();
                stream.in_hand.send_if_modified(|in_hand| in_hand.remove(&number));
            });
            count += 1;
            if requests.len() >= MOST_AT_ONCE {
                requests.join_next().await.unwrap().unwrap();
            }
            while let Some(answered) = requests.try_join_next() {
                answered.unwrap();
            }
        }
        requests.join_all().await;
        count
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// How many certificates were issued and found good.
    pub(crate) fn total(&self) -> usize {
        self.issued.borrow().values().sum()
    }

    /// Waits until each of these CAs has issued so many more certificates.
    pub(crate) async fn issues(&self, signers: &[(String, Vec<u8>)], count: usize) {
        let of = |issued: &Issued, signer| issued.get(signer).copied().unwrap_or_default();
        let before: Vec<usize> = signers.iter().map(|signer| of(&self.issued.borrow(), signer)).collect();
        let mut issued = self.issued.subscribe();
        let is_enough = |issued: &Issued| {
            signers.iter().zip(&before).all(|(signer, before)| of(issued, signer) >= before + count)
        };
        drop(time::timeout(SOON, issued.wait_for(is_enough)).await.expect("they must go on").unwrap());
    }

    /// Waits until all requests that are in hand now are answered: what was issued to them is forgotten by
    /// then.
    pub(crate) async fn answers_what_is_in_hand(&self) {
        let newest = self.in_hand.borrow().last().copied().unwrap_or_default();
        let mut in_hand = self.in_hand.subscribe();
        let are_newer = |in_hand: &BTreeSet<usize>| in_hand.first().is_none_or(|first| *first > newest);
        drop(time::timeout(SOON, in_hand.wait_for(are_newer)).await.expect("they must go on").unwrap());
    }

    /// From now on this signer's certificates may be refused by a bundle of before or after.
    pub(crate) fn emergency(&self, signer_name: &str) {
        self.emergencies.lock().unwrap().insert(signer_name.to_owned());
    }

    async fn request(&self, cluster: &Cluster, index: usize) -> Result<(), Error> {
        let pod = &self.pods[index];
        let signer_name = &pod.sources[0].signer_name;
        let before = cluster.trust_bundle(signer_name, SOON, |_| true).await?;
        let request = self.kubelet.request(pod, &pod.sources[0]).await?;
        let chain_pem = request.outcome(SOON).await?.issued()?.chain_pem;
        let after = cluster.trust_bundle(signer_name, SOON, |_| true).await?;
        if !(is_accepted(&chain_pem, &before) && is_accepted(&chain_pem, &after)) {
            let is_emergency = self.emergencies.lock().unwrap().contains(signer_name);
            assert!(is_emergency, "a certificate of {signer_name} that not all pods accept");
            let is_it = |bundle: &TrustBundle| is_accepted(&chain_pem, bundle);
            if !is_it(&before) {
                cluster.trust_bundle(signer_name, SOON, is_it).await?;
            }
        }
        let subject = Certificate::all(&chain_pem)?[0].issuer_der().to_vec();
        self.issued.send_modify(|issued| *issued.entry((signer_name.clone(), subject)).or_default() += 1);
        Ok(())
    }
}

fn is_accepted(chain_pem: &str, bundle: &TrustBundle) -> bool {
    let chain = Chain::new(chain_pem, &bundle.anchors_pem).unwrap();
    [Purpose::Server, Purpose::Client].into_iter().all(|purpose| webpki(&chain, purpose).is_ok())
}

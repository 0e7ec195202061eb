//! Pods that get certificates, see each trust bundle late, and judge each other.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use test_cluster::{
    BoundPod, CertificateSource, Error, IssuedStatus, KeyType, Kubelet, NewPod, Scope,
    verify::{Chain, Purpose, webpki_at},
};

use super::MINUTE;
use crate::support::SOON;

/// Kubelet keeps a bundle in its cache for 5 minutes, and brings a change to a pod at its next sync, within
/// 2.
const DELAYS: [u32; 4] = [0, 3, 5, 7];

pub(super) struct Pods {
    kubelet: Kubelet,
    pods: Vec<Pod>,
    /// What the bundle said, and from when on.
    history: Vec<(Timestamp, String)>,
    /// All that live, also those that their pods have replaced: a peer may still hold a connection that shows
    /// it.
    live: Vec<Leaf>,
    /// Which certificates passed by which bundle.
    accepted: HashSet<(String, usize)>,
    pub(super) issuers: BTreeSet<Vec<u8>>,
    pub(super) issued: usize,
    pub(super) verified: usize,
}

struct Pod {
    bound: BoundPod,
    delay: Duration,
    /// Or it starts anew at each step.
    lives_long: bool,
    /// When its certificate is to be refreshed.
    refresh: Option<Timestamp>,
}

struct Leaf {
    chain_pem: String,
    serial: String,
    issuer: Vec<u8>,
    not_after: Timestamp,
    /// By how much the test's clock was ahead when it was issued; its own times are the API server's.
    ahead: Duration,
    is_latest: bool,
}

pub(super) struct Refused {
    pub(super) issuer: Vec<u8>,
    pub(super) why: String,
}

impl Pods {
    pub(super) async fn start(scope: &Scope, signer_name: &str) -> Result<Self, Error> {
        let (namespace, kubelet) = (scope.namespace("life").await?, scope.kubelet().await?);
        let mut pods = Vec::new();
        for lives_long in [true, false] {
            for minutes in DELAYS {
                let source = CertificateSource::new(signer_name, KeyType::EcdsaP256);
                let name = format!("{}-{minutes}", if lives_long { "old" } else { "new" });
                let bound = kubelet.start_pod(NewPod::new(&namespace, &name).certificate(source)).await?;
                pods.push(Pod { bound, delay: minutes * MINUTE, lives_long, refresh: None });
            }
        }
        Ok(Self {
            kubelet,
            pods,
            history: Vec::new(),
            live: Vec::new(),
            accepted: HashSet::new(),
            issuers: BTreeSet::new(),
            issued: 0,
            verified: 0,
        })
    }

    /// What the bundle says now.
    pub(super) fn hear(&mut self, now: Timestamp, anchors_pem: String) {
        match self.history.last() {
            // whoever was there before the first bundle isn't a part of this
            None => self.history.push((Timestamp::MIN, anchors_pem)),
            Some((_, last)) if *last == anchors_pem => {}
            Some(_) => self.history.push((now, anchors_pem)),
        }
    }

    /// Gets each pod the certificate that it needs.
    pub(super) async fn refresh(&mut self, now: Timestamp, ahead: Duration) {
        let needs = |pod: &&mut Pod| !pod.lives_long || pod.refresh.is_none_or(|refresh| refresh <= now);
        let mut needy: Vec<&mut Pod> = self.pods.iter_mut().filter(needs).collect();
        let wanted: Vec<_> = needy.iter().map(|pod| (&pod.bound, &pod.bound.sources[0])).collect();
        let burst = self.kubelet.burst(&wanted, SOON).await.unwrap();
        assert_eq!(burst.answered.len(), wanted.len());
        self.live.iter_mut().for_each(|leaf| leaf.is_latest = false);
        for (pod, answered) in needy.iter_mut().zip(burst.answered) {
            let status = answered.outcome.issued().unwrap();
            pod.refresh = Some(status.begin_refresh_at.checked_add(ahead).unwrap());
            let leaf = Leaf::new(status, ahead);
            self.issuers.insert(leaf.issuer.clone());
            self.live.push(leaf);
            self.issued += 1;
        }
    }

    /// Shows each live certificate to each pod, as a server's and as a client's.
    pub(super) fn meet(&mut self, now: Timestamp) -> Result<(), Refused> {
        self.live.retain(|leaf| now.checked_sub(leaf.ahead).unwrap() < leaf.not_after);
        for leaf in &self.live {
            for pod in &self.pods {
                let seen = now.checked_sub(pod.delay).unwrap();
                let bundle = self.history.iter().take_while(|(since, _)| *since <= seen).count() - 1;
                if !self.accepted.insert((leaf.serial.clone(), bundle)) {
                    continue;
                }
                let chain = Chain::new(&leaf.chain_pem, &self.history[bundle].1).unwrap();
                let at = now.checked_sub(leaf.ahead).unwrap();
                for purpose in [Purpose::Server, Purpose::Client] {
                    self.verified += 1;
                    webpki_at(&chain, purpose, at).map_err(|refusal| Refused {
                        issuer: leaf.issuer.clone(),
                        why: format!("a pod that sees bundles {:?} late: {refusal}", pod.delay),
                    })?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn latest_issuers(&self) -> BTreeSet<Vec<u8>> {
        self.live.iter().filter(|leaf| leaf.is_latest).map(|leaf| leaf.issuer.clone()).collect()
    }
}

impl Leaf {
    fn new(status: IssuedStatus, ahead: Duration) -> Self {
        let chain = Chain::new(&status.chain_pem, &status.chain_pem).unwrap();
        Self {
            serial: chain.leaf().serial(),
            issuer: chain.leaf().issuer_der().to_vec(),
            not_after: status.not_after,
            chain_pem: status.chain_pem,
            ahead,
            is_latest: true,
        }
    }
}

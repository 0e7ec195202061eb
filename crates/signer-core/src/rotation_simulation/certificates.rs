//! The same with real certificates: pods that refresh them and see the bundle late, and rustls-webpki
//! that judges each pair of pods in both directions.

use std::{collections::HashSet, time::Duration};

use jiff::Timestamp;
use rcgen::{KeyPair, PublicKeyData as _};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{
    replica::Replica,
    rules::Rules,
    world::{HOUR, MINUTE, Violation, WORST_DELAY, World},
};
use ca_pool::{IssuedCertificate, issue};
use ca_pool::{Leaf, PublicKey, SerialNumber, Terms};

/// A pod that sees each bundle so late.
struct Pod {
    delay: Duration,
    /// Or it starts anew every few minutes.
    lives_long: bool,
    key: PublicKey,
    certificate: Option<IssuedCertificate>,
}

struct Cluster {
    world: World,
    pods: Vec<Pod>,
    /// Who has accepted which certificate with which bundle.
    accepted: HashSet<(String, usize)>,
    serial: u64,
    /// The CAs of the leaves that were there.
    issuers: HashSet<String>,
}

impl Cluster {
    fn new(rules: Rules) -> Self {
        let replicas = vec![
            Replica::new(Duration::ZERO, 60).at_server(30),
            Replica::new(10 * MINUTE, -60).at_server(-30),
        ];
        let delays = [Duration::ZERO, 3 * MINUTE, 5 * MINUTE, WORST_DELAY];
        let pods = [true, false]
            .map(|lives_long| delays.map(|delay| Pod { delay, lives_long, key: key(), certificate: None }));
        Self {
            world: World::new(rules, replicas, 24 * HOUR),
            pods: pods.into_iter().flatten().collect(),
            accepted: HashSet::new(),
            serial: 0,
            issuers: HashSet::new(),
        }
    }

    fn live(&mut self, time: Duration) -> Result<(), Violation> {
        let end = self.world.now.checked_add(time).unwrap();
        while self.world.now < end {
            // what the world itself finds is another test's
            let _ = self.world.advance(5 * MINUTE);
            for pod in 0..self.pods.len() {
                self.refresh(pod);
            }
            self.meet()?;
        }
        Ok(())
    }

    /// Gets a pod the certificate that it needs, from one replica or the other.
    fn refresh(&mut self, pod: usize) {
        let now = self.world.now;
        let is_fresh = |certificate: &IssuedCertificate| now < certificate.begin_refresh_at;
        if self.pods[pod].lives_long && self.pods[pod].certificate.as_ref().is_some_and(is_fresh) {
            return;
        }
        self.serial += 1;
        let replica = &self.world.replicas[self.serial as usize % self.world.replicas.len()];
        let Some((pool, choice)) = replica.choose(&self.world) else { return };
        let mut serial = [1; 16];
        serial[8..].copy_from_slice(&self.serial.to_be_bytes());
        let mut leaf = Leaf::server().dns_name("a.example.com".parse().unwrap());
        leaf.extended_key_usages.extend(Leaf::client().extended_key_usages);
        let terms = Terms { leaves_end: choice.leaves_end, ..Terms::default() };
        let authority = pool.authority(choice.index);
        let serial = SerialNumber::from_random(serial);
        let issued = issue(&leaf, &self.pods[pod].key, &terms, authority, serial, now).unwrap();
        self.issuers.insert(authority.id().to_owned());
        self.pods[pod].certificate = Some(issued);
    }

    /// Each pod presents its certificate to each other.
    fn meet(&mut self) -> Result<(), Violation> {
        let now = self.world.now;
        for presented in &self.pods {
            let Some(certificate) =
                presented.certificate.as_ref().filter(|certificate| certificate.not_after >= now)
            else {
                continue;
            };
            for pod in &self.pods {
                let bundle = bundle_seen(&self.world, pod.delay);
                if self.accepted.insert((certificate.serial.to_string(), bundle)) {
                    verify(certificate, &self.world.history[bundle].1, now)?;
                }
            }
        }
        Ok(())
    }
}

/// The bundle that a pod has now.
fn bundle_seen(world: &World, delay: Duration) -> usize {
    let seen = world.now.checked_sub(delay).unwrap();
    world.history.iter().take_while(|(published, _)| *published <= seen).count() - 1
}

/// As a server and as a client, by a certificate that names its issuer.
fn verify(certificate: &IssuedCertificate, anchors: &str, now: Timestamp) -> Result<(), Violation> {
    let anchors: Vec<_> = CertificateDer::pem_slice_iter(anchors.as_bytes()).map(Result::unwrap).collect();
    let anchors: Vec<_> = anchors.iter().map(|anchor| anchor_from_trusted_cert(anchor).unwrap()).collect();
    let der = CertificateDer::from(certificate.leaf_der.as_slice());
    let leaf = EndEntityCert::try_from(&der).unwrap();
    let name = ServerName::try_from("a.example.com").unwrap();
    leaf.verify_is_valid_for_subject_name(&name).unwrap();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().unsigned_abs()));
    for usage in [KeyUsage::server_auth(), KeyUsage::client_auth()] {
        leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &[], time, usage, None, None)
            .map_err(|error| Violation(format!("at {now}: {error}")))?;
    }
    Ok(())
}

fn key() -> PublicKey {
    PublicKey::from_pkix(&KeyPair::generate().unwrap().subject_public_key_info()).unwrap()
}

/// Three rotations, each pruned as soon as that is allowed. The pool's times let each successor sign at once:
/// it is the published bundle that holds it back.
fn three_generations(rules: Rules) -> Result<Cluster, Violation> {
    let mut cluster = Cluster::new(rules);
    for _ in 0..3 {
        cluster.live(6 * HOUR)?;
        cluster.world.rotate(Duration::ZERO, 24 * HOUR);
        cluster.live(HOUR)?;
        cluster.world.prune();
        cluster.live(48 * HOUR)?;
        cluster.world.prune();
    }
    cluster.live(26 * HOUR)?;
    Ok(cluster)
}

#[test]
fn three_generations_pass_and_every_pod_accepts_every_other_at_every_moment() -> Result<(), Violation> {
    let cluster = three_generations(Rules::Real)?;
    assert_eq!(cluster.world.pool().authorities().count(), 1);
    assert_eq!(cluster.issuers.len(), 4);
    Ok(())
}

#[test]
fn they_notice_when_signing_starts_early() {
    let Violation(violation) = three_generations(Rules::SignEarly).err().unwrap();
    assert!(violation.ends_with("UnknownIssuer"), "{violation}");
}

#[test]
fn they_notice_when_pruning_comes_early() {
    let Violation(violation) = three_generations(Rules::PruneEarly).err().unwrap();
    assert!(violation.ends_with("UnknownIssuer"), "{violation}");
}

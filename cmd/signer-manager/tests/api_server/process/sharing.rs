//! Replicas that share the work: each does its part, and what one leaves undone another does.

use std::collections::BTreeMap;

use test_cluster::{BoundPod, Error, Kubelet, Scope};

use crate::{
    process::{
        SPIFFE,
        replicas::{ask_all, audited, crowd, serials},
    },
    support::{SOON, eventually, on_cluster, process::Process, setup::Setup},
};

const REPLICAS: usize = 3;

/// Replicas that know each other, and pods that ask them.
struct Team {
    replicas: Vec<Process>,
    kubelet: Kubelet,
    pods: Vec<BoundPod>,
    anchors_pem: String,
    /// The serial number of each certificate that was seen, by the request's name.
    serials: BTreeMap<String, String>,
}

impl Team {
    /// All of them in pods of one name, as replicas in two clusters of one control plane may be.
    async fn new(scope: &Scope) -> Result<Self, Error> {
        let (namespace, name) = (scope.namespace("crowd").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer(&name, SPIFFE);
        let replicas: Vec<_> =
            (0..REPLICAS).map(|_| setup.spawn_in(scope.cluster(), "signer-manager-0")).collect();
        for replica in &replicas {
            replica.ready().await;
        }
        let kubelet = scope.kubelet().await?;
        let pods = crowd(&kubelet, &namespace, &name, 40).await?;
        let anchors_pem = scope.cluster().trust_bundle(&name, SOON, |_| true).await?.anchors_pem;
        let mut team = Self { replicas, kubelet, pods, anchors_pem, serials: BTreeMap::new() };
        team.know_each_other(&[0, 1, 2]).await?;
        Ok(team)
    }

    /// A certificate for each pod. None waits for long, whatever has become of a replica.
    async fn ask(&mut self) -> Result<(), Error> {
        let requests = ask_all(&self.kubelet, &self.pods).await?;
        self.serials.extend(serials(&requests, &self.anchors_pem).await?);
        Ok(())
    }

    /// Asks until these know no others than each other.
    async fn know_each_other(&mut self, replicas: &[usize]) -> Result<(), Error> {
        let asking = async {
            loop {
                self.ask().await?;
                let mut known = Vec::new();
                for replica in replicas {
                    known.push(self.replicas[*replica].metric("live_replicas").await);
                }
                if known.iter().all(|known| *known == Some(replicas.len() as f64)) {
                    return Ok(());
                }
            }
        };
        tokio::time::timeout(SOON, asking).await.expect("they must get to know each other")
    }

    async fn sum(&self, metric: &str) -> f64 {
        let mut sum = 0.0;
        for replica in &self.replicas {
            sum += replica.metric(metric).await.unwrap_or_default();
        }
        sum
    }
}

#[tokio::test]
async fn each_replica_does_its_part_and_none_works_in_vain() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut team = Team::new(scope).await?;
        let issued =
            |team: &Team| team.replicas.iter().map(|replica| replica.audit("Issued").len()).collect();
        let (duplicates, before): (f64, Vec<usize>) = (team.sum("duplicates_total").await, issued(&team));
        for _ in 0..5 {
            team.ask().await?;
        }
        let after: Vec<usize> = issued(&team);
        let parts: Vec<usize> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        assert!(parts.iter().all(|part| *part >= 30), "200 certificates by three: {parts:?}");
        // the machine may be busy, so that one overtakes another now and then
        let in_vain = team.sum("duplicates_total").await - duplicates;
        assert!(in_vain < 20.0, "{in_vain} of 200");
        assert_eq!(audited(&team.replicas.iter().collect::<Vec<_>>()).len(), team.serials.len());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_one_leaves_undone_another_does() -> Result<(), Error> {
    on_cluster(async |scope| {
        let mut team = Team::new(scope).await?;
        team.replicas[0].pause();
        team.know_each_other(&[1, 2]).await?;
        assert!(
            team.replicas[1].metric("takeovers_total").await > Some(0.0)
                || team.replicas[2].metric("takeovers_total").await > Some(0.0)
        );
        team.replicas[0].resume();
        team.know_each_other(&[0, 1, 2]).await?;
        team.replicas[1].kill();
        team.know_each_other(&[0, 2]).await?;
        team.replicas[0].terminate();
        team.know_each_other(&[2]).await?;
        // one that is killed may have written what it hasn't said yet
        let records = audited(&team.replicas.iter().collect::<Vec<_>>());
        let count = records.len();
        let said: BTreeMap<_, _> = records.into_iter().collect();
        assert_eq!(said.len(), count, "one record for a request");
        let unsaid = team.serials.keys().filter(|request| !said.contains_key(*request)).count();
        assert!(unsaid <= 64, "{unsaid}");
        assert!(said.iter().all(|(request, serial)| team.serials.get(request) == Some(serial)));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_clock_that_jumps_in_the_middle_costs_nothing() -> Result<(), Error> {
    on_cluster(async |scope| {
        let (namespace, name) = (scope.namespace("crowd").await?, scope.signer_name("spiffe"));
        let setup = Setup::new().signer(&name, SPIFFE);
        let clock = setup.dir.path().join("clock");
        std::fs::write(&clock, "+0").unwrap();
        let replicas = [setup.spawn_at_what(scope.cluster(), &clock), setup.spawn(scope.cluster())];
        for replica in &replicas {
            replica.ready().await;
        }
        let kubelet = scope.kubelet().await?;
        let pods = crowd(&kubelet, &namespace, &name, 100).await?;
        for off in ["+8d", "-8d", "+1h", "+0"] {
            let before = replicas[0].audit("Issued").len();
            let jump = async {
                let begun = async || replicas[0].audit("Issued").len() > before;
                eventually("the burst to have begun", async || match begun().await {
                    true => Ok(()),
                    false => Err("nothing is issued".to_owned()),
                })
                .await;
                std::fs::write(&clock, off).unwrap();
            };
            let (requests, ()) = futures::join!(ask_all(&kubelet, &pods), jump);
            let anchors_pem = scope.cluster().trust_bundle(&name, SOON, |_| true).await?.anchors_pem;
            // the API server takes no certificate that doesn't begin about now
            assert_eq!(serials(&requests?, &anchors_pem).await?.len(), pods.len(), "{off}");
        }
        Ok(())
    })
    .await
}

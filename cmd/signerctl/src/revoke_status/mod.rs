//! `signerctl revoke-status`: which pods still hold certificates of a CA that was revoked.

mod holders;
mod screen;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    rc::Rc,
    time::Duration,
};

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use signer_core::SignerName;

use self::holders::{Audited, Evidence, Holders, audited};
use crate::{
    error::Error,
    observed::{ControllerArguments, ObservedPod, pool_place, requests},
    store::cluster::{Cluster, ClusterArguments},
    terminal::{Look, Output, Report, follow},
    text::{
        arguments::{leaf_lifetime, time},
        times::minute,
    },
};

/// Names the pods that still hold certificates of a revoked CA, by what made them, with the commands that restart
/// them in batches.
///
/// A pod's certificate is on its node, and Kubernetes keeps requests for 15 minutes. So a pod that is older than
/// the revocation counts as a holder until its next certificate is seen: in a request, or in the audit log, which
/// knows for certain (--audit-log). The exit code is 1 while there are holders.
#[derive(Args)]
#[command(group(ArgGroup::new("in_cluster").args(["context", "kubeconfig"]).multiple(true)))]
pub(crate) struct RevokeStatus {
    /// The signer whose CA was revoked.
    #[arg(value_name = "SIGNER")]
    signer: SignerName,
    /// When the CA was revoked, as 2026-11-27T20:00:00Z. Default: when the pool was changed last.
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// The longest lifetime of a certificate before the revocation, where that was longer than it is configured and
    /// recorded in the pool now.
    #[arg(long, value_name = "DURATION", value_parser = leaf_lifetime)]
    max_lifetime: Option<Duration>,
    /// Audit logs of all replicas, which know who got a certificate of which CA.
    #[arg(long = "audit-log", value_name = "FILE")]
    audit_logs: Vec<PathBuf>,
    /// How many workloads to restart at once.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
    /// Show it anew every five seconds, until no pod is left.
    #[arg(long, conflicts_with = "output")]
    watch: bool,
    #[command(flatten)]
    controller: ControllerArguments,
    /// How to show it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    cluster: ClusterArguments,
}

const EVERY: Duration = Duration::from_secs(5);

impl RevokeStatus {
    /// It isn't good while a pod holds one.
    pub(crate) fn run(mut self, look: Look) -> Result<Report, Error> {
        let cluster = Rc::new(std::mem::take(&mut self.cluster).connect()?);
        let kubectl = format!("kubectl{}", cluster.arguments());
        let now = cluster.now();
        if let Some(since) = self.since.filter(|since| now < *since) {
            return Err(Error::Future { since: since.to_string(), now: minute(now) });
        }
        let audited = audited(&self.audit_logs, &self.signer)?;
        let mut renewed = HashSet::new();
        let shown =
            |holders: &Holders| screen::shown(holders, &kubectl, self.batch.into(), look, cluster.now());
        let first = self.holders(&cluster, &audited, &mut renewed)?;
        if !self.watch {
            return Report::of(self.output, &first, first.is_empty(), || shown(&first));
        }
        let mut first = Some(first);
        follow(look, EVERY, || {
            let holders = match first.take() {
                Some(first) => Ok(first),
                None => self.holders(&cluster, &audited, &mut renewed),
            };
            Ok(match holders {
                Ok(holders) => (shown(&holders), holders.is_empty()),
                // what is known of the pods isn't lost for it
                Err(error) => (format!("{error}\n"), false),
            })
        })
    }

    /// `renewed` remembers the pods whose next certificate was seen.
    fn holders(
        &self,
        cluster: &Rc<Cluster>,
        audited: &HashMap<String, Audited>,
        renewed: &mut HashSet<String>,
    ) -> Result<Holders, Error> {
        let controller = self.controller.controller(cluster);
        let config = controller.config()?;
        let signer = config.signers.iter().find(|signer| *signer.name() == self.signer);
        let signer = signer.ok_or_else(|| Error::UnknownSigner {
            name: self.signer.to_string(),
            known: config.signers.iter().map(|signer| signer.name().as_str()).collect::<Vec<_>>().join(", "),
        })?;
        let pool = pool_place(cluster, &controller, &signer.ca_pool)?.load(None)?;
        let changed = i64::try_from(pool.generation()).ok().filter(|second| *second > 0);
        let revoked_at =
            self.since.or_else(|| Timestamp::from_second(changed?).ok()).ok_or(Error::RevokedWhen)?;
        let recorded = pool.schedule().windows().iter().filter_map(|window| window.max_leaf_lifetime).max();
        let lifetimes = [Some(signer.policy.max_lifetime), recorded, self.max_lifetime];
        let pods = cluster.list::<ObservedPod>("/api/v1/pods", None)?;
        // one that can't be read renews nothing
        let requests = requests(cluster, None)?;
        let evidence = Evidence {
            pool: &pool,
            revoked_at,
            max_lifetime: lifetimes.into_iter().flatten().max().unwrap_or_default(),
            requests: requests.objects,
            audited,
        };
        let unreadable = pods.unreadable.iter().map(ToString::to_string).collect();
        let holders = Holders::of(&self.signer, pods.objects, &evidence, renewed, cluster.now());
        Ok(Holders { unreadable, ..holders })
    }
}

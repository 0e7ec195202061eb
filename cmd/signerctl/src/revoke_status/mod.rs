//! `signerctl revoke-status`: which pods still hold certificates of a CA that was revoked.

mod holders;
mod screen;

use std::{collections::HashSet, path::PathBuf, rc::Rc, time::Duration};

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use signer_core::SignerName;

use self::holders::{Evidence, Holders, audited};
use crate::{
    error::Error,
    observed::{ControllerArguments, ObservedPod, pool_place, requests},
    store::cluster::{Cluster, ClusterArguments},
    terminal::{Look, Output, Report, follow},
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
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
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
        let mut renewed = HashSet::new();
        if self.watch {
            return follow(look, EVERY, || {
                let now = Timestamp::now();
                let holders = self.holders(&cluster, &mut renewed, now)?;
                Ok((screen::shown(&holders, &kubectl, self.batch.into(), look, now), holders.is_empty()))
            });
        }
        let now = Timestamp::now();
        let holders = self.holders(&cluster, &mut renewed, now)?;
        let text = match self.output {
            Output::Text => screen::shown(&holders, &kubectl, self.batch.into(), look, now),
            Output::Json => serde_json::to_string_pretty(&holders)? + "\n",
        };
        Ok(Report { text, is_good: holders.is_empty() })
    }

    /// `renewed` remembers the pods whose next certificate was seen.
    fn holders(
        &self,
        cluster: &Rc<Cluster>,
        renewed: &mut HashSet<String>,
        now: Timestamp,
    ) -> Result<Holders, Error> {
        let controller = self.controller.controller(cluster);
        let config = controller.config()?;
        let signer = config.signers.iter().find(|signer| *signer.name() == self.signer);
        let signer = signer.ok_or_else(|| Error::UnknownSigner {
            name: self.signer.to_string(),
            known: config.signers.iter().map(|signer| signer.name().as_str()).collect::<Vec<_>>().join(", "),
        })?;
        let pool = pool_place(cluster, controller, &signer.ca_pool)?.load(None)?;
        let changed = i64::try_from(pool.generation()).ok().filter(|second| *second > 0);
        let revoked_at =
            self.since.or_else(|| Timestamp::from_second(changed?).ok()).ok_or(Error::RevokedWhen)?;
        let pods = cluster.list::<ObservedPod>("/api/v1/pods", None)?;
        // one that can't be read renews nothing
        let requests = requests(cluster, None)?;
        let evidence = Evidence {
            pool: &pool,
            revoked_at,
            max_lifetime: signer.policy.max_lifetime,
            requests: requests.objects,
            audited: audited(&self.audit_logs, &self.signer)?,
        };
        let unreadable = pods.unreadable.iter().map(ToString::to_string).collect();
        Ok(Holders { unreadable, ..Holders::of(&self.signer, pods.objects, &evidence, renewed, now) })
    }
}

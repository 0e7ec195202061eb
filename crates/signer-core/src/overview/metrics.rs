//! The metrics of the overview, read at each scrape.

use std::{collections::BTreeMap, fmt, time::Duration};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};

use super::{AuthorityOverview, Overview, SignerOverview};
use crate::metrics::{Label, gauge, gauges};
use ca_pool::{NextStep, Phase};

impl Collector for Overview {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (encoder, signers) = (&mut encoder, self.signers());
        let help = "By how much this machine's clock is ahead of the API server's";
        if let Some(ahead) = self.machine_ahead() {
            gauge(encoder, "clock_offset_seconds", help, ahead.as_secs_f64())?;
        }
        authorities(encoder, &signers)?;
        let help = "Trust anchors in the signer's bundle";
        gauges(encoder, "trust_anchors", help, of_each(&signers, |signer| signer.anchors.published as f64))?;
        let help = "Of those, the ones that neither a CA of the pool nor a record of the signers stands for";
        let foreign = of_each(&signers, |signer| signer.anchors.foreign as f64);
        gauges(encoder, "foreign_trust_anchors", help, foreign)?;
        queue(encoder, &signers)
    }
}

fn authorities(encoder: &mut DescriptorEncoder<'_>, signers: &[SignerOverview]) -> fmt::Result {
    let not_after = of_authorities(signers, |ca| Some(([], seconds(ca.not_after))));
    let help = "When a CA expires, in seconds since 1970";
    gauges(encoder, "ca_not_after_timestamp_seconds", help, not_after)?;
    let phases = of_authorities(signers, |ca| Some(([("phase", phase(ca.phase).to_owned())], 1.0)));
    gauges(encoder, "ca_phase", "The phase of each CA", phases)?;
    let next = of_authorities(signers, |ca| {
        let (step, at) = ca.next?;
        Some(([("step", self::step(step).to_owned())], seconds(at)))
    });
    let help = "When a CA's next step is due, in seconds since 1970";
    gauges(encoder, "ca_next_step_timestamp_seconds", help, next)
}

fn queue(encoder: &mut DescriptorEncoder<'_>, signers: &[SignerOverview]) -> fmt::Result {
    let help = "Requests that are due and wait for a slot";
    gauges(encoder, "queued_requests", help, of_each(signers, |signer| signer.backlog.queued as f64))?;
    let help = "Requests that are being evaluated";
    gauges(encoder, "running_evaluations", help, of_each(signers, |signer| signer.backlog.running as f64))?;
    let help = "Namespaces that have requests in the queue";
    gauges(encoder, "queued_namespaces", help, of_each(signers, |signer| signer.backlog.namespaces as f64))?;
    let help = "The most requests that one namespace has in the queue";
    let largest = of_each(signers, |signer| signer.backlog.largest_namespace as f64);
    gauges(encoder, "largest_namespace_queue", help, largest)?;
    let help = "Requests without an outcome, by the reason of their last event; none: no event yet";
    gauges(encoder, "pending_requests", help, of_reasons(signers, |(count, _)| count as f64))?;
    let help = "For how long the oldest of them has been seen to wait";
    gauges(encoder, "oldest_pending_seconds", help, of_reasons(signers, |(_, age)| age.as_secs_f64()))
}

fn of_each(
    signers: &[SignerOverview],
    value: impl Fn(&SignerOverview) -> f64,
) -> impl Iterator<Item = ([Label; 1], f64)> {
    signers.iter().map(move |signer| ([label(signer)], value(signer)))
}

/// A value of each CA, with a further label.
fn of_authorities<const FURTHER: usize>(
    signers: &[SignerOverview],
    value: impl Fn(&AuthorityOverview) -> Option<([Label; FURTHER], f64)>,
) -> impl Iterator<Item = (Vec<Label>, f64)> {
    let all = signers.iter().flat_map(|signer| signer.authorities.iter().map(move |ca| (signer, ca)));
    all.filter_map(move |(signer, ca)| {
        let (further, value) = value(ca)?;
        Some(([label(signer), ("ca", ca.id.clone())].into_iter().chain(further).collect(), value))
    })
}

fn of_reasons(
    signers: &[SignerOverview],
    value: impl Fn((usize, Duration)) -> f64,
) -> impl Iterator<Item = ([Label; 2], f64)> {
    let all = signers.iter().flat_map(|signer| {
        let reasons: &BTreeMap<_, _> = &signer.backlog.by_reason;
        reasons.iter().map(move |(reason, waiting)| (signer, reason, *waiting))
    });
    all.map(move |(signer, reason, waiting)| ([label(signer), ("reason", reason.clone())], value(waiting)))
}

fn label(signer: &SignerOverview) -> Label {
    ("signer", signer.name.to_string())
}

fn seconds(time: jiff::Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepared(_) => "prepared",
        Phase::Active => "active",
        Phase::Retiring(_) => "retiring",
        Phase::Removable => "removable",
    }
}

fn step(step: NextStep) -> &'static str {
    match step {
        NextStep::Activate => "activate",
        NextStep::Retire => "retire",
        NextStep::Remove => "remove",
        NextStep::Expire => "expire",
    }
}

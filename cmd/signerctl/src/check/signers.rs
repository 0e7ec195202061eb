//! A signer's CA pool and trust bundle.

use std::collections::BTreeSet;

use ca_pool::{CaPool, Phase};
use jiff::Timestamp;
use signer_manager::SignerConfig;

use super::{
    Subject,
    finding::{Finding, Findings, Severity},
};
use crate::{
    error::Error,
    observed::{anchors, pool_place},
    report::outlook::Outlook,
    store::secret::SecretPlace,
    terminal::Tone,
    text::{arguments::plural, times::minute_from_now},
};

pub(super) fn check(subject: &Subject<'_>, signer: &SignerConfig, findings: &mut Findings) {
    let pool = pool(subject, signer);
    let pool = match pool {
        Ok((place, pool)) => {
            let pool = pool.as_of(subject.now);
            findings.add("ca-pool", Ok(pool_findings(subject, signer, &place, &pool)));
            Some(pool)
        }
        Err(error) => {
            // a pipeline must not pass that asks for what nobody could see
            let unread = if subject.fail_before.is_some() { Severity::Bad } else { Severity::Warning };
            findings.need::<()>("ca-pool", unread, Err(error), String::new);
            None
        }
    };
    let bundle = anchors(subject.cluster, signer.name());
    findings.add(
        "trust-bundle",
        bundle.map(|anchors| vec![bundle_finding(signer, pool.as_ref(), anchors, subject.now)]),
    );
}

fn pool(subject: &Subject<'_>, signer: &SignerConfig) -> Result<(SecretPlace, CaPool), Error> {
    let place = pool_place(subject.cluster, &subject.controller, &signer.ca_pool)?;
    let pool = place.load(None)?;
    Ok((place, pool))
}

/// Who signs, and what somebody has to do: as `ca-pool show` tells it.
fn pool_findings(
    subject: &Subject<'_>,
    signer: &SignerConfig,
    place: &SecretPlace,
    pool: &CaPool,
) -> Vec<Finding> {
    let outlook = Outlook::of_signer(
        pool,
        &signer.examples(),
        Some(signer.policy.max_lifetime),
        Some(place.arguments()),
        subject.now,
    );
    let (tone, state) = outlook.state();
    let mut findings = vec![Finding::new(severity(tone), format!("{place}: {state}"), "")];
    for (tone, text) in outlook.to_do() {
        if tone != Tone::Good {
            findings.push(Finding::new(severity(tone), text, ""));
        }
    }
    let last = pool.authorities().map(ca_pool::CertificateAuthority::not_after).max();
    if let Some(end) = last.filter(|end| subject.fail_before.is_some_and(|limit| *end < limit)) {
        let end = minute_from_now(end, subject.now);
        findings.push(Finding::bad(
            format!("the last of its CAs ends at {end}, within --fail-before"),
            format!("Add the next one: signerctl ca-pool rotate {}", place.arguments()),
        ));
    }
    findings
}

fn severity(tone: Tone) -> Severity {
    match tone {
        Tone::Bad => Severity::Bad,
        Tone::Ending => Severity::Warning,
        _ => Severity::Good,
    }
}

/// The roots of the CAs that sign, will, or have leaves that live should be in the bundle, or pods refuse what is
/// signed under them. That of a CA that can go has left it.
fn bundle_finding(
    signer: &SignerConfig,
    pool: Option<&CaPool>,
    anchors: Option<Vec<Vec<u8>>>,
    now: Timestamp,
) -> Finding {
    let name = signer.name().bundle_name();
    let Some(anchors) = anchors else {
        let remedy = "The controller publishes it as soon as it has the pool: see its /readyz.";
        return Finding::bad(format!("trust bundle {name} isn't published"), remedy);
    };
    let count = plural(anchors.len(), "anchor");
    let Some(pool) = pool else { return Finding::good(format!("trust bundle {name} has {count}")) };
    let (mut missing, mut to_come, mut present) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, phase) in pool.schedule().phases(now).into_iter().enumerate() {
        let root = pool.authority(index).root();
        let is_published = anchors.iter().any(|anchor| anchor == root.der());
        match phase {
            _ if is_published => _ = present.insert(root.der()),
            Phase::Active | Phase::Retiring(_) => missing.push(root.subject()),
            Phase::Prepared(_) => to_come.push(root.subject()),
            Phase::Removable => {}
        }
    }
    if !missing.is_empty() {
        return Finding::bad(
            format!("trust bundle {name} lacks {}", missing.join(" and ")),
            "See the controller's /readyz. Nothing is signed under a root that isn't published.",
        );
    }
    if !to_come.is_empty() {
        return Finding::warning(
            format!("trust bundle {name} doesn't have {} yet", to_come.join(" and ")),
            "It is published as soon as the controller has the changed pool: within two minutes, where kubelet mounts it. Nothing is signed under it before.",
        );
    }
    let others = match anchors.len() - present.len() {
        0 => String::new(),
        others => format!(", and {} that the pool hasn't", plural(others, "anchor")),
    };
    Finding::good(format!("trust bundle {name} has the pool's {}{others}", plural(present.len(), "root")))
}

#[cfg(test)]
mod tests;

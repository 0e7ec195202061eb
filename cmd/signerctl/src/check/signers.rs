//! A signer's CA pool and trust bundle.

use std::collections::BTreeSet;

use ca_pool::{CaPool, Phase, fingerprint};
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
    let bundle = anchors(subject.cluster, signer.name());
    let is_published = matches!(bundle, Ok(Some(_)));
    let pool = match pool(subject, signer) {
        Ok((place, pool)) => {
            let pool = pool.as_of(subject.now);
            findings.add("ca-pool", Ok(pool_findings(subject, signer, &place, &pool)));
            Some(pool)
        }
        Err(error @ (Error::NoSecret { .. } | Error::NoPool { .. })) => {
            findings.add("ca-pool", Ok(vec![no_pool(&error, signer, is_published)]));
            None
        }
        Err(error) => {
            // a pipeline must not pass that asks for what nobody could see
            let unread = if subject.fail_before.is_some() { Severity::Bad } else { Severity::Warning };
            findings.need::<()>("ca-pool", unread, Err(error), String::new);
            None
        }
    };
    let bundle = bundle.map(|anchors| bundle_findings(signer, pool.as_ref(), anchors, subject.now));
    findings.add("trust-bundle", bundle);
}

/// A pool that was there can't just be made anew: its trust bundle, and what replicas still have of it, tell of
/// another.
fn no_pool(error: &Error, signer: &SignerConfig, is_published: bool) -> Finding {
    let (Error::NoSecret { secret: place, arguments, .. } | Error::NoPool { place, arguments }) = error
    else {
        return Finding::bad(error.to_string(), "");
    };
    let text = format!("{place} has no CA pool");
    if is_published {
        return Finding::bad(
            text,
            "The signer had one: its trust bundle is there. Put the pool back from its backup; if it is lost, docs/ca-rotation.md says what to do (A lost key).",
        );
    }
    Finding::bad(text, format!("Make it: signerctl ca-pool create {arguments} --signer {}", signer.name()))
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
fn bundle_findings(
    signer: &SignerConfig,
    pool: Option<&CaPool>,
    anchors: Option<Vec<Vec<u8>>>,
    now: Timestamp,
) -> Vec<Finding> {
    let name = signer.name().bundle_name();
    let Some(anchors) = anchors else {
        let remedy = "The controller publishes it as soon as it has the pool: see its /readyz.";
        return vec![Finding::bad(format!("trust bundle {name} isn't published"), remedy)];
    };
    let count = plural(anchors.len(), "anchor");
    let Some(pool) = pool else {
        return vec![Finding::good(format!("trust bundle {name} has {count}"))];
    };
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
    let mut findings = vec![if !missing.is_empty() {
        Finding::bad(
            format!("trust bundle {name} lacks {}", missing.join(" and ")),
            "See the controller's /readyz. Nothing is signed under a root that isn't published.",
        )
    } else if !to_come.is_empty() {
        Finding::warning(
            format!("trust bundle {name} doesn't have {} yet", to_come.join(" and ")),
            "It is published as soon as the controller has the changed pool: within two minutes, where kubelet mounts it. Nothing is signed under it before.",
        )
    } else {
        Finding::good(format!("trust bundle {name} has the pool's {}", plural(present.len(), "root")))
    }];
    let others = anchors.iter().filter(|anchor| !present.contains(anchor.as_slice()));
    let others: Vec<String> = others.map(|anchor| fingerprint(anchor)).collect();
    if !others.is_empty() {
        findings.push(Finding::warning(
            format!("trust bundle {name} has {} that the pool hasn't", plural(others.len(), "anchor")),
            format!(
                "SHA-256 {}. It stays for a while after a CA was replaced outright; if none was, somebody has planted it: docs/ca-rotation.md (A planted anchor).",
                others.join(", ")
            ),
        ));
    }
    findings
}

#[cfg(test)]
mod tests;

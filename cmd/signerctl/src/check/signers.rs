//! A signer's CA pool and trust bundle.

use ca_pool::CaPool;
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
            findings.need::<()>("ca-pool", Err(error), String::new);
            None
        }
    };
    let bundle = anchors(subject.cluster, signer.name());
    findings.add("trust-bundle", bundle.map(|anchors| vec![bundle_finding(signer, pool.as_ref(), anchors)]));
}

fn pool(subject: &Subject<'_>, signer: &SignerConfig) -> Result<(SecretPlace, CaPool), Error> {
    let place = pool_place(subject.cluster, subject.controller, &signer.ca_pool)?;
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

/// Each root of the pool should be in the bundle, or pods will refuse what is signed under it.
fn bundle_finding(signer: &SignerConfig, pool: Option<&CaPool>, anchors: Option<Vec<Vec<u8>>>) -> Finding {
    let name = signer.name().bundle_name();
    let Some(anchors) = anchors else {
        let remedy = "The controller publishes it as soon as it has the pool: see its /readyz.";
        return Finding::bad(format!("trust bundle {name} isn't published"), remedy);
    };
    let count = plural(anchors.len(), "anchor");
    let Some(pool) = pool else { return Finding::good(format!("trust bundle {name} has {count}")) };
    let roots = pool.roots();
    let missing: Vec<String> = roots
        .iter()
        .filter(|root| !anchors.iter().any(|anchor| anchor == root.der()))
        .map(|root| root.subject())
        .collect();
    if missing.is_empty() {
        let others = anchors.len() - roots.len().min(anchors.len());
        let others = if others == 0 {
            String::new()
        } else {
            format!(", and {} that the pool hasn't", plural(others, "anchor"))
        };
        return Finding::good(format!(
            "trust bundle {name} has the pool's {}{others}",
            plural(roots.len(), "root")
        ));
    }
    Finding::bad(
        format!("trust bundle {name} lacks {}", missing.join(" and ")),
        "The controller publishes a root within seconds: see its /readyz. Nothing is signed under a root that isn't published.",
    )
}

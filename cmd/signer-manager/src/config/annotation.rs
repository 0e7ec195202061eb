//! What an annotation signer has.

use std::{fmt, str::FromStr};

use signer_annotation::{AnnotationSignerConfig, AnnotationsFrom, CommonNameDefault, Grant};
use signer_core::{DnsName, SignerName};

use super::{
    error::Problems,
    field::{Field, Mapping},
    spiffe::TRUST_DOMAIN,
    workloads::workloads,
};

pub(super) const FIELDS: [&str; 5] =
    ["annotationsFrom", "commonName", "podServiceNames", "trustDomain", "grants"];

/// What a grant gives.
const GIFTS: [&str; 4] = ["dnsNames", "uris", "ips", "usages"];

const GRANTS: &str =
    "a list such as [{namespaces: [web], serviceAccounts: [\"*\"], dnsNames: [example.com]}]";

/// The fields of an annotation signer. The names of the other signers are added when all are known.
pub(super) fn annotation(
    name: Option<SignerName>,
    cluster_domain: &DnsName,
    signer: &Mapping<'_>,
    problems: &mut Problems,
) -> Option<AnnotationSignerConfig> {
    let sources = [
        ("volume", AnnotationsFrom::Volume),
        ("pod", AnnotationsFrom::Pod),
        ("either", AnnotationsFrom::Either),
    ];
    let annotations_from = signer.read("annotationsFrom", |field| field.choice(&sources));
    let annotations_from = problems.or_default(annotations_from, AnnotationsFrom::default());
    let choices = [("none", CommonNameDefault::None), ("podName", CommonNameDefault::PodName)];
    let common_name = signer.read("commonName", |field| field.choice(&choices));
    let common_name = problems.or_default(common_name, CommonNameDefault::default());
    let pod_service_names = problems.or_default(signer.read("podServiceNames", Field::flag), true);
    let trust_domain = problems.ok(signer.read("trustDomain", |field| field.parse(TRUST_DOMAIN))).flatten();
    let grants = signer.get("grants").map(|field| field.list(GRANTS, problems, grant)).unwrap_or_default();
    let config = AnnotationSignerConfig::new(name?, cluster_domain.clone());
    Some(AnnotationSignerConfig {
        annotations_from,
        common_name,
        pod_service_names,
        trust_domain,
        grants,
        ..config
    })
}

fn grant(entry: &Field<'_>, problems: &mut Problems) -> Option<Grant> {
    let entry = problems.ok(entry.mapping("{namespaces: [...], serviceAccounts: [...], dnsNames: [...]}"))?;
    let known = [&["namespaces", "serviceAccounts"], &GIFTS[..], &["wildcards"]].concat();
    problems
        .extend(entry.unknown(&known, |_| format!("is not known here; a grant has {}", known.join(", "))));
    if GIFTS.iter().all(|name| entry.get(name).is_none()) {
        problems.extend([entry.error(format!("grants nothing; write one of {} at least", GIFTS.join(", ")))]);
    }
    let workloads = workloads(&entry, problems);
    let dns_names = patterns(&entry, "dnsNames", "such as example.com or \"*.example.com\"", problems);
    let uris = patterns(&entry, "uris", "such as https://example.com/a or https://example.com/**", problems);
    let ips = patterns(&entry, "ips", "such as 192.0.2.0/24", problems);
    let usages = patterns(&entry, "usages", "such as code signing", problems);
    let wildcards = problems.or_default(entry.read("wildcards", Field::flag), false);
    Some(Grant { dns_names, uris, ips, usages, wildcards, ..Grant::to(workloads?) })
}

fn patterns<T: FromStr<Err: fmt::Display>>(
    grant: &Mapping<'_>,
    name: &str,
    example: &str,
    problems: &mut Problems,
) -> Vec<T> {
    let Some(field) = grant.get(name) else { return Vec::new() };
    let (list, item) = (format!("a list of patterns {example}"), format!("a pattern {example}"));
    field.list(&list, problems, |field, problems| problems.ok(field.parse(&item)))
}

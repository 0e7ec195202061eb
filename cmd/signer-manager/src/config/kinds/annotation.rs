//! `kind: annotation`.

use std::{fmt, str::FromStr};

use signer_annotation::{
    AnnotationSigner, AnnotationSignerConfig, AnnotationsFrom, CommonNameDefault,
    ConfigError as AnnotationError, Grant,
};
use signer_core::{Leaf, Signer as _, SignerName};

use spiffe_id::parse_trust_domain;

use super::{Entry, Kind, spiffe::TRUST_DOMAIN};
use crate::config::{
    error::{ConfigError, Problems},
    field::{Field, Mapping},
    workloads::{self, described, workloads},
};

/// What a grant gives.
const GIFTS: [&str; 4] = ["dnsNames", "uris", "ips", "usages"];

const GRANTS: &str =
    "a list such as [{namespaces: [web], serviceAccounts: [\"*\"], dnsNames: [example.com]}]";

impl Kind for AnnotationSignerConfig {
    type Signer = AnnotationSigner;
    const NAME: &'static str = "annotation";
    const FIELDS: &'static [&'static str] =
        &["annotationsFrom", "commonName", "podServiceNames", "trustDomain", "grants"];

    /// The names of the other signers are added when all are known.
    fn read(
        Entry { name, cluster_domain, policy, signer, .. }: &Entry<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
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
        let trust_domain = problems
            .ok(signer.read("trustDomain", |field| field.parse_by(TRUST_DOMAIN, parse_trust_domain)))
            .flatten();
        let grants =
            signer.get("grants").map(|field| field.list(GRANTS, problems, grant)).unwrap_or_default();
        let refresh = signer.get("refreshAt").map(|_| policy.refresh);
        let config = Self::new(name.clone()?, (*cluster_domain).clone());
        Some(Self {
            annotations_from,
            common_name,
            pod_service_names,
            trust_domain,
            grants,
            refresh,
            ..config
        })
    }

    fn signer_name(&self) -> &SignerName {
        &self.name
    }

    /// Of one that can't be made nothing is known.
    fn examples(&self) -> Vec<Leaf> {
        AnnotationSigner::new(self.clone()).map(|signer| signer.examples()).unwrap_or_default()
    }

    fn names(&self) -> Vec<String> {
        let common_name = match self.common_name {
            CommonNameDefault::PodName => "the pod's name",
            CommonNameDefault::None => "none",
        };
        let whose = match self.annotations_from {
            AnnotationsFrom::Volume => "of the volume",
            AnnotationsFrom::Pod => "of the pod",
            AnnotationsFrom::Either => "of the volume, or without those of the pod,",
        };
        let mut names = vec![
            format!("what annotations {}-<item> {whose} ask for:", self.name),
            "the pod's own names, and those granted".to_owned(),
            format!("common name by default: {common_name}"),
        ];
        if self.pod_service_names {
            names.push(format!(
                "<pod>.<namespace>.svc.{} while no Service has that name",
                self.cluster_domain
            ));
        }
        names.extend(self.trust_domain.as_ref().map(|domain| format!("SPIFFE IDs in trust domain {domain}")));
        names
    }

    fn further_rows(&self) -> Option<(&'static str, Vec<String>)> {
        let grants: Vec<_> = self.grants.iter().map(grant_line).collect();
        Some(("grants", if grants.is_empty() { vec!["none".to_owned()] } else { grants }))
    }

    /// From the tradition that it stands in.
    fn own_refresh(&self) -> Option<&'static str> {
        self.refresh.is_none().then_some("1h before expiry unless annotated")
    }

    /// What only the signer itself knows about how its settings fit together.
    fn conflict(&self, signer: &Mapping<'_>, root: &Mapping<'_>) -> Option<ConfigError> {
        let error = AnnotationSigner::new(self.clone()).err()?;
        let (name, field) = match &error {
            AnnotationError::NameTooLong(_) => ("name", signer.get("name")),
            AnnotationError::ClusterDomain(..) => ("clusterDomain", root.get("clusterDomain")),
        };
        let message = error.to_string();
        let message =
            message.strip_prefix(name).and_then(|message| message.strip_prefix(": ")).unwrap_or(&message);
        Some(field.map_or_else(|| signer.error(message), |field| field.error(message)))
    }

    /// Of two annotation signers whose names fit a key, the longer owns it, so each must know all names.
    fn hear_of(&mut self, all: &[SignerName]) {
        self.other_signers = all.to_vec();
    }

    fn signer(&self) -> Result<AnnotationSigner, AnnotationError> {
        AnnotationSigner::new(self.clone())
    }
}

fn grant(entry: &Field<'_>, problems: &mut Problems) -> Option<Grant> {
    let entry = problems.ok(entry.mapping("{namespaces: [...], serviceAccounts: [...], dnsNames: [...]}"))?;
    let known = [&workloads::FIELDS[..], &GIFTS[..], &["wildcards"]].concat();
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

/// A grant in the summary.
fn grant_line(grant: &Grant) -> String {
    let counts = [
        (grant.dns_names.len(), "dnsNames"),
        (grant.uris.len(), "uris"),
        (grant.ips.len(), "ips"),
        (grant.usages.len(), "usages"),
    ];
    let mut given: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{what} ({count})"))
        .collect();
    if grant.wildcards {
        given.push("wildcards".to_owned());
    }
    format!("{}: {}", described(&grant.workloads), given.join(", "))
}

//! One signer of the configuration.

use signer_annotation::{AnnotationSigner, AnnotationSignerConfig};
use signer_core::{DnsName, Leaf, Policy, PoolOrigin, Signer, SignerName};
use signer_service_dns::{ServiceDnsConfig, ServiceDnsSigner};
use signer_spiffe::{SpiffeConfig, SpiffeSigner};

use super::{
    annotation::{self, annotation},
    ca_pool::ca_pool,
    error::{ConfigError, Problems},
    field::{Field, Mapping},
    policy::{self, policy},
    service_dns::{self, service_dns},
    spiffe::{self, spiffe},
};

/// A signer and what it runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerConfig {
    /// Which signer, and how it is set up.
    pub kind: SignerKind,
    /// Where its CA pool is kept (`caPool`).
    pub ca_pool: PoolOrigin,
    /// What is settled for signers of every kind.
    pub policy: Policy,
}

/// The kinds of signers (`kind`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerKind {
    /// `service-dns`
    ServiceDns(ServiceDnsConfig),
    /// `spiffe`
    Spiffe(SpiffeConfig),
    /// `annotation`
    Annotation(AnnotationSignerConfig),
}

impl SignerConfig {
    /// The name under which pods ask for it.
    #[must_use]
    pub fn name(&self) -> &SignerName {
        match &self.kind {
            SignerKind::ServiceDns(config) => &config.name,
            SignerKind::Spiffe(config) => &config.name,
            SignerKind::Annotation(config) => &config.name,
        }
    }

    /// Examples of what it issues.
    #[must_use]
    pub fn examples(&self) -> Vec<Leaf> {
        match self.kind.clone() {
            SignerKind::ServiceDns(config) => ServiceDnsSigner::new(config).examples(),
            SignerKind::Spiffe(config) => SpiffeSigner::new(config).examples(),
            // of one that can't be made nothing is known
            SignerKind::Annotation(config) => {
                AnnotationSigner::new(config).map(|signer| signer.examples()).unwrap_or_default()
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ServiceDns,
    Spiffe,
    Annotation,
}

/// The kinds by their names, each with the fields that it has beyond those of all.
const KINDS: [(&str, Kind, &[&str]); 3] = [
    ("service-dns", Kind::ServiceDns, &service_dns::FIELDS),
    ("spiffe", Kind::Spiffe, &spiffe::FIELDS),
    ("annotation", Kind::Annotation, &annotation::FIELDS),
];

const FIELDS: [&str; 3] = ["name", "kind", "caPool"];

const NAME: &str = "<domain>/<path>, such as example.com/web";

/// Reads an entry of `signers`.
pub(super) fn signer(
    entry: &Field<'_>,
    cluster_domain: &DnsName,
    problems: &mut Problems,
) -> Option<SignerConfig> {
    let signer = problems.ok(entry.mapping("{name: <domain>/<path>, kind: <kind>, caPool: {...}}"))?;
    let kind = problems.ok(kind(&signer));
    problems.extend(unknown_fields(&signer, kind));
    let name = signer.required("name", NAME).and_then(|field| field.parse(NAME));
    let name = problems.ok(name);
    let policy = policy(&signer, problems);
    let ca_pool = ca_pool(&signer, name.as_ref(), &policy, problems);
    let kind = match kind? {
        Kind::ServiceDns => service_dns(name, &signer, problems).map(SignerKind::ServiceDns),
        Kind::Spiffe => spiffe(name, &signer, problems).map(SignerKind::Spiffe),
        Kind::Annotation => {
            let refresh = signer.get("refreshAt").map(|_| policy.refresh);
            let config = annotation(name, cluster_domain, &signer, problems);
            config.map(|config| SignerKind::Annotation(AnnotationSignerConfig { refresh, ..config }))
        }
    };
    Some(SignerConfig { kind: kind?, ca_pool: ca_pool?, policy })
}

fn kind(signer: &Mapping<'_>) -> Result<Kind, ConfigError> {
    let field = signer.required("kind", "service-dns, spiffe or annotation")?;
    field.choice(&KINDS.map(|(name, kind, _)| (name, kind)))
}

/// Fields that no signer has, or that this kind doesn't. Of an unknown kind, those of all kinds are taken.
fn unknown_fields(signer: &Mapping<'_>, kind: Option<Kind>) -> Vec<ConfigError> {
    let common: Vec<&str> = FIELDS.into_iter().chain(policy::FIELDS).collect();
    let of_kind = |(_, other, fields): &(&str, Kind, &'static [&'static str])| {
        if kind.is_none_or(|kind| kind == *other) { *fields } else { &[] }
    };
    let own: Vec<&str> = KINDS.iter().flat_map(of_kind).copied().collect();
    let known = [common.clone(), own.clone()].concat();
    signer.unknown(&known, |name| {
        let owners: Vec<_> =
            KINDS.iter().filter(|(.., fields)| fields.contains(&name)).map(|(kind, ..)| *kind).collect();
        match KINDS.iter().find(|(_, other, _)| Some(*other) == kind) {
            None => {
                format!("is not known here; every signer has {}, and those of its kind", common.join(", "))
            }
            Some((kind, ..)) if owners.is_empty() => {
                format!("is not known here; a signer of kind {kind} has {}", known.join(", "))
            }
            Some((kind, ..)) => {
                format!("belongs to kind {}, not to {kind}; leave it out", owners.join(" and "))
            }
        }
    })
}

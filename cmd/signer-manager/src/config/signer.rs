//! One signer of the configuration.

use signer_core::{
    DnsName, Leaf, Policy, PoolSource, SignerName,
    ca_pool::{LeafExtension, SecretPool},
    cluster::{CertificateSource, Pod},
    federation::Federation,
    preview::{Preview, PreviewError, Previewer, Surroundings},
};

use super::{
    ca_pool::ca_pool,
    error::{ConfigError, Problems},
    field::{Field, Mapping, alternatives},
    kinds::{Entry, KINDS, KnownKind, SignerKind},
    policy::{self, policy},
};

/// A signer and what it runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerConfig {
    /// Which signer, and how it is set up.
    pub kind: SignerKind,
    /// Where its CA pool is kept (`caPool`).
    pub ca_pool: PoolSource,
    /// What is settled for signers of every kind.
    pub policy: Policy,
}

impl SignerConfig {
    /// The name under which pods ask for it.
    #[must_use]
    pub fn name(&self) -> &SignerName {
        self.kind.signer_name()
    }

    /// Examples of what it issues.
    #[must_use]
    pub fn examples(&self) -> Vec<Leaf> {
        self.kind.examples()
    }

    /// Whether it reads Services.
    #[must_use]
    pub fn reads_services(&self) -> bool {
        self.kind.reads_services()
    }

    /// Whether it reads namespaces.
    #[must_use]
    pub fn reads_namespaces(&self) -> bool {
        self.policy.reads_namespaces() || self.kind.reads_namespaces()
    }

    /// The foreign trust domains whose bundles it publishes.
    #[must_use]
    pub fn federation(&self) -> Option<Federation> {
        self.kind.federation()
    }

    /// What it would make of a pod that asks for its certificate with this source.
    ///
    /// # Errors
    /// As [`Previewer::preview`] has them.
    pub async fn preview(
        &self,
        previewer: &mut Previewer,
        pod: &Pod,
        source: &CertificateSource,
        surroundings: Surroundings<'_>,
    ) -> Result<Preview, PreviewError> {
        self.kind.preview(previewer, &self.policy, pod, source, surroundings).await
    }
}

const FIELDS: [&str; 3] = ["name", "kind", "caPool"];

const NAME: &str = "<domain>/<path>, such as example.com/web";

/// Reads an entry of `signers`.
pub(super) fn signer(
    entry: &Field<'_>,
    cluster_domain: &DnsName,
    cluster_name: Option<&str>,
    problems: &mut Problems,
) -> Option<SignerConfig> {
    let signer = problems.ok(entry.mapping("{name: <domain>/<path>, kind: <kind>, caPool: {...}}"))?;
    let kind = problems.ok(kind(&signer));
    problems.extend(unknown_fields(&signer, kind));
    let name = signer.required("name", NAME).and_then(|field| field.parse(NAME));
    let name = problems.ok(name);
    let policy = policy(&signer, problems);
    let ca_pool = ca_pool(&signer, name.as_ref(), &policy, problems);
    let entry = Entry { name, cluster_domain, cluster_name, policy: &policy, signer: &signer };
    let kind = (kind?.read)(&entry, problems);
    let (kind, mut ca_pool) = (kind?, ca_pool?);
    problems.extend(extension_twice(&signer, &kind, &policy));
    if let PoolSource::Secret(SecretPool { automatic_rotation: Some(rotation), .. }) = &mut ca_pool {
        rotation.root_uri = kind.root_uri();
    }
    Some(SignerConfig { kind, ca_pool, policy })
}

/// RFC 5280 §4.2: no extension may be there twice.
fn extension_twice(signer: &Mapping<'_>, kind: &SignerKind, policy: &Policy) -> Option<ConfigError> {
    let oids = |leaf: &Leaf| leaf.extensions.iter().map(LeafExtension::oid).collect::<Vec<_>>();
    let own: Vec<String> = kind.examples().iter().flat_map(oids).collect();
    let twice = policy.extensions.iter().any(|extension| own.contains(&extension.oid()));
    let field = signer.get("clusterIssuerOID").filter(|_| twice)?;
    Some(field.error("is that of an extension which this signer's certificates have already; take another"))
}

fn kind(signer: &Mapping<'_>) -> Result<&'static KnownKind, ConfigError> {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let field = signer.required("kind", &alternatives(names.iter().copied()))?;
    field.choice(&KINDS.iter().map(|kind| (kind.name, kind)).collect::<Vec<_>>())
}

/// Fields that no signer has, or that this kind doesn't. Of an unknown kind, those of all kinds are taken.
fn unknown_fields(signer: &Mapping<'_>, kind: Option<&KnownKind>) -> Vec<ConfigError> {
    let common: Vec<&str> = FIELDS.into_iter().chain(policy::FIELDS).collect();
    let of_kind = |other: &&KnownKind| kind.is_none_or(|kind| kind.name == other.name);
    let own = KINDS.iter().filter(of_kind).flat_map(|kind| kind.fields).copied();
    let known: Vec<&str> = common.iter().copied().chain(own).collect();
    signer.unknown(&known, |name| {
        let owners = KINDS.iter().filter(|kind| kind.fields.contains(&name)).map(|kind| kind.name);
        let owners: Vec<_> = owners.collect();
        match kind {
            None => {
                format!("is not known here; every signer has {}, and those of its kind", common.join(", "))
            }
            Some(kind) if owners.is_empty() => {
                format!("is not known here; a signer of kind {} has {}", kind.name, known.join(", "))
            }
            Some(kind) => {
                format!("belongs to kind {}, not to {}; leave it out", owners.join(" and "), kind.name)
            }
        }
    })
}

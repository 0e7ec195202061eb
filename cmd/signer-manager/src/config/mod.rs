//! The configuration: parsed and validated, before anything runs.

mod annotation;
mod ca_pool;
mod conflicts;
mod deny;
mod error;
mod field;
mod file;
mod policy;
mod secret_pool;
mod service_dns;
mod signer;
mod spiffe;
mod workloads;
mod yaml;

pub use deny::deny_rules;
pub use error::{ConfigError, ConfigErrors, Position};
pub use signer::{SignerConfig, SignerKind};
use signer_annotation::{AnnotationSigner, ConfigError as AnnotationError};
use signer_core::{DnsName, deny::DenySource};

use self::{
    conflicts::conflicts,
    deny::deny_source,
    error::Problems,
    field::{Field, Mapping},
    signer::signer,
};

/// What runs, and how. Each part holds only what is valid.
///
/// ```
/// use signer_manager::Config;
///
/// let text = "
/// signers:
///   - name: row-major.net/spiffe
///     kind: spiffe
///     trustDomain: prod.example.com
///     caPool: {file: /run/ca-state/spiffe-pool.json}
/// ";
/// let config = Config::parse(text, "signers.yaml")?;
/// assert_eq!(config.signers[0].name().as_str(), "row-major.net/spiffe");
///
/// let errors = Config::parse("signers: none", "signers.yaml").unwrap_err();
/// assert!(errors.to_string().starts_with("signers.yaml:1:10: signers: \"none\" is a text"));
/// # Ok::<(), signer_manager::ConfigErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The cluster's DNS domain (`clusterDomain`), `cluster.local` by default.
    pub cluster_domain: DnsName,
    /// The signers: one at least, no two of one name.
    pub signers: Vec<SignerConfig>,
    /// Where the deny rules are (`deny`), if anywhere.
    pub deny: Option<DenySource>,
}

const DEFAULT_CLUSTER_DOMAIN: &str = "cluster.local";
const CLUSTER_DOMAIN: &str = "the domain that kubelet's clusterDomain has, such as cluster.local";
const SIGNERS: &str = "a list of {name: <domain>/<path>, kind: <kind>, caPool: {...}}";

impl Config {
    /// Reads and validates a configuration. `file_name` is for messages alone.
    ///
    /// # Errors
    /// All that is found wrong: one error if it is no YAML, else one for each field.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, ConfigErrors> {
        if text.len() as u64 > file::LONGEST {
            return Err(ConfigErrors::of_file(file_name, file::too_long()));
        }
        let mut problems = Problems::default();
        let config =
            problems.ok(yaml::parse(text)).and_then(|root| config(&Field::root(&root), &mut problems));
        problems.into_result(config, file_name)
    }
}

fn config(root: &Field<'_>, problems: &mut Problems) -> Option<Config> {
    let root = problems.ok(root.mapping("a mapping with signers"))?;
    let known = ["clusterDomain", "deny", "signers"];
    problems.extend(root.unknown(&known, |_| {
        "is not known here; a configuration has clusterDomain, deny and signers".into()
    }));
    let cluster_domain = problems.ok(root.read("clusterDomain", cluster_domain)).flatten();
    let cluster_domain = cluster_domain.or_else(|| DEFAULT_CLUSTER_DOMAIN.parse().ok())?;

    let deny = root.get("deny").and_then(|field| deny_source(&field, problems));
    let field = problems.ok(root.required("signers", SIGNERS))?;
    let entries = problems.ok(field.items(SIGNERS))?;
    if entries.is_empty() {
        problems.extend([field.error("is empty, so there would be nothing to do; name one signer at least")]);
    }
    problems.extend(conflicts(&entries));
    let signers: Vec<_> = entries.iter().map(|entry| signer(entry, &cluster_domain, problems)).collect();
    for (entry, signer) in entries.iter().zip(&signers) {
        let mapping = entry.mapping("").ok();
        problems.extend(
            mapping.zip(signer.as_ref()).and_then(|(mapping, signer)| misfit(signer, &mapping, &root)),
        );
    }
    let mut signers: Vec<_> = signers.into_iter().flatten().collect();
    tell_each_of_the_others(&mut signers);
    Some(Config { cluster_domain, signers, deny })
}

fn cluster_domain(field: &Field<'_>) -> Result<DnsName, ConfigError> {
    let domain: DnsName = field.parse(CLUSTER_DOMAIN)?;
    let rule = match domain.as_str() {
        "svc" => "is the suffix of short Service names",
        _ if domain.is_wildcard() => "is a wildcard",
        _ => return Ok(domain),
    };
    Err(field.error(format!("\"{domain}\" {rule}; write {CLUSTER_DOMAIN}")))
}

/// What only the annotation signer itself knows about how its settings fit together.
fn misfit(signer: &SignerConfig, mapping: &Mapping<'_>, root: &Mapping<'_>) -> Option<ConfigError> {
    let SignerKind::Annotation(config) = &signer.kind else { return None };
    let error = AnnotationSigner::new(config.clone()).err()?;
    let (name, field) = match &error {
        AnnotationError::NameTooLong(_) => ("name", mapping.get("name")),
        AnnotationError::ClusterDomain(..) => ("clusterDomain", root.get("clusterDomain")),
    };
    let message = error.to_string();
    let message =
        message.strip_prefix(name).and_then(|message| message.strip_prefix(": ")).unwrap_or(&message);
    Some(field.map_or_else(|| mapping.error(message), |field| field.error(message)))
}

/// Of two annotation signers whose names fit a key, the longer owns it, so each must know all names.
fn tell_each_of_the_others(signers: &mut [SignerConfig]) {
    let names: Vec<_> = signers.iter().map(|signer| signer.name().clone()).collect();
    for signer in signers {
        if let SignerKind::Annotation(config) = &mut signer.kind {
            config.other_signers.clone_from(&names);
        }
    }
}

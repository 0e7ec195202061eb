//! The configuration: parsed and validated, before anything runs.

mod ca_pool;
mod conflicts;
mod deny;
mod error;
mod field;
mod file;
mod kinds;
mod policy;
mod secret_pool;
mod signer;
mod workloads;
mod yaml;

pub use deny::deny_rules;
pub use error::{ConfigError, ConfigErrors, Position};
pub use kinds::SignerKind;
pub use signer::SignerConfig;
use signer_core::{DnsName, deny::DenySource};
pub(crate) use workloads::described;

use self::{conflicts::conflicts, deny::deny_source, error::Problems, field::Field, signer::signer};

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
const CLUSTER_NAME: &str = "a name for this cluster, such as eu-1";
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
    let known = ["clusterDomain", "clusterName", "deny", "signers"];
    problems.extend(root.unknown(&known, |_| {
        "is not known here; a configuration has clusterDomain, clusterName, deny and signers".into()
    }));
    let cluster_domain = problems.ok(root.read("clusterDomain", cluster_domain)).flatten();
    let cluster_domain = cluster_domain.or_else(|| DEFAULT_CLUSTER_DOMAIN.parse().ok())?;

    let cluster_name =
        problems.ok(root.read("clusterName", |field| field.parse::<String>(CLUSTER_NAME))).flatten();
    let deny = root.get("deny").and_then(|field| deny_source(&field, problems));
    let field = problems.ok(root.required("signers", SIGNERS))?;
    let entries = problems.ok(field.items(SIGNERS))?;
    if entries.is_empty() {
        problems.extend([field.error("is empty, so there would be nothing to do; name one signer at least")]);
    }
    problems.extend(conflicts(&entries));
    let signers: Vec<_> = entries
        .iter()
        .map(|entry| signer(entry, &cluster_domain, cluster_name.as_deref(), problems))
        .collect();
    for (entry, signer) in entries.iter().zip(&signers) {
        let mapping = entry.mapping("").ok();
        problems.extend(
            mapping.zip(signer.as_ref()).and_then(|(mapping, signer)| signer.kind.conflict(&mapping, &root)),
        );
    }
    let mut signers: Vec<_> = signers.into_iter().flatten().collect();
    let names: Vec<_> = signers.iter().map(|signer| signer.name().clone()).collect();
    signers.iter_mut().for_each(|signer| signer.kind.hear_of(&names));
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

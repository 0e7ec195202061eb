//! What a configuration says, for people to read.

use std::fmt;

use signer_core::{
    KeyType, Policy, PoolSource, Refresh,
    ca_pool::format_duration,
    deny::{DenyRules, DenySource},
};

use crate::config::{Config, SignerConfig, SignerKind, described};

/// What would run, one block for each signer.
pub(crate) struct Summary<'a> {
    pub(crate) file: &'a str,
    pub(crate) config: &'a Config,
    /// The deny rules, where they are in a file that is there.
    pub(crate) rules: Option<DenyRules>,
    /// Of each signer's CAs.
    pub(crate) warnings: Vec<Vec<String>>,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signers = &self.config.signers;
        let count =
            if signers.len() == 1 { "1 signer".to_owned() } else { format!("{} signers", signers.len()) };
        writeln!(f, "{} is valid: {count}, cluster domain {}", self.file, self.config.cluster_domain)?;
        for (signer, warnings) in signers.iter().zip(&self.warnings) {
            write_signer(f, signer, warnings)?;
        }
        match &self.config.deny {
            None => Ok(()),
            Some(deny) => write_deny(f, deny, self.rules.as_ref()),
        }
    }
}

fn write_deny(f: &mut fmt::Formatter<'_>, source: &DenySource, rules: Option<&DenyRules>) -> fmt::Result {
    writeln!(f, "\ndeny rules  {source}")?;
    match rules {
        None if matches!(source, DenySource::File(_)) => writeln!(f, "  not found here, so not checked"),
        None => Ok(()),
        Some(rules) if rules.is_empty() => writeln!(f, "  none"),
        Some(rules) => rules.iter().try_for_each(|rule| writeln!(f, "  {rule}")),
    }
}

/// What the log says of a signer at the start.
pub(crate) struct Started {
    pub(crate) kind: &'static str,
    pub(crate) ca_pool: String,
}

pub(crate) fn started(signer: &SignerConfig) -> Started {
    Started { kind: signer.kind.kind_name(), ca_pool: ca_pool(&signer.ca_pool).join(", ") }
}

fn write_signer(f: &mut fmt::Formatter<'_>, signer: &SignerConfig, warnings: &[String]) -> fmt::Result {
    let policy = &signer.policy;
    writeln!(f, "\n{}  ({})", signer.name(), signer.kind.kind_name())?;
    let mut rows = vec![("names", signer.kind.names())];
    rows.extend(signer.kind.further_rows());
    rows.extend([
        ("lifetime", vec![lifetime(policy, &signer.kind)]),
        ("key types", vec![key_types(policy)]),
        (
            "extensions",
            policy
                .extensions
                .iter()
                .map(|extension| format!("{}, the cluster's issuer", extension.oid()))
                .collect(),
        ),
        ("used by", used_by(policy)),
        ("CA pool", ca_pool(&signer.ca_pool)),
        ("warning", warnings.to_vec()),
        ("trust bundle", vec![signer.name().bundle_name()]),
    ]);
    for (title, lines) in rows {
        for (i, line) in lines.iter().enumerate() {
            writeln!(f, "  {:<14}{line}", if i == 0 { title } else { "" })?;
        }
    }
    Ok(())
}

fn lifetime(policy: &Policy, kind: &SignerKind) -> String {
    let refresh = match (kind.own_refresh(), policy.refresh) {
        (Some(own), _) => own.to_owned(),
        (None, Refresh::AfterPercent(percent)) => format!("after {percent}%"),
        (None, Refresh::BeforeExpiry(duration)) => format!("{} before expiry", format_duration(duration)),
    };
    let (lifetime, skew) = (format_duration(policy.max_lifetime), format_duration(policy.clock_skew));
    format!("{lifetime} at most, refreshed {refresh}, backdated {skew}")
}

fn key_types(policy: &Policy) -> String {
    if policy.key_types.len() == KeyType::ALL.len() {
        "all".to_owned()
    } else {
        KeyType::list(&policy.key_types)
    }
}

fn used_by(policy: &Policy) -> Vec<String> {
    match policy.allow.as_deref() {
        None => vec!["every pod".to_owned()],
        Some([]) => vec!["nobody: allow is an empty list".to_owned()],
        Some(entries) => entries.iter().map(described).collect(),
    }
}

fn ca_pool(source: &PoolSource) -> Vec<String> {
    match source {
        PoolSource::Secret(secret) => {
            let rotation = secret.automatic_rotation.as_ref().map_or_else(
                || "rotated by hand".to_owned(),
                |automatic_rotation| {
                    let propagation = format_duration(automatic_rotation.propagation);
                    format!("rotated automatically; a new CA is published for {propagation} before it signs")
                },
            );
            vec![format!("Secret {}/{}", secret.namespace, secret.name), rotation]
        }
        PoolSource::PoolFile(path) => vec![path.display().to_string()],
        PoolSource::PemFiles { cert, key, root } => {
            let mut lines = vec![cert.display().to_string(), format!("key {}", key.display())];
            lines.extend(root.iter().map(|root| format!("root {}", root.display())));
            lines
        }
    }
}

//! `check-config`: validates a configuration and shows what would run.

use std::path::Path;

use jiff::Timestamp;
use signer_core::ca_pool::{Finding, PoolSourceError};

use crate::{
    config::{Config, ConfigError, ConfigErrors, SignerConfig, deny_rules},
    summary::Summary,
};

/// What would run, for people to read.
///
/// # Errors
/// All that is wrong with the configuration; and with a CA pool that is there, if nothing that its CAs sign
/// for its signer reaches a pod.
pub fn check_config(file: &Path) -> Result<String, ConfigErrors> {
    let config = Config::load(file)?;
    let file = file.display().to_string();
    let now = Timestamp::now();
    let mut pools: Vec<Pool> = config.signers.iter().map(|signer| Pool::of(signer, now)).collect();
    tell_shared_keys(&config.signers, &mut pools);
    let useless = pools.iter().enumerate().filter(|(_, pool)| !pool.is_useful);
    let mut errors: Vec<ConfigError> = useless.flat_map(|(index, pool)| pool.errors(index)).collect();
    let rules = config.deny.as_ref().and_then(|source| source.load(deny_rules));
    if let Some(Err(problem)) = &rules {
        errors.push(ConfigError { position: None, field: "deny".to_owned(), message: problem.clone() });
    }
    if !errors.is_empty() {
        return Err(ConfigErrors { file, errors });
    }
    let warnings = pools.into_iter().map(|pool| pool.messages).collect();
    let rules = rules.and_then(Result::ok);
    Ok(Summary { file: &file, config: &config, rules, warnings }.to_string())
}

/// A peer that trusts one of two signers takes certificates of the other, if both sign with one key.
fn tell_shared_keys(signers: &[SignerConfig], pools: &mut [Pool]) {
    for later in 1..pools.len() {
        let (before, rest) = pools.split_at_mut(later);
        let shares = |pool: &Pool| rest[0].keys.iter().any(|key| pool.keys.contains(key));
        if let Some(first) = before.iter().position(shares) {
            rest[0].messages.push(format!(
                "it signs with a key that {} signs with too, so that whoever trusts one of the two takes certificates of the other. Give each signer a CA of its own",
                signers[first].name()
            ));
        }
    }
}

/// What is to be said of a signer's CAs.
struct Pool {
    messages: Vec<String>,
    is_useful: bool,
    /// The public halves of its CAs' keys.
    keys: Vec<Vec<u8>>,
}

impl Pool {
    /// Files that aren't here may be mounted where the manager runs, which tells what is wrong with them.
    fn of(signer: &SignerConfig, now: Timestamp) -> Self {
        let source = &signer.ca_pool;
        let pool = match source.load() {
            Ok(pool) => pool.as_of(now),
            Err(PoolSourceError::Missing { .. } | PoolSourceError::NotInFiles { .. }) => {
                return Self::unknown();
            }
            Err(error) => return Self { messages: vec![error.to_string()], ..Self::unknown() },
        };
        let fitness = pool.fitness(&signer.examples());
        let findings = pool.assess(&fitness, Some(signer.policy.max_lifetime), now).findings;
        let mut messages: Vec<String> = findings.iter().map(Finding::to_string).collect();
        let is_useful = pool.of_use(&fitness).next().is_some() || !findings.iter().any(Finding::is_outage);
        if is_useful {
            messages.extend(source.exposed_key());
            messages.extend(pool.left_aside());
        }
        let keys = pool.authorities().map(|authority| authority.key().spki_der().to_vec()).collect();
        Self { messages, is_useful, keys }
    }

    fn unknown() -> Self {
        Self { messages: Vec::new(), is_useful: true, keys: Vec::new() }
    }

    fn errors(&self, index: usize) -> impl Iterator<Item = ConfigError> {
        let field = format!("signers[{index}].caPool");
        let error = move |message: &String| ConfigError {
            position: None,
            field: field.clone(),
            message: message.clone(),
        };
        self.messages.iter().map(error)
    }
}

//! Where a signer's CA comes from.

use std::path::PathBuf;

use signer_core::{Policy, PoolSource, SignerName};

use super::{
    error::{ConfigError, Problems},
    field::{Field, Mapping, quoted},
    secret_pool::{self, secret_pool},
};

const FIELDS: [&str; 4] = ["file", "certFile", "keyFile", "rootFile"];

const ACCEPTED: &str = "{file: <pool.json>}, or {certFile: <tls.crt>, keyFile: <tls.key>} and, where the chain doesn't end in the root, \
                        rootFile: <ca.crt>, or {secret: {namespace: <namespace>, name: <name>}}";

/// The pool of a signer: one JSON file, PEM files, or a Secret.
pub(super) fn ca_pool(
    signer: &Mapping<'_>,
    name: Option<&SignerName>,
    policy: &Policy,
    problems: &mut Problems,
) -> Option<PoolSource> {
    let field = problems.ok(signer.required("caPool", ACCEPTED))?;
    let pool = problems.ok(field.mapping(ACCEPTED))?;
    match pool.get("secret") {
        Some(secret) => secret_pool(&pool, &secret, name, policy, problems).map(PoolSource::Secret),
        None => files(&pool, problems),
    }
}

fn files(pool: &Mapping<'_>, problems: &mut Problems) -> Option<PoolSource> {
    problems.extend(pool.unknown(&FIELDS, |_| format!("is not known here; write {ACCEPTED}")));
    let [file, cert, key, root] = FIELDS.map(|name| problems.ok(pool.read(name, path)).flatten());
    let is_there = |name| pool.get(name).is_some();
    match (is_there("file"), FIELDS[1..].iter().any(|name| is_there(name))) {
        (true, true) => {
            problems.extend([pool.error(format!("has both file and PEM files; write {ACCEPTED}"))])
        }
        (false, false) => problems.extend([pool.error(format!("names no files; write {ACCEPTED}"))]),
        (false, true) => {
            problems.ok(pool.required("certFile", "the PEM file of the CA's certificate chain"));
            problems.ok(pool.required("keyFile", "the PEM file of the CA's private key"));
        }
        (true, false) => return file.map(PoolSource::PoolFile),
    }
    Some(PoolSource::PemFiles { cert: cert?, key: key?, root })
}

/// All places that a signer's pool names, with their fields.
pub(super) fn places<'a>(signer: &Mapping<'a>) -> Vec<(Field<'a>, String)> {
    let pool = signer.get("caPool").and_then(|field| field.mapping("").ok());
    let fields = pool.iter().flat_map(|pool| FIELDS.iter().filter_map(|name| pool.get(name)));
    let files = fields.filter_map(|field| path(&field).ok().map(|path| (field, path.display().to_string())));
    files.chain(pool.as_ref().and_then(secret_pool::place)).collect()
}

/// A path, without `.` and doubled slashes, so that two spellings of one file are equal.
pub(super) fn path(field: &Field<'_>) -> Result<PathBuf, ConfigError> {
    let text = field.text("a path")?;
    if text.contains(char::is_control) {
        return Err(field.error(format!("{} has a control character; write a path without", quoted(text))));
    }
    Ok(PathBuf::from(text).components().collect())
}

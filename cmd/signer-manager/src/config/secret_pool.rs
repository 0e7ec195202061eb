//! A CA pool in a Secret.

use std::time::Duration;

use signer_core::{
    Policy, SignerName,
    ca_pool::{AutomaticRotation, BUNDLE_PROPAGATION, SecretPool, SigningKeyType, format_duration},
};

use super::{
    error::{ConfigError, Problems},
    field::{Field, Mapping, quoted},
    policy::{Bounds, duration, hours},
};

const FIELDS: [&str; 5] = ["secret", "rotation", "keyType", "validity", "propagation"];

const SECRET: &str = "{namespace: <namespace>, name: <name>}";

const PROPAGATES: &str = "a duration from 15m, such as 24h";

/// A new CA lives long enough to be succeeded in peace, and at most as long as `signerctl` makes them.
const VALIDITY: Bounds = Bounds {
    least: hours(7 * 24),
    most: hours(876_000),
    accepted: "a duration from 168h to 876000h, such as 8760h",
};

/// A pool in a Secret, rotated by the manager where `rotation` is `automatic`.
pub(super) fn secret_pool(
    pool: &Mapping<'_>,
    field: &Field<'_>,
    name: Option<&SignerName>,
    policy: &Policy,
    problems: &mut Problems,
) -> Option<SecretPool> {
    problems.extend(pool.unknown(&FIELDS, |_| {
        format!("doesn't go with secret; a pool in a Secret has {}", FIELDS.join(", "))
    }));
    let secret = problems.ok(field.mapping(SECRET));
    let modes = [("none", false), ("automatic", true)];
    let rotation = pool.read("rotation", |field| field.choice(&modes));
    let is_automatic = problems.or_default(rotation, false);
    let key_type = pool.read("keyType", |field| field.parse("a key type such as ECDSAP256"));
    let key_type: SigningKeyType = problems.or_default(key_type, SigningKeyType::EcdsaP256);
    let validity = pool.read("validity", |field| duration(field, &VALIDITY));
    let validity = problems.or_default(validity, AutomaticRotation::DEFAULT_VALIDITY);
    let propagation = pool.read("propagation", |field| propagation(field, validity));
    let propagation = problems.or_default(propagation, AutomaticRotation::DEFAULT_PROPAGATION);
    if !is_automatic {
        let idle = FIELDS[2..].iter().filter_map(|name| pool.get(name));
        problems.extend(idle.map(|field| {
            field.error("has an effect only with `rotation: automatic`; add that, or remove it")
        }));
    }
    let max_leaf_lifetime = policy.max_lifetime;
    let automatic_rotation = AutomaticRotation {
        signer: name?.clone(),
        root_uri: None,
        key_type,
        validity,
        max_leaf_lifetime,
        propagation,
    };
    let (namespace, name) = names(&secret?, problems)?;
    Some(SecretPool { namespace, name, automatic_rotation: is_automatic.then_some(automatic_rotation) })
}

/// How long a new CA is published before it signs: never less than pods need, and not so long that the CA
/// before it comes near its end.
fn propagation(field: &Field<'_>, validity: Duration) -> Result<Duration, ConfigError> {
    let whole = Bounds { least: Duration::ZERO, most: Duration::MAX, accepted: PROPAGATES };
    let propagation = duration(field, &whole)?;
    let most = AutomaticRotation::longest_propagation(validity);
    if (BUNDLE_PROPAGATION..=most).contains(&propagation) {
        return Ok(propagation);
    }
    let rule = "pods need 15m, and a sixth of the CA's validity is the most";
    Err(field.error(format!(
        "{} is out of bounds: {rule}; write {} to {}, or a longer validity",
        quoted(&format_duration(propagation)),
        format_duration(BUNDLE_PROPAGATION),
        format_duration(most)
    )))
}

/// The Secret that a pool names, as one text, for the search for conflicts.
pub(super) fn place<'a>(pool: &Mapping<'a>) -> Option<(Field<'a>, String)> {
    let field = pool.get("secret")?;
    let (namespace, name) = names(&field.mapping("").ok()?, &mut Problems::default())?;
    Some((field, format!("{namespace}/{name}")))
}

fn names(secret: &Mapping<'_>, problems: &mut Problems) -> Option<(String, String)> {
    problems.extend(secret.unknown(&["namespace", "name"], |_| format!("is not known here; write {SECRET}")));
    let [namespace, name] = ["namespace", "name"].map(|field| {
        let text = secret.required(field, SECRET).and_then(|field| object_name(&field));
        problems.ok(text)
    });
    Some((namespace?, name?))
}

/// The names of Kubernetes objects (DNS subdomains) can't lead anywhere else in a URL.
pub(super) fn object_name(field: &Field<'_>) -> Result<String, ConfigError> {
    let text = field.text("a name")?;
    let is_name = text.len() <= 253 && text.split('.').all(signer_core::ca_pool::names::is_dns_label);
    if is_name {
        return Ok(text.to_owned());
    }
    Err(field.error(format!(
        "{} is no name of a Kubernetes object; write lowercase letters, digits, '-' and '.'",
        quoted(text)
    )))
}

#[cfg(test)]
mod tests;

//! The user annotation by which a pod's author picks Services.

use std::collections::BTreeMap;

use signer_core::{
    Denial, SignerName,
    ca_pool::{MAX_NAMES, names::is_dns_label},
};

/// The item of the annotation's key, `<signer name>-services`.
const ITEM: &str = "services";

/// The names in the annotation, in its order: `None` without it, which stands for all Services that select
/// the pod.
///
/// # Errors
/// A refusal for any other user annotation, and for a value that isn't a comma-separated list of Services'
/// names, each of them once. Spaces around a name are allowed.
pub(crate) fn picked_services<'a>(
    signer_name: &SignerName,
    annotations: &'a BTreeMap<String, String>,
) -> Result<Option<Vec<&'a str>>, Denial> {
    let key = annotation_key(signer_name);
    if let Some(foreign) = annotations.keys().find(|other| **other != key) {
        return Err(Denial::of_unknown_user_annotation(foreign, &[key]));
    }
    let Some(value) = annotations.get(&key) else { return Ok(None) };
    match service_names(value) {
        Ok(names) => Ok(Some(names)),
        Err(rule) => {
            let accepted = "write a comma-separated list of Services of the pod's namespace, such as \"web, web-internal\", \
                            or leave the annotation out for all that select the pod";
            Err(Denial::of_user_annotation(&key, value, &rule, accepted))
        }
    }
}

/// The key of the annotation.
pub(crate) fn annotation_key(signer_name: &SignerName) -> String {
    signer_name.annotation_key(ITEM)
}

fn service_names(value: &str) -> Result<Vec<&str>, String> {
    if value.trim_matches(' ').is_empty() {
        return Err("it is empty".into());
    }
    let mut names = Vec::new();
    for name in value.split(',').map(|name| name.trim_matches(' ')) {
        if !is_dns_label(name) {
            let name: String = name.chars().take(64).collect();
            return Err(format!("{name:?} is no Service's name (1 to 63 lowercase letters, digits or '-')"));
        }
        if names.contains(&name) {
            return Err(format!("{name:?} is there twice"));
        }
        if names.len() == MAX_NAMES {
            return Err(format!(
                "it lists more than {MAX_NAMES} Services, and a certificate carries {MAX_NAMES} names at most"
            ));
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests;

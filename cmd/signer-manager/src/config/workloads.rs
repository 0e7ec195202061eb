//! Sets of workloads: how entries of `allow` and `grants` begin.

use signer_core::{ca_pool::names::is_dns_label, cluster::WorkloadSelector};

use super::{
    error::{ConfigError, Problems},
    field::{Field, Mapping, quoted},
};

const NAMESPACES: &str = "a list of namespaces, such as [web], or [\"*\"] for all";
const SERVICE_ACCOUNTS: &str = "a list of service accounts, such as [server], or [\"*\"] for all";

/// The workloads that an entry is for. Both lists must be there, and neither empty: who is meant is said in
/// so many words.
pub(super) fn workloads(entry: &Mapping<'_>, problems: &mut Problems) -> Option<WorkloadSelector> {
    let namespaces = names(entry, "namespaces", NAMESPACES, problems, namespace);
    let service_accounts = names(entry, "serviceAccounts", SERVICE_ACCOUNTS, problems, service_account);
    Some(WorkloadSelector::new(namespaces?, service_accounts?))
}

fn names(
    entry: &Mapping<'_>,
    name: &str,
    accepted: &str,
    problems: &mut Problems,
    read: fn(&Field<'_>) -> Result<String, ConfigError>,
) -> Option<Vec<String>> {
    let field = problems.ok(entry.required(name, accepted))?;
    if field.is_empty_list() {
        problems.extend([field.error(format!("is empty, so the entry is for nobody; write {accepted}"))]);
    }
    Some(field.list(accepted, problems, |item, problems| problems.ok(read(item))))
}

pub(super) fn namespace(field: &Field<'_>) -> Result<String, ConfigError> {
    name(
        field,
        is_dns_label,
        "a namespace's name (1 to 63 lowercase letters, digits or '-'), or \"*\" alone for all",
    )
}

pub(super) fn service_account(field: &Field<'_>) -> Result<String, ConfigError> {
    let is_subdomain = |text: &str| text.len() <= 253 && text.split('.').all(is_dns_label);
    name(
        field,
        is_subdomain,
        "a service account's name (lowercase letters, digits, '-' or '.'), or \"*\" alone for all",
    )
}

fn name(field: &Field<'_>, is_name: impl Fn(&str) -> bool, accepted: &str) -> Result<String, ConfigError> {
    let text = field.text(accepted)?;
    if text != "*" && !is_name(text) {
        return Err(field.error(format!("{} is no name; write {accepted}", quoted(text))));
    }
    Ok(text.to_owned())
}

/// Which pods these are, in words.
pub(crate) fn described(workloads: &WorkloadSelector) -> String {
    let namespaces = listed(workloads.namespaces(), "every namespace", "namespace");
    match listed(workloads.service_accounts(), "", "service account") {
        all if all.is_empty() && workloads.namespaces().iter().any(|name| name == "*") => {
            "every pod".to_owned()
        }
        all if all.is_empty() => format!("every pod of {namespaces}"),
        accounts => format!("{accounts} of {namespaces}"),
    }
}

fn listed(names: &[String], all: &str, what: &str) -> String {
    match names {
        names if names.iter().any(|name| name == "*") => all.to_owned(),
        [name] => format!("{what} {name}"),
        names => format!("{what}s {}", names.join(", ")),
    }
}

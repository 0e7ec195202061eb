//! Sets of workloads: how entries of `allow` and `grants` begin.

use signer_core::{
    ca_pool::names::is_dns_label,
    cluster::{LabelRequirement, LabelSelector, WorkloadSelector},
};

use super::{
    error::{ConfigError, Problems},
    field::{Field, Mapping, quoted},
};

const NAMESPACES: &str = "a list of namespaces, such as [web], or [\"*\"] for all";
const SERVICE_ACCOUNTS: &str = "a list of service accounts, such as [server], or [\"*\"] for all";

/// The fields of an entry that say which workloads it is for.
pub(super) const FIELDS: [&str; 3] = ["namespaces", "namespaceSelector", "serviceAccounts"];

/// The workloads that an entry is for. Who is meant is said in so many words: namespaces by name or by their labels,
/// and service accounts; no list is empty.
pub(super) fn workloads(entry: &Mapping<'_>, problems: &mut Problems) -> Option<WorkloadSelector> {
    let selector = entry.get("namespaceSelector").map(|field| label_selector(&field, problems));
    let namespaces = match (&selector, entry.get("namespaces")) {
        (Some(_), None) => Some(vec!["*".to_owned()]),
        _ => names(entry, "namespaces", NAMESPACES, problems, namespace),
    };
    let service_accounts = names(entry, "serviceAccounts", SERVICE_ACCOUNTS, problems, service_account);
    let workloads = WorkloadSelector::new(namespaces?, service_accounts?);
    Some(match selector {
        Some(selector) => workloads.with_namespace_selector(selector?),
        None => workloads,
    })
}

const SELECTOR: &str = "{matchLabels: {<key>: <value>}}, and matchExpressions as Kubernetes has them";
const LABELS: &str = "a mapping such as {team: shop}";
const EXPRESSIONS: &str = "a list such as [{key: team, operator: In, values: [shop]}]";
const EXPRESSION: &str = "{key: <key>, operator: In, NotIn, Exists or DoesNotExist, values: [<value>]}";

/// Kubernetes' `LabelSelector`. One that requires nothing is refused: it would select all by mistake.
pub(super) fn label_selector(field: &Field<'_>, problems: &mut Problems) -> Option<LabelSelector> {
    let selector = problems.ok(field.mapping(SELECTOR))?;
    let before = problems.count();
    let unknown = |_: &str| format!("is not known here; write {SELECTOR}");
    problems.extend(selector.unknown(&["matchLabels", "matchExpressions"], unknown));
    let labels = selector.get("matchLabels").map(|field| labels(&field, problems)).unwrap_or_default();
    let expressions = selector
        .get("matchExpressions")
        .map(|field| field.list(EXPRESSIONS, problems, requirement))
        .unwrap_or_default();
    if before < problems.count() {
        return None;
    }
    if labels.is_empty() && expressions.is_empty() {
        problems
            .extend([field
                .error(format!("requires nothing, so it would select every namespace; write {SELECTOR}"))]);
        return None;
    }
    Some(LabelSelector::new(labels, expressions))
}

fn labels(field: &Field<'_>, problems: &mut Problems) -> Vec<(String, String)> {
    let Some(labels) = problems.ok(field.mapping(LABELS)) else { return Vec::new() };
    let read = |(key, value): (&str, Field<'_>)| {
        let key = problems.ok(label_key(key, &value))?;
        Some((key, problems.ok(label_value(&value))?))
    };
    labels.entries().filter_map(read).collect()
}

fn requirement(field: &Field<'_>, problems: &mut Problems) -> Option<LabelRequirement> {
    let entry = problems.ok(field.mapping(EXPRESSION))?;
    problems.extend(
        entry.unknown(&["key", "operator", "values"], |_| format!("is not known here; write {EXPRESSION}")),
    );
    let key = problems.ok(entry.required("key", EXPRESSION))?;
    let key = problems.ok(key.text("a label's key").and_then(|text| label_key(text, &key)))?;
    let operators = [("In", 0), ("NotIn", 1), ("Exists", 2), ("DoesNotExist", 3)];
    let operator =
        problems.ok(entry.required("operator", EXPRESSION).and_then(|field| field.choice(&operators)))?;
    let values = entry.get("values").map(|field| {
        field.list("a list of values", problems, |item, problems| problems.ok(label_value(item)))
    });
    let values = values.unwrap_or_default();
    match (operator, values.is_empty()) {
        (0, false) => Some(LabelRequirement::In(key, values)),
        (1, false) => Some(LabelRequirement::NotIn(key, values)),
        (2, true) => Some(LabelRequirement::Exists(key)),
        (3, true) => Some(LabelRequirement::DoesNotExist(key)),
        _ => {
            problems.extend([field.error("has values that don't fit its operator: In and NotIn take one at least, Exists and DoesNotExist none")]);
            None
        }
    }
}

/// A DNS subdomain and a slash, and at most 63 letters, digits, '-', '_' and '.' between letters and digits.
fn label_key(text: &str, field: &Field<'_>) -> Result<String, ConfigError> {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let is_subdomain = |text: &str| text.len() <= 253 && text.split('.').all(is_dns_label);
    if is_label_text(name) && !name.is_empty() && prefix.is_none_or(is_subdomain) {
        return Ok(text.to_owned());
    }
    Err(field.error(format!("{} can't be the key of a label", quoted(text))))
}

fn label_value(field: &Field<'_>) -> Result<String, ConfigError> {
    let text = field.text("a label's value; numbers, true and false in quotes")?;
    if is_label_text(text) {
        return Ok(text.to_owned());
    }
    Err(field.error(format!("{} can't be the value of a label", quoted(text))))
}

fn is_label_text(text: &str) -> bool {
    let is_outer = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && is_outer(text.chars().next())
        && is_outer(text.chars().last())
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
    let mut namespaces = listed(workloads.namespaces(), "every namespace", "namespace");
    if let Some(selector) = workloads.namespace_selector() {
        namespaces += &format!(" with labels {selector}");
    }
    let is_everywhere =
        workloads.namespaces().iter().any(|name| name == "*") && workloads.namespace_selector().is_none();
    match listed(workloads.service_accounts(), "", "service account") {
        all if all.is_empty() && is_everywhere => "every pod".to_owned(),
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

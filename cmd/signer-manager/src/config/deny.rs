//! `deny`: where the deny rules are, and what their document means.

use signer_core::{
    SignerName,
    deny::{DenyRule, DenyRules, DenySelector, DenySource},
};

use super::{
    ca_pool::path,
    error::{ConfigError, ConfigErrors, Problems},
    field::{Field, Mapping, quoted},
    secret_pool::object_name,
    workloads::{label_selector, namespace, service_account},
    yaml::{self, Value},
};

const ACCEPTED: &str = "{configMap: {namespace: <namespace>, name: <name>}}, or {file: <path>}";
const CONFIG_MAP: &str = "{namespace: <namespace>, name: <name>} and, where it isn't deny.yaml, key: <key>";
const DEFAULT_KEY: &str = "deny.yaml";

const DOCUMENT: &str = "a mapping with rules, such as rules: [{namespaces: [web], reason: INC-7}]";
const RULES: &str = "a list such as [{namespaces: [web], reason: INC-7}]";
const RULE: &str = "a mapping such as {namespaces: [web], reason: INC-7}";
const RULE_FIELDS: [&str; 6] =
    ["namespaces", "namespaceSelector", "serviceAccounts", "nodes", "signers", "reason"];

/// The place of the deny rules.
pub(super) fn deny_source(field: &Field<'_>, problems: &mut Problems) -> Option<DenySource> {
    let place = problems.ok(field.mapping(ACCEPTED))?;
    problems
        .extend(place.unknown(&["file", "configMap"], |_| format!("is not known here; write {ACCEPTED}")));
    match (place.get("file"), place.get("configMap")) {
        (Some(file), None) => problems.ok(path(&file)).map(DenySource::File),
        (None, Some(config_map)) => config_map_source(&config_map, problems),
        _ => {
            problems.extend([field.error(format!("names not one place; write {ACCEPTED}"))]);
            None
        }
    }
}

fn config_map_source(field: &Field<'_>, problems: &mut Problems) -> Option<DenySource> {
    let place = problems.ok(field.mapping(CONFIG_MAP))?;
    problems.extend(
        place.unknown(&["namespace", "name", "key"], |_| format!("is not known here; write {CONFIG_MAP}")),
    );
    let mut name = |name| {
        let text = place.required(name, CONFIG_MAP).and_then(|field| object_name(&field));
        problems.ok(text)
    };
    let (namespace, name) = (name("namespace"), name("name"));
    let key = problems.or_default(place.read("key", key), DEFAULT_KEY.to_owned());
    Some(DenySource::ConfigMap { namespace: namespace?, name: name?, key })
}

/// The API server's rule for keys of a ConfigMap.
fn key(field: &Field<'_>) -> Result<String, ConfigError> {
    let text = field.text("a key such as deny.yaml")?;
    if text.len() <= 253 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Ok(text.to_owned());
    }
    Err(field.error(format!(
        "{} can't be a key of a ConfigMap; write letters, digits, '-', '_' and '.'",
        quoted(text)
    )))
}

/// Reads deny rules: `{rules: [{namespaces, serviceAccounts, nodes, signers, reason}]}`. A document without
/// content blocks nobody.
///
/// ```
/// use signer_manager::config::deny_rules;
///
/// let rules = deny_rules("rules: [{nodes: [node-7], reason: INC-7}]", "deny.yaml").unwrap();
/// assert_eq!(rules.iter().next().unwrap().to_string(), "node node-7 (INC-7)");
///
/// assert!(deny_rules("# nobody", "deny.yaml").unwrap().is_empty());
/// assert_eq!(
///     deny_rules("rules: [{nodes: []}]", "deny.yaml").unwrap_err(),
///     "deny.yaml:1:9: rules[0]: has an empty list of nodes, so it would block nobody; name some, or leave the list out for all"
/// );
/// ```
///
/// # Errors
/// All that is found wrong, on one line: each with the document's name, line, column and field.
pub fn deny_rules(text: &str, name: &str) -> Result<DenyRules, String> {
    let mut problems = Problems::default();
    let rules = problems.ok(yaml::parse(text)).and_then(|root| document(&Field::root(&root), &mut problems));
    problems.into_result(rules, name).map_err(|errors| on_one_line(&errors))
}

fn document(root: &Field<'_>, problems: &mut Problems) -> Option<DenyRules> {
    if root.is_nothing() {
        return Some(DenyRules::default());
    }
    let root = problems.ok(root.mapping(DOCUMENT))?;
    problems
        .extend(root.unknown(&["rules"], |_| "is not known here; a document of deny rules has rules".into()));
    let rules = problems.ok(root.required("rules", RULES))?;
    if rules.is_nothing() {
        return Some(DenyRules::default());
    }
    Some(rules.list(RULES, problems, rule).into_iter().collect())
}

fn rule(field: &Field<'_>, problems: &mut Problems) -> Option<DenyRule> {
    let rule = problems.ok(field.mapping(RULE))?;
    problems.extend(
        rule.unknown(&RULE_FIELDS, |_| format!("is not known here; a rule has {}", RULE_FIELDS.join(", "))),
    );
    let selector = DenySelector {
        namespaces: names(&rule, "namespaces", problems, namespace)?,
        namespace_selector: match rule.get("namespaceSelector") {
            Some(field) => Some(label_selector(&field, problems)?),
            None => None,
        },
        service_accounts: names(&rule, "serviceAccounts", problems, service_account)?,
        nodes: names(&rule, "nodes", problems, node)?,
        signers: names(&rule, "signers", problems, signer)?,
    };
    let reason = problems.ok(rule.read("reason", reason))?;
    problems.ok(DenyRule::new(selector, reason).map_err(|error| field.error(error.to_string())))
}

/// The names of a list. `None` inside: there is no such list; outside: it is wrong.
fn names(
    rule: &Mapping<'_>,
    name: &str,
    problems: &mut Problems,
    read: fn(&Field<'_>) -> Result<String, ConfigError>,
) -> Option<Option<Vec<String>>> {
    let Some(field) = rule.get(name) else { return Some(None) };
    let items = problems.ok(field.items("a list of names, or [\"*\"] for all"))?;
    let count = items.len();
    let names: Vec<_> = items.iter().filter_map(|item| problems.ok(read(item))).collect();
    (names.len() == count).then_some(Some(names))
}

fn node(field: &Field<'_>) -> Result<String, ConfigError> {
    let text = field.text("a node's name, or \"*\" alone for all")?;
    if text == "*" { Ok(text.to_owned()) } else { object_name(field) }
}

fn signer(field: &Field<'_>) -> Result<String, ConfigError> {
    let accepted = "a signer's name, such as row-major.net/spiffe, or \"*\" alone for all";
    let text = field.text(accepted)?;
    if text != "*" {
        let _: SignerName = field.parse(accepted)?;
    }
    Ok(text.to_owned())
}

/// A number is a reason too, that of a ticket.
fn reason<'a>(field: &Field<'a>) -> Result<&'a str, ConfigError> {
    match field.value() {
        Value::Number(text) => Ok(text),
        Value::Nothing => Ok(""),
        Value::Text(text) => Ok(text),
        _ => Err(field.error("must be a text; write why the rule is there, such as INC-7")),
    }
}

/// So many errors are shown: `/readyz` has a line for each signer.
const MAX_ERRORS_SHOWN: usize = 5;

fn on_one_line(errors: &ConfigErrors) -> String {
    let separator = |error: &ConfigError| if error.position.is_some() { ":" } else { ": " };
    let shown = errors.errors.iter().take(MAX_ERRORS_SHOWN);
    let shown = shown.map(|error| format!("{}{}{error}", errors.file, separator(error)));
    let mut shown = shown.collect::<Vec<_>>().join("; ");
    if let Some(more @ 1..) = errors.errors.len().checked_sub(MAX_ERRORS_SHOWN) {
        shown = format!("{shown}; and {more} more errors");
    }
    shown
}

#[cfg(test)]
mod tests;

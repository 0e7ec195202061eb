//! The user annotation by which a pod's author picks Services.

use std::collections::BTreeMap;

use signer_core::{Denial, MAX_NAMES, SignerName, names::is_dns_label};

/// The item of the annotation's key, `<signer name>-services`.
const ITEM: &str = "services";

/// The names in the annotation, in its order: `None` without it, which stands for all Services that select the pod.
///
/// # Errors
/// A refusal for any other user annotation, and for a value that isn't a comma-separated list of Services' names, each of them once. Spaces around
/// a name are allowed.
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
mod tests {
    use proptest::prelude::*;
    use signer_core::{Grounds, reasons};

    use super::*;

    fn parse(annotations: &BTreeMap<String, String>) -> Result<Option<Vec<&str>>, Denial> {
        picked_services(&"example.com/web".parse().unwrap(), annotations)
    }

    fn annotation(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn reads_a_list_with_spaces() {
        assert_eq!(parse(&BTreeMap::new()), Ok(None));
        for value in ["a,b-1", "a, b-1", " a ,b-1 "] {
            assert_eq!(
                parse(&annotation("example.com/web-services", value)),
                Ok(Some(vec!["a", "b-1"])),
                "{value}"
            );
        }
    }

    #[test]
    fn refuses_with_key_value_rule_and_what_is_accepted() {
        let many = (0..101).map(|i| format!("s{i}")).collect::<Vec<_>>().join(",");
        for (value, rule) in [
            ("", "it is empty"),
            (" ", "it is empty"),
            ("a,", "\"\" is no Service's name"),
            (",", "\"\" is no Service's name"),
            ("a,,b", "\"\" is no Service's name"),
            ("A", "\"A\" is no Service's name"),
            ("a b", "\"a b\" is no Service's name"),
            ("a;b", "\"a;b\" is no Service's name"),
            ("a.shop", "\"a.shop\" is no Service's name"),
            ("-a", "\"-a\" is no Service's name"),
            ("a\n", "\"a\\n\" is no Service's name"),
            ("*", "\"*\" is no Service's name"),
            ("a, b, a", "\"a\" is there twice"),
            (many.as_str(), "more than 100 Services"),
        ] {
            let denial = parse(&annotation("example.com/web-services", value)).unwrap_err();
            assert_eq!(
                (denial.reason, denial.grounds),
                (reasons::INVALID_UNVERIFIED_USER_ANNOTATIONS, Grounds::Fixed)
            );
            let message = denial.message;
            let start = format!(
                "user annotation example.com/web-services is {:?}",
                value.chars().take(317).collect::<String>()
            );
            assert!(
                message.starts_with(&start) && message.contains(rule) && message.contains("such as"),
                "{message}"
            );
        }
    }

    #[test]
    fn knows_no_other_annotation() {
        for key in
            ["example.com/web-service", "example.com/web", "example.com/services", "example.org/web-services"]
        {
            let mut annotations = annotation(key, "x");
            annotations.insert("example.com/web-services".into(), "a".into());
            let denial = parse(&annotations).unwrap_err();
            let text = format!(
                "user annotation {key:?} is unknown to this signer; it takes example.com/web-services"
            );
            assert!(denial.message.starts_with(&text), "{}", denial.message);
            let is_near = key == "example.com/web-service";
            assert_eq!(denial.message.contains("Did you mean"), is_near, "{}", denial.message);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_a_list_of_labels(value in "[a-z0-9, -]{0,40}|\\PC{0,20}") {
            if let Ok(Some(names)) = parse(&annotation("example.com/web-services", &value)) {
                prop_assert!(!names.is_empty());
                let is_label = |name: &&str| format!("{name}.shop.svc").parse::<signer_core::DnsName>().is_ok();
                prop_assert!(names.iter().all(is_label));
                let written: Vec<_> = value.split(',').map(str::trim).collect();
                prop_assert_eq!(names, written);
            }
        }
    }
}

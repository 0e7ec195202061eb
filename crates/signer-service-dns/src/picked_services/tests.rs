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
        let text =
            format!("user annotation {key:?} is unknown to this signer; it takes example.com/web-services");
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

use proptest::prelude::*;

use super::*;

#[test]
fn covers_a_name_one_label_or_everything() {
    for (pattern, name, covered) in [
        ("example.com", "example.com", true),
        ("example.com", "www.example.com", false),
        ("example.com", "badexample.com", false),
        ("*.example.com", "www.example.com", true),
        ("*.example.com", "*.example.com", true),
        ("*.example.com", "example.com", false),
        ("*.example.com", "a.b.example.com", false),
        ("*.example.com", "*.b.example.com", false),
        ("*.example.com", "www.example.com.evil", false),
        ("*.example.com", "wwwexample.com", false),
        ("*", "a.b.example.com", true),
        ("*", "localhost", true),
        ("localhost", "localhost", true),
    ] {
        let parsed: DnsPattern = pattern.parse().unwrap();
        assert_eq!(parsed.matches(&name.parse().unwrap()), covered, "{pattern} {name}");
    }
}

#[test]
fn refuses_with_the_rule_and_what_is_accepted() {
    for pattern in
        ["", "**", "*.*.com", "a.*.com", "*a.com", "Example.com", "example.com.", "192.0.2.1", "*."]
    {
        let error = pattern.parse::<DnsPattern>().unwrap_err().to_string();
        assert!(error.contains("is not a valid DNS name") && error.contains("* for everything"), "{error}");
    }
}

proptest! {
    #[test]
    fn covers_what_label_by_label_comparison_covers(
        pattern in "(\\*\\.)?[ab](\\.[ab]){0,2}",
        name in "(\\*\\.)?[ab](\\.[ab]){0,3}",
    ) {
        let labels: Vec<&str> = name.split('.').collect();
        let covered = pattern.split('.').count() == labels.len()
            && pattern.split('.').zip(labels).all(|(pattern, label)| pattern == "*" || pattern == label);
        let parsed: DnsPattern = pattern.parse().unwrap();
        prop_assert_eq!(parsed.matches(&name.parse().unwrap()), covered);
    }
}

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> Vec<String> {
    deny_rules(text, "d.yaml").unwrap().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn assert_error(text: &str, expected: &str) {
    let error = deny_rules(text, "d.yaml").unwrap_err();
    assert_eq!(error.strip_prefix("d.yaml:"), Some(expected), "in {text}: {error}");
}

#[test]
fn a_document_without_content_blocks_nobody() {
    for text in
        ["", "\n", "# nobody\n", "---\n", "rules:", "rules: []", "rules:\n# - namespaces: [evil]\n", "null"]
    {
        assert_eq!(shown(text), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn rules_are_read_in_their_order() {
    let text = "
rules:
- namespaces: [evil, bad]
  reason: INC-7, see the wiki
- serviceAccounts: [build.bot]
  namespaces: [ci]
- nodes: [node-7.example.com]
  signers: [row-major.net/spiffe]
  reason: 4711
- namespaces: ['*']
";
    assert_eq!(
        shown(text),
        [
            "namespaces bad, evil (INC-7, see the wiki)",
            "namespace ci; service account build.bot (no reason given)",
            "node node-7.example.com; signer row-major.net/spiffe (4711)",
            "every namespace (no reason given)",
        ]
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let nothing = "names neither namespaces, namespaceSelector, serviceAccounts, nodes nor signers, so it would block every pod; \
                   name some, or write namespaces: [\"*\"] if every pod is meant";
    for (text, error) in [
        ("rules: [{}]", format!("1:9: rules[0]: {nothing}")),
        ("rules: [{reason: x}]", format!("1:9: rules[0]: {nothing}")),
        ("rules:\n- namespaces: []", "2:3: rules[0]: has an empty list of namespaces, so it would block nobody; name some, or leave the list out for all".into()),
        ("[{namespaces: [a]}]", format!("1:1: is a list; write {DOCUMENT}")),
        ("evil", format!("1:1: \"evil\" is a text; write {DOCUMENT}")),
        ("{}", format!("1:1: rules: is missing; write {RULES}")),
        ("rule: []\nrules: []", "1:1: rule: is not known here; a document of deny rules has rules".into()),
        ("rules: {namespaces: [a]}", format!("1:8: rules: is a mapping; write {RULES}")),
        ("rules: [evil]", format!("1:9: rules[0]: \"evil\" is a text; write {RULE}")),
        ("rules: [{namespaces: evil}]", "1:22: rules[0].namespaces: \"evil\" is a text; write a list of names, or [\"*\"] for all".into()),
        ("rules: [{namespaces: [Evil]}]", "1:23: rules[0].namespaces[0]: \"Evil\" is no name; write a namespace's name (1 to 63 lowercase letters, digits or '-'), or \"*\" alone for all".into()),
        ("rules: [{namespaces: [team-*]}]", "1:23: rules[0].namespaces[0]: \"team-*\" is no name; write a namespace's name (1 to 63 lowercase letters, digits or '-'), or \"*\" alone for all".into()),
        ("rules: [{nodes: [a/b]}]", "1:18: rules[0].nodes[0]: \"a/b\" is no name of a Kubernetes object; write lowercase letters, digits, '-' and '.'".into()),
        ("rules: [{nodes: [1]}]", "1:18: rules[0].nodes[0]: 1 is a number; write a node's name, or \"*\" alone for all".into()),
        ("rules: [{namespaces: [a], node: [b]}]", "1:27: rules[0].node: is not known here; a rule has namespaces, namespaceSelector, serviceAccounts, nodes, signers, reason".into()),
        ("rules: [{namespaces: [a], reason: [b]}]", "1:35: rules[0].reason: must be a text; write why the rule is there, such as INC-7".into()),
        ("rules: [", "1:8: unclosed bracket '['".into()),
    ] {
        assert_error(text, &error);
    }
    let error = deny_rules("rules: [{signers: [spiffe]}]", "d.yaml").unwrap_err();
    assert!(error.starts_with("d.yaml:1:20: rules[0].signers[0]: "), "{error}");
}

#[test]
fn a_document_full_of_errors_is_told_on_one_line() {
    let error = deny_rules(&format!("rules: [{}]", vec!["{}"; 40].join(", ")), "d.yaml").unwrap_err();
    assert!(error.lines().count() == 1 && error.ends_with("; and 35 more errors"), "{error}");
}

proptest! {
    #[test]
    fn every_text_is_rules_or_has_an_error_on_one_line(
        text in "(rules:|\n?- |namespaces: |nodes: |reason: |\\[a\\]|\\[\\]|\\*|\"|\n  |[a-z:{},#0-9]){0,30}|\\PC{0,60}",
    ) {
        if let Err(error) = deny_rules(&text, "d.yaml") {
            prop_assert!(error.starts_with("d.yaml:"), "{}", error);
        }
    }
}

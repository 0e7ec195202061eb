//! What is wrong with the document as a whole.

use std::fmt::Write;

use proptest::prelude::*;
use signer_manager::Config;

use super::assert_errors;

#[test]
fn what_is_no_yaml_is_told_where_it_ends_to_be_yaml() {
    for (text, error) in [
        ("signers: [", "1:10: unclosed bracket '['"),
        ("a: 'x", "1:4: unclosed quote"),
        ("signers:\n\t- a", "2:2: tabs disallowed within this context (block indentation)"),
        ("signers:\n- name: a\n   kind: b", "3:8: mapping values are not allowed in this context"),
        ("signers: !foo []", "1:15: unsupported tag `!foo`"),
        ("signers: []\n---\nsigners: []", "3:1: a second YAML document begins here; the file may hold one"),
        ("signers: []\nsigners: []", "2:1: \"signers\" is there twice in this mapping; leave one of them"),
        ("signers:\n- name: a\n  name: a", "3:3: \"name\" is there twice in this mapping; leave one of them"),
        ("signers: &a [*a]", "1:14: Recursive reference not allowed here"),
    ] {
        assert_errors(text, &[error]);
    }
}

#[test]
fn a_star_without_quotes_is_recognised() {
    for (text, error) in [
        (
            "signers: [{allow: [{namespaces: [*]}]}]",
            "1:34: while scanning an anchor or alias, did not find expected alphabetic or numeric character",
        ),
        ("signers: [{grants: [{dnsNames: [*.example.com]}]}]", "1:33: reference to unknown value"),
    ] {
        assert_errors(
            text,
            &[&format!("{error}: '*' begins an alias in YAML; write a text such as \"*\" in quotes")],
        );
    }
}

#[test]
fn the_top_level_is_a_mapping_with_signers() {
    let list = "a list of {name: <domain>/<path>, kind: <kind>, caPool: {...}}";
    for (text, errors) in [
        ("", vec!["1:1: is empty; write a mapping with signers".to_owned()]),
        ("[]", vec!["1:1: is a list; write a mapping with signers".to_owned()]),
        ("text", vec!["1:1: \"text\" is a text; write a mapping with signers".to_owned()]),
        ("clusterDomain: a.b", vec![format!("1:1: signers: is missing; write {list}")]),
        ("signers:", vec![format!("1:8: signers: is empty; write {list}")]),
        ("signers: {}", vec![format!("1:10: signers: is a mapping; write {list}")]),
        (
            "signers: []",
            vec![
                "1:10: signers: is empty, so there would be nothing to do; name one signer at least"
                    .to_owned(),
            ],
        ),
        (
            "signer: []\nsigners: []",
            vec![
                "1:1: signer: is not known here; a configuration has clusterDomain, clusterName, deny and signers"
                    .to_owned(),
                "2:10: signers: is empty, so there would be nothing to do; name one signer at least"
                    .to_owned(),
            ],
        ),
    ] {
        assert_errors(text, &errors.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn the_cluster_domain_is_a_dns_name() {
    let signer = "\nsigners:\n- name: example.com/a\n  kind: annotation\n  caPool: {file: a}";
    let accepted = "the domain that kubelet's clusterDomain has, such as cluster.local";
    for (value, error) in [
        ("Cluster.local", "\"Cluster.local\" is not a valid DNS name: write it in lowercase".to_owned()),
        ("svc", "\"svc\" is the suffix of short Service names; write the domain that kubelet's clusterDomain has, such as cluster.local".to_owned()),
        ("'*.local'", format!("\"*.local\" is a wildcard; write {accepted}")),
        ("1.5", format!("1.5 is a number; write {accepted}")),
        ("''", format!("is empty; write {accepted}")),
        ("[a]", format!("is a list; write {accepted}")),
    ] {
        assert_errors(
            &format!("clusterDomain: {value}{signer}"),
            &[&format!("1:16: clusterDomain: {error}")],
        );
    }
}

#[test]
fn deny_rules_are_in_one_place() {
    let signer = "\nsigners:\n- name: example.com/a\n  kind: service-dns\n  caPool: {file: a}";
    let accepted = "{configMap: {namespace: <namespace>, name: <name>}}, or {file: <path>}";
    let config_map = "{namespace: <namespace>, name: <name>} and, where it isn't deny.yaml, key: <key>";
    for (value, errors) in [
        ("{}", vec![format!("1:7: deny: names not one place; write {accepted}")]),
        ("{file: a, configMap: {namespace: b, name: c}}", vec![format!("1:7: deny: names not one place; write {accepted}")]),
        ("[]", vec![format!("1:7: deny: is a list; write {accepted}")]),
        ("{rules: []}", vec![
            format!("1:7: deny: names not one place; write {accepted}"),
            format!("1:8: deny.rules: is not known here; write {accepted}"),
        ]),
        ("{configMap: {}}", vec![
            format!("1:19: deny.configMap.namespace: is missing; write {config_map}"),
            format!("1:19: deny.configMap.name: is missing; write {config_map}"),
        ]),
        ("{configMap: {namespace: a/b, name: c, key: ../d}}", vec![
            "1:31: deny.configMap.namespace: \"a/b\" is no name of a Kubernetes object; write lowercase letters, digits, '-' and '.'".into(),
            "1:50: deny.configMap.key: \"../d\" can't be a key of a ConfigMap; write letters, digits, '-', '_' and '.'".into(),
        ]),
    ] {
        assert_errors(&format!("deny: {value}{signer}"), &errors.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn aliases_expand_to_so_much_and_no_more() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let errors = Config::parse(&text, "f.yaml").unwrap_err();
    assert!(errors.to_string().contains("too large or too complex"), "{errors}");
}

#[test]
fn depth_and_length_are_bounded() {
    for text in [
        "[".repeat(10_000),
        "- ".repeat(10_000),
        "{a: ".repeat(10_000),
        "a:\n".repeat(300_000),
        "#".repeat((1 << 20) + 1),
    ] {
        assert!(Config::parse(&text, "f.yaml").is_err(), "{}", &text[..20]);
    }
}

#[test]
fn a_file_full_of_errors_is_told_in_fifty_lines() {
    let text = (0..1000).fold(String::new(), |text, i| format!("{text}x{i}: 1\n"));
    let errors = Config::parse(&text, "f.yaml").unwrap_err().to_string();
    assert_eq!(errors.lines().count(), 51);
    assert!(errors.ends_with("\nf.yaml: and 951 more errors"), "{errors}");
}

proptest! {
    #[test]
    fn every_text_is_a_configuration_or_has_an_error(
        text in "([a-zA-Z*&!%'\"{}\\[\\],:.?|>#0-9-]|name: |kind: spiffe|caPool: |signers:\n- |grants: |allow: |\n  ){0,40}|\\PC{0,60}",
    ) {
        if let Err(errors) = Config::parse(&text, "f.yaml") {
            prop_assert!(!errors.errors.is_empty());
            let lines = text.lines().count().max(1) as u64 + 1;
            let is_inside = |line: u64| (1..=lines).contains(&line);
            prop_assert!(errors.errors.iter().all(|error| error.position.is_none_or(|position| is_inside(position.line))));
        }
    }
}

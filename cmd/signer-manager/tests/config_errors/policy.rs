//! What is wrong with what every signer has: lifetimes, key types, and who may use it.

use super::{assert_errors, signer};

/// Checks the error of a field in line 5.
#[track_caller]
fn assert_field_errors(fields: &str, errors: &[&str]) {
    assert_errors(&signer("service-dns", fields), errors);
}

#[test]
fn a_lifetime_is_within_the_apis_bounds() {
    let accepted = "write a duration from 1h to 2184h (91 days), such as 24h";
    for (value, error) in [
        ("59m59s", format!("\"59m59s\" is out of bounds; {accepted}")),
        ("2184h1s", format!("\"2184h1s\" is out of bounds; {accepted}")),
        ("0s", format!("\"0s\" is out of bounds; {accepted}")),
        ("24", format!("24 is a number; {accepted}")),
        ("", format!("is empty; {accepted}")),
        (
            "91d",
            "\"91d\" is not a valid duration; write it as Kubernetes does, for example 24h, 90m or 1h30m"
                .to_owned(),
        ),
        (
            "-24h",
            "\"-24h\" is not a valid duration; write it as Kubernetes does, for example 24h, 90m or 1h30m"
                .to_owned(),
        ),
        ("1h1500ms", "\"1h1500ms\" has a fraction of a second; write whole seconds".to_owned()),
    ] {
        let column = if value.is_empty() { 14 } else { 16 };
        assert_field_errors(
            &format!("maxLifetime: {value}"),
            &[&format!("5:{column}: signers[0].maxLifetime: {error}")],
        );
    }
}

#[test]
fn a_refresh_is_a_share_or_a_duration_inside_the_lifetime() {
    let accepted =
        "write a share of the lifetime from \"1%\" to \"99%\", or a duration before expiry, such as 1h";
    for value in ["0%", "100%", "120%", "12.5%", "-1%", "+1%", "%"] {
        let fields = format!("refreshAt: \"{value}\"");
        assert_field_errors(
            &fields,
            &[&format!("5:14: signers[0].refreshAt: \"{value}\" is no share of the lifetime; {accepted}")],
        );
    }
    let rule =
        "before expiry is out of bounds: a refresh begins at least 10m inside both ends of the lifetime";
    for (fields, error) in [
        ("refreshAt: 9m", format!("\"9m\" {rule}; write 10m to 23h50m, or a share such as \"50%\"")),
        ("refreshAt: 24h", format!("\"24h\" {rule}; write 10m to 23h50m, or a share such as \"50%\"")),
        (
            "refreshAt: 51m\nmaxLifetime: 1h",
            format!("\"51m\" {rule}; write 10m to 50m, or a share such as \"50%\""),
        ),
        (
            "refreshAt: half",
            "\"half\" is not a valid duration; write it as Kubernetes does, for example 24h, 90m or 1h30m"
                .to_owned(),
        ),
        ("refreshAt: 50", format!("50 is a number; {accepted}")),
    ] {
        assert_field_errors(fields, &[&format!("5:14: signers[0].refreshAt: {error}")]);
    }
}

#[test]
fn a_refresh_is_not_measured_by_a_lifetime_that_is_wrong_itself() {
    assert_field_errors(
        "refreshAt: 30h\nmaxLifetime: 2d",
        &[
            "6:16: signers[0].maxLifetime: \"2d\" is not a valid duration; write it as Kubernetes does, for example 24h, 90m or 1h30m",
        ],
    );
}

#[test]
fn a_clock_skew_is_four_minutes_at_most() {
    let error =
        "5:14: signers[0].clockSkew: \"4m1s\" is out of bounds; write a duration from 0s to 4m, such as 2m";
    assert_field_errors("clockSkew: 4m1s", &[error]);
}

#[test]
fn key_types_are_those_of_pods() {
    let all = "RSA3072, RSA4096, ECDSAP256, ECDSAP384, ECDSAP521, ED25519";
    assert_field_errors(
        "keyTypes: [ECDSAP256, RSA2048, ecdsap256, 5]",
        &[
            &format!("5:25: signers[0].keyTypes[1]: \"RSA2048\" is not a key type; the key types are {all}"),
            &format!(
                "5:34: signers[0].keyTypes[2]: \"ecdsap256\" is not a key type; the key types are {all}"
            ),
            &format!("5:45: signers[0].keyTypes[3]: 5 is a number; write one of {all}"),
        ],
    );
    let accepted = format!("write a list of {all}, or leave it out for all");
    assert_field_errors(
        "keyTypes: []",
        &[&format!("5:13: signers[0].keyTypes: is empty, so no pod could use the signer; {accepted}")],
    );
    assert_field_errors(
        "keyTypes: ED25519",
        &[&format!("5:13: signers[0].keyTypes: \"ED25519\" is a text; {accepted}")],
    );
}

#[test]
fn who_may_use_a_signer_is_said_in_so_many_words() {
    let (namespaces, accounts) = (
        "write a list of namespaces, such as [web], or [\"*\"] for all",
        "write a list of service accounts, such as [server], or [\"*\"] for all",
    );
    for (entry, errors) in [
        ("web", vec!["5:11: signers[0].allow[0]: \"web\" is a text; write {namespaces: [...], serviceAccounts: [...]}".to_owned()]),
        ("{namespaces: [web]}", vec![format!("5:11: signers[0].allow[0].serviceAccounts: is missing; {accounts}")]),
        (
            "{namespaces: web, serviceAccounts: []}",
            vec![
                format!("5:24: signers[0].allow[0].namespaces: \"web\" is a text; {namespaces}"),
                format!("5:46: signers[0].allow[0].serviceAccounts: is empty, so the entry is for nobody; {accounts}"),
            ],
        ),
        (
            "{namespaces: [web-*], serviceAccounts: [Server]}",
            vec![
                "5:25: signers[0].allow[0].namespaces[0]: \"web-*\" is no name; write a namespace's name (1 to 63 lowercase letters, digits or '-'), \
                 or \"*\" alone for all"
                    .to_owned(),
                "5:51: signers[0].allow[0].serviceAccounts[0]: \"Server\" is no name; write a service account's name (lowercase letters, digits, '-' \
                 or '.'), or \"*\" alone for all"
                    .to_owned(),
            ],
        ),
        (
            "{namespaces: [a], serviceAccounts: [b], nodes: [c]}",
            vec!["5:51: signers[0].allow[0].nodes: is not known here; an entry has namespaces or namespaceSelector, and serviceAccounts".to_owned()],
        ),
    ] {
        assert_field_errors(&format!("allow: [{entry}]"), &errors.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn a_namespace_selector_is_that_of_kubernetes() {
    let selector = "write {matchLabels: {<key>: <value>}}, and matchExpressions as Kubernetes has them";
    for (entry, error) in [
        ("{}", format!("5:53: signers[0].allow[0].namespaceSelector: requires nothing, so it would select every namespace; {selector}")),
        ("{team: shop}", format!("5:54: signers[0].allow[0].namespaceSelector.team: is not known here; {selector}")),
        (
            "{matchLabels: {-team: shop}}",
            "5:75: signers[0].allow[0].namespaceSelector.matchLabels.-team: \"-team\" can't be the key of a label".to_owned(),
        ),
        (
            "{matchLabels: {team: a b}}",
            "5:74: signers[0].allow[0].namespaceSelector.matchLabels.team: \"a b\" can't be the value of a label".to_owned(),
        ),
        (
            "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}",
            "5:73: signers[0].allow[0].namespaceSelector.matchExpressions[0]: has values that don't fit its operator: In and NotIn take one at least, \
             Exists and DoesNotExist none"
                .to_owned(),
        ),
    ] {
        let text = format!("allow: [{{serviceAccounts: [b], namespaceSelector: {entry}}}]");
        assert_field_errors(&text, &[&error]);
    }
    let good = "allow: [{serviceAccounts: [b], namespaceSelector: {matchLabels: {team: shop}, \
                matchExpressions: [{key: a/b, operator: NotIn, values: [c]}]}}]";
    let config = signer_manager::Config::parse(&signer("service-dns", good), "signers.yaml").unwrap();
    assert!(config.signers[0].reads_namespaces());
}

#[test]
fn an_allow_without_a_value_does_not_mean_everybody() {
    assert_field_errors(
        "allow:\n# - {namespaces: [web], serviceAccounts: [server]}",
        &[
            "5:8: signers[0].allow: is empty; write a list such as [{namespaces: [web], serviceAccounts: [\"*\"]}]",
        ],
    );
}

#[test]
fn a_cluster_issuer_has_a_url_and_an_oid_of_its_own() {
    const URL: &str = "clusterIssuerURL: https://oidc.example.com";
    for (fields, error) in [
        (
            URL,
            "5:21: signers[0].clusterIssuerURL: needs clusterIssuerOID beside it: an object identifier of your own, such as 1.3.6.1.4.1.<your number>.1",
        ),
        (
            "clusterIssuerOID: 1.3.6.1.4.1.32473.1",
            "5:21: signers[0].clusterIssuerOID: needs clusterIssuerURL beside it: the URL of the cluster's OIDC issuer, such as https://oidc.example.com/prod",
        ),
        (
            "clusterIssuerURL: http://oidc.example.com\nclusterIssuerOID: 1.3.6.1.4.1.32473.1",
            "5:21: signers[0].clusterIssuerURL: an OIDC issuer's URL begins with https://, has no query and no fragment, and 512 bytes at most",
        ),
        (
            &format!("{URL}\nclusterIssuerOID: 2.5.29.17"),
            "6:21: signers[0].clusterIssuerOID: extensions of that arc mean something to verifiers; take one of your own, under 1.3.6.1.4.1.<your number>",
        ),
    ] {
        assert_field_errors(fields, &[error]);
    }
    assert_errors(
        &signer("pod-identity", &format!("{URL}\nclusterIssuerOID: 1.3.6.1.4.1.57683.1")),
        &[
            "6:21: signers[0].clusterIssuerOID: is that of an extension which this signer's certificates have already; take another",
        ],
    );
}

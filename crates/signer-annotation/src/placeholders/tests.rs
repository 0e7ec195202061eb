use proptest::prelude::*;
use signer_core::testing::RequestBuilder;

use super::*;

fn expand(text: &str, change: impl FnOnce(&mut Pod)) -> Result<String, PlaceholderError> {
    let (_, pod) = RequestBuilder::new("example.com/a").pod(change).parts();
    Placeholders { pod: &pod, cluster_domain: &"cluster.local".parse().unwrap() }.expand(text)
}

#[test]
fn each_stands_for_a_fact() {
    for (text, expanded) in [
        ("${pod.name}", "web-0"),
        ("${pod.namespace}", "shop"),
        ("${pod.uid}", "8a9ef1a5-6f3c-4c5d-9d07-000000000001"),
        ("${pod.hostname}", "web-0"),
        ("${pod.serviceAccountName}", "server"),
        ("${node.name}", "node-1"),
        ("${cluster.domain}", "cluster.local"),
        ("a-${pod.name}.${pod.namespace}-b", "a-web-0.shop-b"),
        ("$pod.name }{ $", "$pod.name }{ $"),
        ("$${pod.name}}", "$web-0}"),
    ] {
        assert_eq!(expand(text, |_| ()).as_deref(), Ok(expanded), "{text}");
    }
}

#[test]
fn refuses_what_stands_for_nothing() {
    for (text, rule) in [
        ("${pod.ip}", "\"${pod.ip}\" is not a placeholder; the placeholders are ${pod.name}"),
        ("a.${cluster.fqdn}", "${cluster.fqdn} is not a placeholder; write ${cluster.domain}"),
        ("${}", "\"${}\" is not a placeholder"),
        ("${ pod.name }", "is not a placeholder"),
        ("${POD.NAME}", "is not a placeholder"),
        ("${${pod.name}}", "\"${${pod.name}\" is not a placeholder"),
        ("a.${pod.name", "\"a.${pod.name\" has a ${ without its }"),
        ("${pod.name}.${", "without its }"),
    ] {
        let error = expand(text, |_| ()).unwrap_err().to_string();
        assert!(error.contains(rule), "{text}: {error}");
    }
}

#[test]
fn the_hostname_is_the_specs_or_a_name_that_could_be_one() {
    let hostname = |change: fn(&mut Pod)| expand("${pod.hostname}", change);
    assert_eq!(hostname(|pod| pod.hostname = Some("db".into())).as_deref(), Ok("db"));
    assert!(matches!(hostname(|pod| pod.name = "web.0".into()), Err(PlaceholderError::NoHostname(_))));
    assert!(matches!(hostname(|pod| pod.name = "a".repeat(64)), Err(PlaceholderError::NoHostname(_))));
}

#[test]
fn stops_at_what_no_name_can_be() {
    let text = "${pod.uid}".repeat(25_000);
    assert!(matches!(expand(&text, |_| ()), Err(PlaceholderError::TooLong(_))));
    assert!(matches!(expand(&"a".repeat(2049), |_| ()), Err(PlaceholderError::TooLong(_))));
    assert!(expand(&"a".repeat(2048), |_| ()).is_ok());
}

proptest! {
    #[test]
    fn values_are_not_looked_into_again(parts in proptest::collection::vec("[a-z.{}]{0,3}", 0..6), hostname in "[${}a-z.]{0,12}") {
        let expanded = expand(&parts.join("${pod.hostname}"), |pod| pod.hostname = Some(hostname.clone()));
        prop_assert_eq!(expanded, Ok(parts.join(&hostname)));
    }

    #[test]
    fn takes_any_text(text in "(\\PC|\\$\\{|\\}|pod\\.name){0,40}") {
        if let Ok(expanded) = expand(&text, |_| ()) {
            prop_assert!(expanded.len() <= LONGEST);
            prop_assert!(!text.contains(CLUSTER_DOMAIN) || expanded.contains("cluster.local"));
        }
    }
}

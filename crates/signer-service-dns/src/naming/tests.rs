use proptest::prelude::*;

use super::*;

fn naming(suffixes: &[&str], pod_names: bool) -> Result<Naming, NamingError> {
    Naming::new(suffixes.iter().map(|suffix| suffix.parse().unwrap()), pod_names)
}

#[test]
fn suffixes_are_there_and_each_once() {
    assert_eq!(naming(&[], false), Err(NamingError::NoSuffix));
    assert_eq!(naming(&["svc", "svc"], false), Err(NamingError::Duplicate(DnsSuffix::default())));
}

#[test]
fn a_pods_name_is_never_another_services() {
    let suffixes = ["svc.example.com", "example.com"];
    let error = naming(&suffixes, true).unwrap_err().to_string();
    assert!(error.contains("under example.com") && error.contains("under svc.example.com"), "{error}");
    assert!(naming(&suffixes, false).is_ok());
    assert!(naming(&["svc", "svc.cluster.local", "cluster.test"], true).is_ok());
}

#[test]
fn a_pods_name_that_is_too_long_is_left_out() {
    let (long, suffix) = ("a".repeat(63), format!("{}.com", "b".repeat(63)));
    let naming = naming(&[&suffix], true).unwrap();
    let names =
        naming.names(&long, [long.as_str()].into_iter(), Some(&format!("{long}.{long}.{long}"))).unwrap();
    assert_eq!(names.len(), 1);
}

proptest! {
    #[test]
    fn no_two_services_or_pods_share_a_name(
        suffixes in proptest::collection::btree_set("svc|[ab]\\.[ab](\\.[ab])?", 1..4),
        (service, namespace) in ("[ab]", "[ab]"),
        (hostname, subdomain, pods_namespace) in ("[ab]", "[ab]", "[ab]"),
    ) {
        let suffixes: Vec<_> = suffixes.iter().map(String::as_str).collect();
        if let Ok(naming) = naming(&suffixes, true) {
            let of_service = naming.names(&namespace, [service.as_str()].into_iter(), None).unwrap();
            let stable = format!("{hostname}.{subdomain}.{pods_namespace}");
            let of_pod = naming.names(&pods_namespace, std::iter::empty(), Some(&stable)).unwrap();
            prop_assert!(of_service.is_disjoint(&of_pod), "{of_service:?} {of_pod:?}");
        }
    }
}

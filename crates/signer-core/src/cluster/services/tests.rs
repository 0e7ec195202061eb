use proptest::prelude::*;

use super::*;
use crate::api::object::read_object;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn names(services: &[Arc<Service>]) -> Vec<&str> {
    services.iter().map(|service| service.name()).collect()
}

#[test]
fn external_and_selectorless_services_select_nothing() {
    let external =
        br#"{"metadata":{"name":"a","namespace":"b"},"spec":{"type":"ExternalName","selector":{"app":"a"}}}"#;
    let external = read_object::<NamespacedService>(external).unwrap().service;
    assert!(!external.selects(&labels(&[("app", "a")])));
    assert!(!Service::new("none", [("", ""); 0]).selects(&labels(&[("app", "a")])));
}

#[test]
fn only_what_counts_is_read() {
    let json = br#"{"metadata":{"name":"web","namespace":"shop","managedFields":[{"time":"9999-12-31T00:00:00Z"},7],"annotations":5},
            "spec":{"selector":{"app":"web"},"clusterIP":"None","ports":"?"},"status":[]}"#;
    let read = read_object::<NamespacedService>(json).unwrap();
    let service = Service::new("web", [("app", "web")]).headless();
    assert_eq!(read, NamespacedService { namespace: "shop".into(), service });
}

#[test]
fn a_selector_that_cannot_be_kept_is_named_without_its_content() {
    for selector in [r#"{"canary":7}"#.to_owned(), format!(r#"{{"canary":"{}"}}"#, "x".repeat(4096))] {
        let json =
            format!(r#"{{"metadata":{{"name":"a","namespace":"b"}},"spec":{{"selector":{selector}}}}}"#);
        let text = read_object::<NamespacedService>(json.as_bytes()).unwrap_err().to_string();
        assert!(text.starts_with("Service b/a can't be read: ") && !text.contains("canary"), "{text}");
    }
}

#[test]
fn many_small_labels_count_for_what_they_take_in_memory() {
    let tiny: BTreeMap<_, _> = (0..40).map(|i| (i.to_string(), String::new())).collect();
    let json = serde_json::json!({"metadata": {"name": "a", "namespace": "b"}, "spec": {"selector": tiny}});
    let error = read_object::<NamespacedService>(json.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("40 labels"), "{error}");
}

#[test]
fn a_changed_selector_takes_the_place_of_the_old_one() {
    let services: Services = [Service::new("a", [("app", "old")])].into_iter().collect();
    services.insert(Service::new("a", [("app", "new")]));
    assert!(services.selecting(&labels(&[("app", "old")])).is_empty());
    assert_eq!(names(&services.selecting(&labels(&[("app", "new")]))), ["a"]);
    services.remove("a");
    assert!(services.is_empty() && services.read().by_label.is_empty());
}

#[test]
fn a_label_that_all_share_is_not_what_they_are_found_by() {
    let services = Services::default();
    for i in 0..1000 {
        services.insert(Service::new(format!("s{i}"), [("a-team", "x".to_owned()), ("app", i.to_string())]));
    }
    let shared = services.read().by_label["a-team"]["x"].len();
    assert!(shared <= 1, "{shared} of 1000 Services are looked at for every pod of the team");
}

proptest! {
    #[test]
    fn finds_what_a_walk_through_all_finds(
        selectors in proptest::collection::vec(proptest::collection::btree_map("[ab]", "[xy]", 0..3), 0..20),
        removed in proptest::collection::vec(0_usize..20, 0..5),
        pod in proptest::collection::btree_map("[ab]", "[xy]", 0..3),
    ) {
        let services = Services::default();
        let mut all = BTreeMap::new();
        for (i, selector) in selectors.into_iter().enumerate() {
            let service = Service::new(format!("s{i:02}"), selector);
            all.insert(service.name.clone(), service.clone());
            services.insert(service);
        }
        for i in removed {
            all.remove(format!("s{i:02}").as_str());
            services.remove(&format!("s{i:02}"));
        }
        let expected: Vec<&str> = all.values().filter(|service| service.selects(&pod)).map(Service::name).collect();
        let found = services.selecting(&pod);
        prop_assert_eq!(names(&found), expected);
    }
}

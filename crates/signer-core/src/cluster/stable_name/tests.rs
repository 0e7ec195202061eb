use super::*;
use crate::{cluster::Service, testing::RequestBuilder};

fn member() -> Pod {
    let builder = RequestBuilder::new("example.com/a").label("app", "db").pod(|pod| {
        pod.hostname = Some("web-0".into());
        pod.subdomain = Some("db".into());
    });
    builder.parts().1
}

#[test]
fn a_member_of_a_stateful_set_has_one() {
    let services: Services = [Service::new("db", [("app", "db")]).headless()].into_iter().collect();
    assert_eq!(member().stable_name(&services).as_deref(), Some("web-0.db.shop"));
}

#[test]
fn no_name_that_another_pod_could_have() {
    let headless: Services = [Service::new("db", [("app", "db")]).headless()].into_iter().collect();
    let foreign_hostname = Pod { hostname: Some("web-1".into()), ..member() };
    assert_eq!(foreign_hostname.stable_name(&headless), None);
    for service in [Service::new("db", [("app", "db")]), Service::new("db", [("app", "other")]).headless()] {
        assert_eq!(member().stable_name(&[service].into_iter().collect()), None);
    }
    assert_eq!(member().stable_name(&Services::default()), None);
}

#[test]
fn a_hostname_that_reads_as_an_address_makes_none() {
    let headless: Services = [Service::new("db", [("app", "db")]).headless()].into_iter().collect();
    for name in ["10-0-0-5", "2001-db8--1"] {
        let pod = Pod { name: name.into(), hostname: Some(name.into()), ..member() };
        assert_eq!(pod.stable_name(&headless), None, "{name} is the name of the endpoint with that address");
    }
}

use futures::FutureExt;

use super::*;
use crate::api::object::ObjectName;

fn service(namespace: &str, name: &str) -> NamespacedService {
    NamespacedService { namespace: namespace.into(), service: Service::new(name, [("app", "web")]) }
}

fn unreadable(namespace: &str, name: &str) -> Watched<NamespacedService> {
    let name = ObjectName { namespace: namespace.into(), name: name.into() };
    let (resource_version, reason) = (String::new(), "no".into());
    Watched::Unreadable(Unreadable { kind: "Service", name, resource_version, reason })
}

fn listed(index: &ServiceIndex, services: impl IntoIterator<Item = NamespacedService>) {
    let mut listed = ListedServices::default();
    index.take(Watched::Event(Event::Init), &mut listed);
    for service in services {
        index.take(Watched::Event(Event::InitApply(service)), &mut listed);
    }
    index.take(Watched::Event(Event::InitDone), &mut listed);
}

fn count(index: &ServiceIndex) -> Option<usize> {
    let labels = [("app".to_owned(), "web".to_owned())].into();
    index.namespace("shop").map(|services| services.unwrap().selecting(&labels).len())
}

#[test]
fn what_it_lacks_counts_when_it_has_been_filled() {
    let (index, mut listed) = (ServiceIndex::new(), ListedServices::default());
    for event in [Event::Init, Event::InitApply(service("shop", "web")), Event::Init] {
        index.take(Watched::Event(event), &mut listed);
        assert!(index.first_list().now_or_never().is_none());
    }
    index.take(Watched::Event(Event::InitDone), &mut listed);
    assert!(index.first_list().now_or_never().is_some());
    index.take(Watched::Event(Event::Init), &mut listed);
    assert!(index.first_list().now_or_never().is_some());
}

#[test]
fn while_the_watch_fails_nothing_is_known() {
    let index = ServiceIndex::new();
    listed(&index, [service("shop", "web")]);
    assert_eq!(count(&index), Some(1));
    index.take(Watched::Failing, &mut ListedServices::default());
    assert_eq!(count(&index), None);
    listed(&index, []);
    assert_eq!(count(&index), Some(0));
}

#[test]
fn what_cannot_be_read_is_not_absent_and_concerns_its_namespace_alone() {
    let index = ServiceIndex::new();
    let mut arriving = ListedServices::default();
    let name = |namespace| {
        let known: Result<Services, _> = index.namespace(namespace).unwrap();
        known.err().map(|unreadable| unreadable.name.to_string())
    };
    index.take(Watched::Event(Event::Init), &mut arriving);
    index.take(Watched::Event(Event::InitApply(service("shop", "api"))), &mut arriving);
    index.take(unreadable("shop", "web"), &mut arriving);
    index.take(Watched::Event(Event::InitApply(service("other", "web"))), &mut arriving);
    index.take(Watched::Event(Event::InitDone), &mut arriving);
    assert_eq!((name("shop"), name("other")), (Some("shop/web".into()), None));
    // mended
    index.take(Watched::Event(Event::Apply(service("shop", "web"))), &mut arriving);
    assert_eq!((name("shop"), count(&index)), (None, Some(2)));
    // poisoned while it runs, and deleted
    index.take(unreadable("shop", "web"), &mut arriving);
    assert_eq!(name("shop"), Some("shop/web".into()));
    index.take(Watched::Event(Event::Delete(service("shop", "web"))), &mut arriving);
    assert_eq!((name("shop"), count(&index)), (None, Some(1)));
}

#[test]
fn a_namespace_that_a_new_list_lacks_has_changed() {
    let index = ServiceIndex::new();
    listed(&index, [service("shop", "web")]);
    let mut changes = index.changes();
    listed(&index, []);
    assert_eq!(changes.try_recv(), Ok("shop".to_owned()));
}

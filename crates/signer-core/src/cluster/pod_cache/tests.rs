use super::*;
use crate::testing::RequestBuilder;

fn pod(annotation: usize) -> Pod {
    RequestBuilder::new("example.com/a").annotation("a", &"x".repeat(annotation)).parts().1
}

#[test]
fn what_is_kept_of_a_pod_is_bounded_and_a_pod_that_grows_is_not_known_as_it_was() {
    let cache = PodCache::new(["example.com/a".parse().unwrap()]);
    let (mut listed, key) = (HashMap::new(), PodKey::of(&pod(0)));
    for event in [Event::Init, Event::InitApply(pod(LARGEST_KEPT)), Event::InitDone] {
        cache.take(Watched::Event(event), &mut listed);
    }
    assert_eq!(cache.get(&key), None);
    cache.take(Watched::Event(Event::Apply(pod(10))), &mut listed);
    assert!(cache.get(&key).is_some());
    let mut changes = cache.changes();
    cache.take(Watched::Event(Event::Apply(pod(LARGEST_KEPT))), &mut listed);
    assert_eq!((cache.get(&key), changes.try_recv()), (None, Ok(key)));
}

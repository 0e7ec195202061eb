use proptest::prelude::*;

use super::*;

#[test]
fn a_flood_of_one_namespace_silences_itself_alone() {
    let mut queue = EventQueue::new(8, 4);
    let dropped = (0..100).filter_map(|i| queue.push("flood", i)).count();
    assert_eq!(dropped, 96);
    assert_eq!(queue.push("other", 1000), None);
    assert_eq!((queue.pop(), queue.pop(), queue.pop()), (Some(0), Some(1000), Some(1)));
}

#[test]
fn a_full_queue_takes_from_who_has_most() {
    let mut queue = EventQueue::new(4, 4);
    for (namespace, item) in [("a", 1), ("a", 2), ("a", 3), ("b", 4)] {
        assert_eq!(queue.push(namespace, item), None);
    }
    assert_eq!(queue.push("c", 5), Some(3));
    let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!(order, [1, 4, 5, 2]);
}

proptest! {
    #[test]
    fn bounds_hold_and_all_that_is_not_dropped_comes_out_once(namespaces in prop::collection::vec((0..20_u8, any::<bool>()), 0..300)) {
        let mut queue = EventQueue::new(16, 5);
        let (mut out, mut dropped) = (Vec::new(), Vec::new());
        for (item, (namespace, is_pop)) in namespaces.iter().enumerate() {
            dropped.extend(queue.push(&namespace.to_string(), item));
            prop_assert!(queue.len <= 16 && queue.turns.len() == queue.namespaces.len());
            if *is_pop {
                out.extend(queue.pop());
            }
        }
        out.extend(std::iter::from_fn(|| queue.pop()));
        let mut all = [out, dropped].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..namespaces.len()).collect::<Vec<_>>());
        prop_assert!(queue.namespaces.is_empty() && queue.turns.is_empty() && queue.len == 0);
    }
}

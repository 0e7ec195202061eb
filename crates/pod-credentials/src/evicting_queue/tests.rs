use super::*;

fn address(last: u8) -> IpAddr {
    [10, 0, 0, last].into()
}

#[test]
fn the_source_with_the_most_makes_room_with_its_oldest() {
    let mut queue = EvictingQueue::new(4);
    assert_eq!(queue.push(address(1), "honest"), None);
    for (item, evicted) in [("a", None), ("b", None), ("c", None), ("d", Some("a")), ("e", Some("b"))] {
        assert_eq!(queue.push(address(2), item).map(|(_, item)| item), evicted);
    }
    assert_eq!(queue.push(address(3), "other"), Some((address(2), "c")));
    assert_eq!(queue.len(), 4);
    let left: Vec<_> = std::iter::from_fn(|| queue.take_first(|_, _| true)).map(|(_, item)| item).collect();
    assert_eq!(left, ["honest", "d", "e", "other"]);
    assert_eq!((queue.sources.0.len(), queue.evict()), (0, None));
}

#[test]
fn the_first_that_fits_is_taken() {
    let mut queue = EvictingQueue::new(9);
    for (last, item) in [(1, 'a'), (1, 'b'), (2, 'c')] {
        queue.push(address(last), item);
    }
    assert_eq!(queue.take_first(|source, _| source != address(1)), Some((address(2), 'c')));
    assert_eq!(queue.take_first(|_, item| *item == 'b'), Some((address(1), 'b')));
    assert_eq!(queue.take_first(|_, item| *item == 'b'), None);
    assert_eq!(queue.sources.of(address(1)), 1);
}

#[test]
fn an_address_is_one_source_however_it_is_written() {
    let mapped: SocketAddr = "[::ffff:10.0.0.1]:1".parse().unwrap();
    assert_eq!(source(mapped), address(1));
}

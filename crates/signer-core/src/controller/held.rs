//! What comes before its time.

use std::{collections::HashSet, hash::Hash};

use futures::{Stream, StreamExt, future::Future, stream};

/// Holds back what comes before `begin` has ended, and passes it all on then, each item once. The stream is listened to from the first moment on.
pub(crate) fn held_until<T: Send + Eq + Hash>(
    begin: impl Future<Output = ()> + Send,
    items: impl Stream<Item = T> + Send,
) -> impl Stream<Item = T> + Send {
    let mut early = Some(HashSet::new());
    let begin = stream::once(begin).map(|()| None);
    stream::select(items.map(Some), begin).flat_map(move |item| {
        stream::iter(match (item, &mut early) {
            (Some(item), Some(early)) => {
                early.insert(item);
                vec![]
            }
            (Some(item), None) => vec![item],
            (None, early) => early.take().unwrap_or_default().into_iter().collect(),
        })
    })
}

#[cfg(test)]
mod tests {
    use futures::{
        FutureExt,
        channel::{mpsc, oneshot},
    };

    use super::*;

    #[test]
    fn what_comes_early_is_passed_on_once_when_it_begins() {
        let (send, items) = mpsc::unbounded();
        let (begin, begun) = oneshot::channel::<()>();
        let mut held = Box::pin(held_until(begun.map(drop), items));
        let mut next = || held.next().now_or_never();
        for item in [1, 2, 1] {
            send.unbounded_send(item).unwrap();
            assert_eq!(next(), None);
        }
        begin.send(()).unwrap();
        let mut early = [next(), next()];
        early.sort();
        assert_eq!((early, next()), ([Some(Some(1)), Some(Some(2))], None));
        send.unbounded_send(3).unwrap();
        assert_eq!(next(), Some(Some(3)));
    }
}

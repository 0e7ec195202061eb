//! Events that wait to be published: bounded, and fair to each namespace.

use std::collections::{HashMap, VecDeque};

/// Items that are taken namespace by namespace, in turn.
#[derive(Debug)]
pub(crate) struct EventQueue<T> {
    most: usize,
    most_of_one: usize,
    namespaces: HashMap<String, VecDeque<T>>,
    /// The namespaces that have some, in turn.
    turns: VecDeque<String>,
    len: usize,
}

impl<T> EventQueue<T> {
    /// An empty queue that holds so many items, and so many of one namespace.
    pub(crate) fn new(most: usize, most_of_one: usize) -> Self {
        Self { most, most_of_one, namespaces: HashMap::new(), turns: VecDeque::new(), len: 0 }
    }

    /// Adds an item, and returns one that had to be dropped for it. A namespace that has too many loses its
    /// new ones. Where all have, the namespace with most of them loses one, so that nobody's flood silences
    /// others.
    pub(crate) fn push(&mut self, namespace: &str, item: T) -> Option<T> {
        if self.namespaces.get(namespace).is_some_and(|items| items.len() >= self.most_of_one) {
            return Some(item);
        }
        let dropped = if self.len < self.most { None } else { self.drop_of_the_largest() };
        if !self.namespaces.contains_key(namespace) {
            self.turns.push_back(namespace.to_owned());
        }
        self.namespaces.entry(namespace.to_owned()).or_default().push_back(item);
        self.len += 1;
        dropped
    }

    /// Takes the next item.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let namespace = self.turns.pop_front()?;
        let items = self.namespaces.get_mut(&namespace)?;
        let item = items.pop_front()?;
        self.len -= 1;
        if items.is_empty() {
            self.namespaces.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        Some(item)
    }

    fn drop_of_the_largest(&mut self) -> Option<T> {
        let largest = self.namespaces.iter().max_by_key(|(_, items)| items.len())?.0.clone();
        let items = self.namespaces.get_mut(&largest)?;
        let dropped = items.pop_back()?;
        self.len -= 1;
        if items.is_empty() {
            self.namespaces.remove(&largest);
            self.turns.retain(|namespace| *namespace != largest);
        }
        Some(dropped)
    }
}

#[cfg(test)]
mod tests;

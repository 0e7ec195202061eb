//! Connections that wait, first come first served, of which those of one source don't crowd out the others'.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
};

/// How many of something each source has.
#[derive(Debug, Default)]
pub(crate) struct Sources(HashMap<IpAddr, usize>);

/// Where a connection comes from. An address of IPv4 is the same however the socket writes it.
pub(crate) fn source(client: SocketAddr) -> IpAddr {
    client.ip().to_canonical()
}

impl Sources {
    pub(crate) fn of(&self, source: IpAddr) -> usize {
        self.0.get(&source).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, source: IpAddr) {
        *self.0.entry(source).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, source: IpAddr) {
        if let Some(count) = self.0.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&source);
            }
        }
    }
}

/// A queue within a bound. When it is full, a newcomer takes the place of the oldest of the source that has
/// the most: who has one alone never makes room for who has many.
#[derive(Debug)]
pub(crate) struct EvictingQueue<T> {
    items: VecDeque<(IpAddr, T)>,
    sources: Sources,
    most: usize,
}

impl<T> EvictingQueue<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { items: VecDeque::new(), sources: Sources::default(), most: most.max(1) }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds one, and gives back the one that made room for it.
    pub(crate) fn push(&mut self, source: IpAddr, item: T) -> Option<(IpAddr, T)> {
        self.sources.add(source);
        self.items.push_back((source, item));
        if self.items.len() > self.most { self.evict() } else { None }
    }

    /// Takes out the oldest of the source that has the most.
    pub(crate) fn evict(&mut self) -> Option<(IpAddr, T)> {
        let most = self.sources.0.values().copied().max()?;
        let crowded = |(source, _): &(IpAddr, T)| self.sources.of(*source) == most;
        let index = self.items.iter().position(crowded)?;
        self.take(index)
    }

    /// Takes out the first that fits.
    pub(crate) fn take_first(&mut self, fits: impl Fn(IpAddr, &T) -> bool) -> Option<(IpAddr, T)> {
        let index = self.items.iter().position(|(source, item)| fits(*source, item))?;
        self.take(index)
    }

    fn take(&mut self, index: usize) -> Option<(IpAddr, T)> {
        let (source, item) = self.items.remove(index)?;
        self.sources.remove(source);
        Some((source, item))
    }
}

#[cfg(test)]
mod tests;

//! Objects that can't be read are named once, and not more of them than anybody would read.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use tokio::time::Instant;

use crate::api::object::{ObjectName, Unreadable};

/// So many are named in each [`WINDOW`]: tenants could make them by the thousand, again and again.
const NAMED: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// So many names are remembered.
const REMEMBERED: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct UnreadableLog {
    /// What was said of each.
    named: HashMap<ObjectName, u64>,
    window: Option<Instant>,
    in_window: usize,
}

impl UnreadableLog {
    /// Logs an object that can't be read, unless that was said before.
    pub(super) fn note(&mut self, unreadable: &Unreadable) {
        if self.is_news(unreadable, Instant::now()) {
            tracing::warn!(
                namespace = unreadable.name.namespace,
                name = unreadable.name.name,
                "{unreadable}; requests that depend on it wait, all others go on"
            );
        }
    }

    fn is_news(&mut self, unreadable: &Unreadable, now: Instant) -> bool {
        let mut hasher = DefaultHasher::new();
        unreadable.reason.hash(&mut hasher);
        let reason = hasher.finish();
        if self.named.get(&unreadable.name) == Some(&reason) {
            return false;
        }
        if self.window.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            (self.window, self.in_window) = (Some(now), 0);
        }
        self.in_window += 1;
        if self.in_window > NAMED {
            if self.in_window == NAMED + 1 {
                tracing::warn!(
                    "more objects of kind {} can't be read; no more are named now",
                    unreadable.kind
                );
            }
            return false;
        }
        if self.named.len() == REMEMBERED {
            self.named.clear();
        }
        self.named.insert(unreadable.name.clone(), reason);
        true
    }
}

#[cfg(test)]
mod tests;

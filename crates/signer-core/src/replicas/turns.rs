//! Whose turn it is. Pure: time comes in as an argument.

use std::{cmp::Reverse, collections::VecDeque, time::Duration};

use aws_lc_rs::digest;
use tokio::time::Instant;

use super::ReplicaName;

/// Who lives, and how long they take.
#[derive(Debug)]
pub(super) struct Turns {
    me: ReplicaName,
    peers: Vec<Peer>,
    /// From when work was due until it was seen done by the replica whose turn it was: the last ones.
    durations: VecDeque<Duration>,
    /// When this replica became known to the others.
    known: Known,
    /// How much has come and has been done so far.
    events: u64,
}

/// When a piece of work came, among what has come and has been done. All replicas watch the same events in the
/// same order, so they agree on who was known then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival(u64);

impl Arrival {
    /// Of work that hasn't come by a watch: who is known now counts.
    pub(crate) const NOW: Self = Self(u64::MAX);
}

/// Another replica.
#[derive(Debug)]
struct Peer {
    name: ReplicaName,
    /// Work that had come before is shared without it.
    known: Arrival,
    /// When work of it was last seen done.
    answered: Instant,
}

/// Whether the others know this replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// It has done nothing yet.
    Idle,
    /// It has begun its first work; nobody knows it yet.
    NotSince(Instant),
    /// They know it since then.
    From(Arrival),
}

/// More replicas than anybody needs: memory stays bounded whatever the messages say.
const MOST_PEERS: usize = 32;

/// How many durations are remembered.
const DURATIONS: usize = 100;

/// How long a replica has for its turn, as a multiple of what nearly all take.
const MARGIN: u32 = 4;
/// The least and the most time for a turn; and what it has while nothing is known of durations.
const SHORTEST_TURN: Duration = Duration::from_millis(100);
const LONGEST_TURN: Duration = Duration::from_secs(1);
const FIRST_TURNS: Duration = Duration::from_millis(250);

/// A replica that goes on answering isn't overtaken before this time.
const OVERTAKEN_AFTER: Duration = Duration::from_secs(10);

/// In this time a replica that nobody knows yet may take on one more piece of work at once.
const ONE_MORE: Duration = Duration::from_millis(250);

impl Turns {
    pub(super) fn new(me: ReplicaName) -> Self {
        Self { me, peers: Vec::new(), durations: VecDeque::new(), known: Known::Idle, events: 0 }
    }

    /// When this replica's turn has come: after those of all that come before it. A peer's turn lasts as long
    /// as it goes on answering: it has a queue too.
    pub(super) fn turn(&self, work: &str, arrival: Arrival, since: Instant) -> Instant {
        let ends = self.ends(&self.before(work, arrival, &self.me), since);
        ends.last().copied().unwrap_or(since)
    }

    /// A piece of work has come.
    pub(super) fn arrived(&mut self) -> Arrival {
        self.events += 1;
        Arrival(self.events)
    }

    /// Learns from finished work who lives and who doesn't.
    pub(super) fn finished(
        &mut self,
        work: &str,
        by: &ReplicaName,
        due: Option<(Arrival, Instant)>,
        now: Instant,
    ) {
        self.events += 1;
        if *by == self.me && !matches!(self.known, Known::From(_)) {
            self.known = Known::From(Arrival(self.events));
        }
        if let Some((arrival, since)) = due {
            let before = self.before(work, arrival, by);
            let ends = self.ends(&before, since);
            let missed: Vec<_> = before
                .iter()
                .zip(ends)
                .filter(|(_, end)| *end <= now)
                .map(|(peer, _)| peer.name.clone())
                .collect();
            let was_in_turn = before.is_empty() && !self.comes_before(work, arrival, by);
            if was_in_turn {
                self.durations.truncate(DURATIONS - 1);
                self.durations.push_front(now.saturating_duration_since(since));
            }
            for peer in &missed {
                tracing::debug!(%peer, %by, waited = ?now.saturating_duration_since(since), turn = ?self.time_for_a_turn(), "a replica missed its turn");
            }
            self.peers.retain(|peer| !missed.contains(&peer.name));
        }
        self.note(by, now);
    }

    /// How many pieces of work this replica may take on at once: until the others know it, which it can't tell
    /// but from work of its own that is shown as done, they may be doing the same.
    pub(super) fn most_at_once(&mut self, now: Instant) -> usize {
        let since = match self.known {
            Known::From(_) => return usize::MAX,
            Known::NotSince(since) => since,
            Known::Idle => {
                self.known = Known::NotSince(now);
                now
            }
        };
        let more = now.saturating_duration_since(since).as_millis() / ONE_MORE.as_millis();
        usize::try_from(more).unwrap_or(usize::MAX).saturating_add(1)
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self.known, Known::From(_))
    }

    pub(super) fn live(&self) -> usize {
        1 + self.peers.len()
    }

    fn note(&mut self, name: &ReplicaName, now: Instant) {
        if *name == self.me {
            return;
        }
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.name == *name) {
            peer.answered = now;
            return;
        }
        if self.peers.len() >= MOST_PEERS {
            let oldest = (0..self.peers.len()).min_by_key(|i| self.peers[*i].answered);
            oldest.map(|i| self.peers.swap_remove(i));
        }
        self.peers.push(Peer { name: name.clone(), known: Arrival(self.events), answered: now });
    }

    /// The peers whose turn comes before this replica's, in order.
    fn before(&self, work: &str, arrival: Arrival, replica: &ReplicaName) -> Vec<&Peer> {
        let own = self.place(work, arrival, replica);
        let places = self.peers.iter().map(|peer| (place(work, arrival, peer.known, &peer.name), peer));
        let mut before: Vec<_> = places.filter(|(place, _)| *place < own).collect();
        before.sort_by_key(|(place, _)| *place);
        before.into_iter().map(|(_, peer)| peer).collect()
    }

    /// Of a replica that isn't known, as if it were: it must win once to become known.
    fn place(&self, work: &str, arrival: Arrival, replica: &ReplicaName) -> Place {
        let known = if *replica == self.me {
            match self.known {
                Known::From(known) => Some(known),
                Known::Idle | Known::NotSince(_) => None,
            }
        } else {
            self.peers.iter().find(|peer| peer.name == *replica).map(|peer| peer.known)
        };
        place(work, arrival, known.unwrap_or(arrival), replica)
    }

    /// Whether this replica's turn comes before a peer's.
    fn comes_before(&self, work: &str, arrival: Arrival, peer: &ReplicaName) -> bool {
        self.place(work, arrival, &self.me) < self.place(work, arrival, peer)
    }

    /// When the turns of these peers end.
    fn ends(&self, peers: &[&Peer], since: Instant) -> Vec<Instant> {
        let (turn, overtaken) =
            (self.time_for_a_turn(), since + OVERTAKEN_AFTER.max(self.slow().unwrap_or_default() * MARGIN));
        let mut end = since;
        let next = |peer: &&Peer| {
            end = end.max(peer.answered.min(overtaken)) + turn;
            end
        };
        peers.iter().map(next).collect()
    }

    fn time_for_a_turn(&self) -> Duration {
        let slow = self.slow().map(|slow| (slow * MARGIN).clamp(SHORTEST_TURN, LONGEST_TURN));
        slow.unwrap_or(FIRST_TURNS)
    }

    /// What nearly all work takes: the slowest of the last ones aside.
    fn slow(&self) -> Option<Duration> {
        let mut slowest = [None; 2];
        for &duration in &self.durations {
            if Some(duration) > slowest[0] {
                slowest = [Some(duration), slowest[0]];
            } else if Some(duration) > slowest[1] {
                slowest[1] = Some(duration);
            }
        }
        slowest[1]
    }
}

/// Where a replica stands for a piece of work; the least comes first. Those that were known when the work came
/// share it by weight; behind them come the others, in the order in which they became known.
type Place = (Option<Arrival>, Reverse<[u8; 32]>);

fn place(work: &str, arrival: Arrival, known: Arrival, replica: &ReplicaName) -> Place {
    (Some(known).filter(|known| *known > arrival), Reverse(weight(work, replica)))
}

/// A cryptographic hash shares evenly, whatever the names are.
fn weight(work: &str, replica: &ReplicaName) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [work.as_bytes(), replica.as_bytes()] {
        hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut weight = [0; 32];
    weight.copy_from_slice(hash.finish().as_ref());
    weight
}

#[cfg(test)]
mod tests;

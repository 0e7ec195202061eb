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
    /// Whether the others know this replica.
    standing: Standing,
    /// How much has come and has been done so far.
    events: u64,
}

/// When a piece of work came, among what has come and has been done. All replicas watch the same events in the
/// same order, so they agree on who was known then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival(u64);

impl Arrival {
    /// Of work that hasn't come by a watch: who is known now counts.
    pub(crate) const LATEST: Self = Self(u64::MAX);
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
enum Standing {
    /// It has just started, or has missed a turn. It has begun its first work then, and tried so often to be
    /// faster than others.
    Unknown { began: Option<Instant>, tries: u8 },
    /// They know it since then.
    Known(Arrival),
}

const UNKNOWN: Standing = Standing::Unknown { began: None, tries: 0 };

/// More replicas than anybody needs: memory stays bounded whatever the messages say.
const MOST_PEERS: usize = 32;

/// How many durations are remembered.
const DURATIONS: usize = 100;

/// How long a replica has for its turn, as a multiple of what nearly all take.
const MARGIN: u32 = 4;
/// The least and the most time for a turn; and what it has while nothing is known of durations.
const SHORTEST_TURN: Duration = Duration::from_millis(100);
const LONGEST_TURN: Duration = Duration::from_millis(500);
const FIRST_TURNS: Duration = Duration::from_millis(250);

/// A replica that goes on answering isn't overtaken before this time, or four times what nearly all take.
const OVERTAKEN_AFTER: Duration = Duration::from_secs(1);

/// While a replica knows nobody, and nobody it, it may take on one more piece of work at once in this time:
/// others may have started with it.
const ONE_MORE: Duration = Duration::from_millis(250);

/// A replica that nobody knows does so much of what would be its share, in the hope to be faster once.
const MOST_TRIES: u8 = 4;

/// One in so many pieces of work is open: those who are known leave it to one that isn't for a moment. So a
/// replica that is always slower becomes known too.
const OPEN_ONE_IN: u16 = 1024;
const SHORTEST_OPEN: Duration = Duration::from_millis(20);
const LONGEST_OPEN: Duration = Duration::from_millis(500);

impl Turns {
    pub(super) fn new(me: ReplicaName) -> Self {
        Self { me, peers: Vec::new(), durations: VecDeque::new(), standing: UNKNOWN, events: 0 }
    }

    /// When this replica's turn has come: after those of all that come before it. A peer's turn lasts as long
    /// as it goes on answering: it has a queue too.
    pub(super) fn turn(&self, work: &str, arrival: Arrival, since: Instant) -> Instant {
        let is_open = is_open(work);
        match self.standing {
            Standing::Unknown { tries, .. }
                if is_open || tries < MOST_TRIES && self.has_greatest_weight(work) =>
            {
                since
            }
            Standing::Known(_) | Standing::Unknown { .. } => {
                let begins = if is_open { since + self.time_open() } else { since };
                let ends = self.ends(&self.before(work, arrival, &self.me), begins);
                ends.last().copied().unwrap_or(begins)
            }
        }
    }

    /// This replica has begun with a piece of work, as its turn had come.
    pub(super) fn begun(&mut self, now: Instant) {
        if let Standing::Unknown { began, tries } = &mut self.standing {
            began.get_or_insert(now);
            *tries = tries.saturating_add(u8::from(!self.peers.is_empty()));
        }
    }

    /// A piece of work has come.
    pub(super) fn arrived(&mut self) -> Arrival {
        self.events += 1;
        Arrival(self.events)
    }

    /// Learns from finished work who lives and who doesn't. The work had been due since then, if this replica
    /// had looked at it.
    pub(super) fn finished(
        &mut self,
        work: &str,
        by: &ReplicaName,
        arrival: Arrival,
        due_since: Option<Instant>,
        now: Instant,
    ) {
        self.events += 1;
        // of open work nobody knows whose it is
        if !is_open(work) {
            self.judge(work, by, arrival, due_since, now);
        }
        if *by != self.me {
            self.note(by, now);
        } else if !self.is_known() {
            self.standing = Standing::Known(Arrival(self.events));
        }
    }

    /// Whoever came before the one that has done the work, and let its turn pass, is left out until it answers
    /// again; this replica too. That they let it pass is the word of the one that has done it, whatever the
    /// time is here: so all leave out the same ones, from the same work on. One that wasn't known when the
    /// work came may have tried to be faster, which tells nothing of the others; but itself it believes.
    fn judge(
        &mut self,
        work: &str,
        by: &ReplicaName,
        arrival: Arrival,
        due_since: Option<Instant>,
        now: Instant,
    ) {
        let before = self.before(work, arrival, by);
        let is_before = self.place(work, arrival, &self.me) < self.place(work, arrival, by);
        let was_known = self.known(by).is_some_and(|known| known <= arrival);
        let duration = due_since.map(|since| now.saturating_duration_since(since));
        let duration = duration.filter(|_| before.is_empty() && !is_before);
        let passed = |end: Option<&Instant>| *by == self.me && end.is_some_and(|end| *end <= now);
        let ends = due_since.map(|since| self.ends(&before, since)).unwrap_or_default();
        let missed = before.iter().enumerate().filter(|(rank, _)| was_known || passed(ends.get(*rank)));
        let missed: Vec<_> = missed.map(|(_, peer)| peer.name.clone()).collect();
        if let Some(duration) = duration {
            self.durations.truncate(DURATIONS - 1);
            self.durations.push_front(duration);
        }
        for peer in &missed {
            tracing::debug!(%peer, %by, "a replica has missed its turn");
        }
        self.peers.retain(|peer| !missed.contains(&peer.name));
        if is_before && was_known && self.is_known() {
            tracing::debug!(%by, "another replica has done what was this one's");
            self.standing = UNKNOWN;
        }
    }

    /// How many pieces of work this replica may take on at once.
    pub(super) fn concurrency_limit(&self, now: Instant) -> usize {
        match self.standing {
            Standing::Unknown { began: Some(began), .. } if self.peers.is_empty() => {
                let more = now.saturating_duration_since(began).as_millis() / ONE_MORE.as_millis();
                usize::try_from(more).unwrap_or(usize::MAX).saturating_add(1)
            }
            Standing::Unknown { .. } | Standing::Known(_) => usize::MAX,
        }
    }

    pub(super) fn is_known(&self) -> bool {
        matches!(self.standing, Standing::Known(_))
    }

    pub(super) fn others(&self) -> Vec<ReplicaName> {
        let mut others: Vec<_> = self.peers.iter().map(|peer| peer.name.clone()).collect();
        others.sort();
        others
    }

    pub(super) fn live(&self) -> usize {
        1 + self.peers.len()
    }

    fn note(&mut self, name: &ReplicaName, now: Instant) {
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

    /// One that isn't known comes last.
    fn place(&self, work: &str, arrival: Arrival, replica: &ReplicaName) -> Place {
        place(work, arrival, self.known(replica).unwrap_or(Arrival::LATEST), replica)
    }

    /// Since when a replica is known, if it is.
    fn known(&self, replica: &ReplicaName) -> Option<Arrival> {
        match self.standing {
            Standing::Known(known) if *replica == self.me => Some(known),
            Standing::Known(_) | Standing::Unknown { .. } => {
                self.peers.iter().find(|peer| peer.name == *replica).map(|peer| peer.known)
            }
        }
    }

    /// Whether the work would be this replica's if it were known.
    fn has_greatest_weight(&self, work: &str) -> bool {
        let own = weight(work, &self.me);
        self.peers.iter().all(|peer| weight(work, &peer.name) < own)
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

    fn time_open(&self) -> Duration {
        self.slow().unwrap_or_default().saturating_mul(2).clamp(SHORTEST_OPEN, LONGEST_OPEN)
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

fn is_open(work: &str) -> bool {
    let hash = digest::digest(&digest::SHA256, work.as_bytes());
    hash.as_ref().first_chunk().is_some_and(|first| u16::from_be_bytes(*first) % OPEN_ONE_IN == 0)
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

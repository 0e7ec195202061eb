//! Whose turn it is. Pure: time comes in as an argument.

use std::{collections::VecDeque, time::Duration};

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
    /// What was done in vain since work of this replica was last seen done.
    losses: u32,
    /// Until then this replica leaves work to the others, who seem not to know it, or to be faster.
    yields_until: Option<Instant>,
    probation: Probation,
}

/// Another replica.
#[derive(Debug)]
struct Peer {
    name: ReplicaName,
    /// When work of it was last seen done.
    answered: Instant,
}

/// How far a replica that has just started has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probation {
    /// It has done nothing yet.
    Idle,
    /// It has begun its first work; nobody knows it yet.
    Since(Instant),
    /// The others know it.
    Over,
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

/// After so many losses in a row a replica leaves work to the others for a while, which doubles.
const MOST_LOSSES: u32 = 3;
const SHORTEST_YIELD: Duration = Duration::from_millis(250);
const LONGEST_YIELD: Duration = Duration::from_secs(30);

/// What a replica takes on at once, for how long at most, until the others know it: it can't tell its own
/// share yet.
const AT_ONCE_AT_FIRST: usize = 4;
const LONGEST_PROBATION: Duration = Duration::from_millis(250);

impl Turns {
    pub(super) fn new(me: ReplicaName) -> Self {
        Self {
            me,
            peers: Vec::new(),
            durations: VecDeque::new(),
            losses: 0,
            yields_until: None,
            probation: Probation::Idle,
        }
    }

    /// When this replica's turn has come: after those of all that come before it. A peer's turn lasts as long
    /// as it goes on answering: it has a queue too.
    pub(super) fn turn(&self, work: &str, since: Instant, now: Instant) -> Instant {
        let yields = self.yields_until.is_some_and(|until| now < until);
        let before = if yields { self.peers.iter().collect() } else { self.before(work, &self.me) };
        let ends = self.ends(&before, since);
        ends.last().copied().unwrap_or(since)
    }

    /// Learns from finished work who lives and who doesn't.
    pub(super) fn finished(&mut self, work: &str, by: &ReplicaName, since: Option<Instant>, now: Instant) {
        if *by == self.me {
            (self.losses, self.yields_until, self.probation) = (0, None, Probation::Over);
        }
        if let Some(since) = since {
            let before = self.before(work, by);
            let ends = self.ends(&before, since);
            let missed: Vec<_> = before
                .iter()
                .zip(ends)
                .filter(|(_, end)| *end <= now)
                .map(|(peer, _)| peer.name.clone())
                .collect();
            let was_in_turn =
                before.is_empty() && (*by == self.me || weight(work, by) > weight(work, &self.me));
            if was_in_turn {
                self.durations.truncate(DURATIONS - 1);
                self.durations.push_front(now.saturating_duration_since(since));
            }
            self.peers.retain(|peer| !missed.contains(&peer.name));
        }
        self.note(by, now);
    }

    /// Learns that this replica has done work in vain.
    pub(super) fn lost(&mut self, now: Instant) {
        if self.yields_until.is_some_and(|until| now < until) {
            return;
        }
        self.losses = self.losses.saturating_add(1);
        if let Some(further) = self.losses.checked_sub(MOST_LOSSES) {
            let pause = SHORTEST_YIELD.saturating_mul(1 << further.min(16)).min(LONGEST_YIELD);
            self.yields_until = Some(now + pause);
        }
    }

    pub(super) fn most_at_once(&mut self, now: Instant) -> usize {
        let since = match self.probation {
            Probation::Over => return usize::MAX,
            Probation::Since(since) => since,
            Probation::Idle => {
                self.probation = Probation::Since(now);
                now
            }
        };
        if now.saturating_duration_since(since) < LONGEST_PROBATION { AT_ONCE_AT_FIRST } else { usize::MAX }
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
        self.peers.push(Peer { name: name.clone(), answered: now });
    }

    /// The peers whose turn comes before this replica's, in order.
    fn before(&self, work: &str, replica: &ReplicaName) -> Vec<&Peer> {
        let own = weight(work, replica);
        let mut before: Vec<_> = self.peers.iter().map(|peer| (weight(work, &peer.name), peer)).collect();
        before.retain(|(weight, peer)| *weight > own && peer.name != *replica);
        before.sort_by(|(one, _), (other, _)| other.cmp(one));
        before.into_iter().map(|(_, peer)| peer).collect()
    }

    /// When the turns of these peers end.
    fn ends(&self, peers: &[&Peer], since: Instant) -> Vec<Instant> {
        let (turn, overtaken) = (self.time_for_a_turn(), since + OVERTAKEN_AFTER.max(self.slow() * MARGIN));
        let mut end = since;
        let next = |peer: &&Peer| {
            end = end.max(peer.answered.min(overtaken)) + turn;
            end
        };
        peers.iter().map(next).collect()
    }

    fn time_for_a_turn(&self) -> Duration {
        if self.durations.is_empty() {
            return FIRST_TURNS;
        }
        (self.slow() * MARGIN).clamp(SHORTEST_TURN, LONGEST_TURN)
    }

    /// What nearly all work takes: one of a hundred may take longer.
    fn slow(&self) -> Duration {
        let mut two = [Duration::ZERO; 2];
        for &duration in &self.durations {
            if duration > two[0] {
                two = [duration, two[0]];
            } else if duration > two[1] {
                two[1] = duration;
            }
        }
        if self.durations.len() < DURATIONS { two[0] } else { two[1] }
    }
}

/// Where a replica stands for a piece of work: the greatest comes first. A cryptographic hash shares evenly,
/// whatever the names are.
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

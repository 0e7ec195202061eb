//! How a pool stands, and what comes: what signs when, what can go when, and what somebody has to do.

use std::time::Duration;

use jiff::Timestamp;
use signer_core::{
    CaPool, LEEWAY, LONGEST_LEAF, PROPAGATION, Phase, PoolWarning, Tenure, Terms, last_leaf_ends, phases,
    removable_at, superseded_at,
};

use super::times::{earlier, later, minute, minute_from_now};
use crate::terminal::Tone;

/// A pool at a moment.
pub(super) struct Outlook<'a> {
    pub(super) pool: &'a CaPool,
    pub(super) tenures: Vec<Tenure>,
    pub(super) phases: Vec<Phase>,
    pub(super) now: Timestamp,
    /// How a command line leads to the pool, if it can be changed.
    arguments: Option<String>,
}

/// A sentence, and how serious it is.
pub(super) type Remark = (Tone, String);

/// A CA that lives long is replaced this long before its end.
const IN_GOOD_TIME: Duration = Duration::from_secs(30 * 24 * 3600);

impl<'a> Outlook<'a> {
    pub(super) fn new(pool: &'a CaPool, arguments: Option<String>, now: Timestamp) -> Self {
        let tenures = pool.tenures();
        let phases = phases(&tenures, now);
        Self { pool, tenures, phases, now, arguments }
    }

    pub(super) fn name(&self, index: usize) -> String {
        name(self.pool.authority(index).id())
    }

    pub(super) fn superseded_at(&self, index: usize) -> Option<Timestamp> {
        superseded_at(&self.tenures, index)
    }

    pub(super) fn removable_at(&self, index: usize) -> Option<Timestamp> {
        removable_at(&self.tenures, index)
    }

    /// When the last certificate of a CA expires, as far as can be told.
    pub(super) fn last_leaf_ends(&self, index: usize) -> Timestamp {
        let Tenure { longest_leaf, not_after, .. } = self.tenures[index];
        let end = later(self.now, longest_leaf.unwrap_or(LONGEST_LEAF)).min(not_after);
        last_leaf_ends(&self.tenures, index).map_or(end, |last| last.min(end))
    }

    /// The one whose turn comes last.
    pub(super) fn last(&self) -> Option<usize> {
        let has_no_successor =
            |index: &usize| self.superseded_at(*index).is_none() && self.has_a_turn(*index);
        (0..self.tenures.len()).rfind(has_no_successor)
    }

    fn has_a_turn(&self, index: usize) -> bool {
        self.tenures[index].signs_from.is_some() || self.phases[index] != Phase::Trusted(None)
    }

    fn active(&self) -> Option<usize> {
        let is_active = |index: &usize| {
            let Tenure { not_before, not_after, .. } = self.tenures[*index];
            let can_sign = not_before <= self.now && later(self.now, Terms::LEAST_LIFETIME) <= not_after;
            self.phases[*index] == Phase::Active && can_sign
        };
        (0..self.tenures.len()).find(is_active)
    }

    /// Who signs, in a sentence.
    pub(super) fn state(&self) -> Remark {
        let Some(active) = self.active() else {
            let turns =
                self.tenures.iter().filter_map(|tenure| tenure.signs_from).filter(|at| *at > self.now);
            let text = turns.min().map_or_else(
                || "No CA can sign now.".to_owned(),
                |at| format!("No CA signs before {}.", minute_from_now(at, self.now)),
            );
            return (Tone::Bad, text);
        };
        let next =
            |at: Timestamp| Some((at, self.tenures.iter().position(|tenure| tenure.signs_from == Some(at))?));
        let name = self.name(active);
        let text = match self.superseded_at(active).and_then(next) {
            Some((at, next)) => {
                format!(
                    "{name} signs until {}, then {} does.",
                    minute_from_now(at, self.now),
                    self.name(next)
                )
            }
            None => format!("{name} signs."),
        };
        (Tone::Good, text)
    }

    /// What somebody has to do, the most urgent first.
    pub(super) fn to_do(&self) -> Vec<Remark> {
        let mut to_do: Vec<Remark> =
            (0..self.tenures.len()).filter_map(|index| self.warning(index)).collect();
        if to_do.is_empty() {
            to_do.extend(self.rotation_due());
        }
        let caveats = self.pool.authorities().filter_map(signer_core::CertificateAuthority::caveat);
        to_do.extend(caveats.map(|caveat| (Tone::Ending, caveat)));
        let gone = self.pool.removable(self.now);
        if !gone.is_empty() {
            let names: Vec<String> = gone.into_iter().map(name).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            to_do.push((
                Tone::Ending,
                format!("{} {verb} of no use any more{}", names.join(" and "), self.by("prune")),
            ));
        }
        if to_do.is_empty() {
            let next = self.events().into_iter().find(|event| event.needs_somebody);
            let until = next
                .map_or_else(String::new, |event| format!(" before {}", minute_from_now(event.at, self.now)));
            to_do.push((Tone::Good, format!("Nothing{until}.")));
        }
        to_do
    }

    pub(super) fn warnings(&self) -> Vec<PoolWarning> {
        self.pool.warnings(self.now, Terms::DEFAULT_MAX_LIFETIME)
    }

    fn warning(&self, index: usize) -> Option<Remark> {
        let (name, rotate) = (self.name(index), self.by("rotate"));
        let text = match self.pool.warning(index, self.now, Terms::DEFAULT_MAX_LIFETIME)? {
            PoolWarning::Expired { not_after, .. } => {
                format!("{name} expired at {}. Replace it{rotate}", minute_from_now(not_after, self.now))
            }
            PoolWarning::NotYetValid { not_before, .. } => {
                format!(
                    "{name} isn't valid before {}. Wait, or replace it{rotate}",
                    minute_from_now(not_before, self.now)
                )
            }
            PoolWarning::Ending { not_after, .. } if not_after < later(self.now, Terms::LEAST_LIFETIME) => {
                format!(
                    "{name} ends at {}, too soon for even the shortest certificate (1h). Replace it now{rotate}",
                    minute_from_now(not_after, self.now)
                )
            }
            PoolWarning::Ending { not_after, .. } => format!(
                "{name} ends at {}, and its certificates with it: they get shorter and shorter. Replace it now{rotate}",
                minute_from_now(not_after, self.now)
            ),
            other => other.to_string(),
        };
        Some((Tone::Bad, text))
    }

    fn rotation_due(&self) -> Option<Remark> {
        let (last, due) = self.rotate_by()?;
        if self.now < due {
            return None;
        }
        let latest = earlier(self.tenures[last].not_after, self.reserve(last));
        let (name, rotate) = (self.name(last), self.by("rotate"));
        Some(if latest <= self.now {
            let end = minute_from_now(self.tenures[last].not_after, self.now);
            (Tone::Bad, format!("Replace {name} now, it ends at {end}{rotate}"))
        } else {
            (Tone::Ending, format!("Replace {name} before {}{rotate}", minute_from_now(latest, self.now)))
        })
    }

    /// The CA that has no successor, and when it should get one.
    fn rotate_by(&self) -> Option<(usize, Timestamp)> {
        let last = self.last()?;
        let Tenure { not_before, not_after, .. } = self.tenures[last];
        let life = not_after.duration_since(not_before).unsigned_abs();
        Some((last, earlier(not_after, self.reserve(last).max(IN_GOOD_TIME.min(life / 3)))))
    }

    /// What a successor needs of the life of the one before it: to get known, late if it must be, while that one's leaves live.
    fn reserve(&self, index: usize) -> Duration {
        self.tenures[index].longest_leaf.unwrap_or(LONGEST_LEAF) + LEEWAY + PROPAGATION
    }

    /// What comes, in the order in which it comes.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> =
            (0..self.tenures.len()).flat_map(|index| self.events_of(index)).collect();
        events.retain(|event| event.at > self.now);
        events.sort_by_key(|event| event.at);
        events
    }

    fn events_of(&self, index: usize) -> Vec<Event> {
        let name = self.name(index);
        let mut events = Vec::new();
        if let Some(at) = self.tenures[index].signs_from {
            let text = format!(
                "{name} signs, if its root has been in the trust bundle for 15 minutes by then; else as soon as it has"
            );
            events.push(Event { at, text, needs_somebody: false });
        }
        if let Some(at) = self.removable_at(index) {
            let text = format!("no certificate of {name} lives any more, and it can go{}", self.by("prune"));
            events.push(Event { at, text, needs_somebody: true });
        }
        if self.last() == Some(index) {
            let not_after = self.tenures[index].not_after;
            if let Some((_, at)) = self.rotate_by() {
                let text = format!("time to replace {name}{}", self.by("rotate"));
                events.push(Event { at, text, needs_somebody: true });
            }
            events.push(Event { at: not_after, text: format!("{name} expires"), needs_somebody: false });
        }
        events
    }

    /// The command that does it.
    fn by(&self, command: &str) -> String {
        let arguments = self.arguments.as_ref();
        arguments.map_or_else(String::new, |arguments| format!(": signerctl ca-pool {command} {arguments}"))
    }

    /// Until when a CA is needed, as a table tells it.
    pub(super) fn can_go(&self, index: usize) -> String {
        match (self.phases[index], self.removable_at(index)) {
            (Phase::Gone, Some(_)) => "now".to_owned(),
            (_, Some(at)) => minute(at),
            (_, None) => "-".to_owned(),
        }
    }
}

/// Something that happens by itself, or that somebody can or should do then.
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) text: String,
    needs_somebody: bool,
}

/// How people call a CA.
pub(super) fn name(id: &str) -> String {
    if id.is_empty() { "the CA without an ID".to_owned() } else { format!("CA {id}") }
}

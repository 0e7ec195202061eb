//! How a pool stands, and what comes: what signs when, and what can go when.

use ca_pool::{
    CaPool, Fitness, MAX_LEAF_LIFETIME, Phase, PoolWarning, SigningWindow, Terms, last_leaf_ends, phases,
    removable_at, replaced_at,
};
use jiff::Timestamp;

use crate::terminal::Tone;
use crate::text::times::{later, minute, minute_from_now};

/// A pool at a moment.
pub(crate) struct Outlook<'a> {
    pub(crate) pool: &'a CaPool,
    pub(crate) signing_windows: Vec<SigningWindow>,
    pub(crate) phases: Vec<Phase>,
    /// What others make of its CAs; for which signer the pool is isn't known here.
    pub(crate) fitness: Fitness,
    pub(crate) now: Timestamp,
    /// How a command line leads to the pool, if it can be changed.
    pub(crate) arguments: Option<String>,
}

/// A sentence, and how serious it is.
pub(crate) type Remark = (Tone, String);

impl<'a> Outlook<'a> {
    pub(crate) fn new(pool: &'a CaPool, arguments: Option<String>, now: Timestamp) -> Self {
        let signing_windows = pool.signing_windows();
        let phases = phases(&signing_windows, now);
        Self { pool, signing_windows, phases, fitness: pool.fitness(&[]), now, arguments }
    }

    pub(crate) fn name(&self, index: usize) -> String {
        name(self.pool.authority(index).id())
    }

    pub(crate) fn replaced_at(&self, index: usize) -> Option<Timestamp> {
        replaced_at(&self.signing_windows, index)
    }

    /// When it ceases to sign, if that is known: when the next CA's turn comes, or before, where that comes
    /// too late.
    pub(crate) fn signs_until(&self, index: usize) -> Option<Timestamp> {
        let turn = self.replaced_at(index)?;
        Some(if self.gap(index).is_some() { self.signing_windows[index].can_sign_until() } else { turn })
    }

    /// When the next CA's turn comes, if that is when this one can't sign any more.
    pub(crate) fn gap(&self, index: usize) -> Option<Timestamp> {
        match self.pool_warning(index)? {
            PoolWarning::Gap { until, .. } => Some(until),
            _ => None,
        }
    }

    /// What is wrong with a CA. The signer's maxLifetime isn't known here, so what the pool records counts as
    /// right.
    pub(crate) fn pool_warning(&self, index: usize) -> Option<PoolWarning> {
        let longest = self.signing_windows[index].max_leaf_lifetime.unwrap_or(Terms::DEFAULT_MAX_LIFETIME);
        self.pool.warning(index, self.now, longest)
    }

    pub(crate) fn removable_at(&self, index: usize) -> Option<Timestamp> {
        removable_at(&self.signing_windows, index)
    }

    /// When the last certificate of a CA expires, as far as can be told.
    pub(crate) fn last_leaf_ends(&self, index: usize) -> Timestamp {
        let SigningWindow { max_leaf_lifetime, not_after, .. } = self.signing_windows[index];
        let end = later(self.now, max_leaf_lifetime.unwrap_or(MAX_LEAF_LIFETIME)).min(not_after);
        last_leaf_ends(&self.signing_windows, index).map_or(end, |last| last.min(end))
    }

    /// The one whose turn comes last.
    pub(crate) fn last(&self) -> Option<usize> {
        let has_no_successor =
            |index: &usize| self.replaced_at(*index).is_none() && self.has_activation(*index);
        (0..self.signing_windows.len()).rfind(has_no_successor)
    }

    fn has_activation(&self, index: usize) -> bool {
        self.signing_windows[index].signs_from.is_some() || self.phases[index] != Phase::Trusted(None)
    }

    fn active(&self) -> Option<usize> {
        let is_active = |index: &usize| {
            let signing_window = self.signing_windows[*index];
            let can_sign =
                signing_window.not_before <= self.now && self.now <= signing_window.can_sign_until();
            self.phases[*index] == Phase::Active && can_sign && self.fitness.is_of_use(*index)
        };
        (0..self.signing_windows.len()).find(is_active)
    }

    /// Who signs, in a sentence.
    pub(crate) fn state(&self) -> Remark {
        let Some(active) = self.active() else {
            let turns = self
                .signing_windows
                .iter()
                .filter_map(|signing_window| signing_window.signs_from)
                .filter(|at| *at > self.now);
            let text = turns.min().map_or_else(
                || "No CA can sign now.".to_owned(),
                |at| format!("No CA signs before {}.", minute_from_now(at, self.now)),
            );
            return (Tone::Bad, text);
        };
        let next = |at: Timestamp| {
            Some((
                at,
                self.signing_windows
                    .iter()
                    .position(|signing_window| signing_window.signs_from == Some(at))?,
            ))
        };
        let name = self.name(active);
        if let Some(turn) = self.gap(active) {
            let (last, turn) =
                (self.signing_windows[active].can_sign_until(), minute_from_now(turn, self.now));
            let text =
                format!("{name} signs until {}, then nobody before {turn}.", minute_from_now(last, self.now));
            return (Tone::Bad, text);
        }
        let text = match self.replaced_at(active).and_then(next) {
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

    /// What comes, in the order in which it comes.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> =
            (0..self.signing_windows.len()).flat_map(|index| self.events_of(index)).collect();
        events.retain(|event| event.at > self.now);
        events.sort_by_key(|event| event.at);
        events
    }

    fn events_of(&self, index: usize) -> Vec<Event> {
        let name = self.name(index);
        let mut events = Vec::new();
        if let Some(at) = self.signing_windows[index].signs_from {
            let text = format!(
                "{name} signs, if its root has been in the trust bundle for 15 minutes by then; else as soon as it has"
            );
            events.push(Event { at, text, needs_somebody: false });
        }
        if let Some(at) = self.removable_at(index) {
            let (by, needs_somebody) = if self.pool.is_rotated_automatically() {
                (": the manager removes it".to_owned(), false)
            } else {
                (self.by("prune"), true)
            };
            let text = format!("no certificate of {name} lives any more, and it can go{by}");
            events.push(Event { at, text, needs_somebody });
        }
        if let Some(turn) = self.gap(index) {
            let SigningWindow { not_after, .. } = self.signing_windows[index];
            let text = format!(
                "{name} can't sign any more, and the next CA doesn't before {}: nobody signs",
                minute(turn)
            );
            events.push(Event {
                at: self.signing_windows[index].can_sign_until(),
                text,
                needs_somebody: false,
            });
            events.push(Event { at: not_after, text: format!("{name} expires"), needs_somebody: false });
        }
        if self.last() == Some(index) {
            let not_after = self.signing_windows[index].not_after;
            if let Some((_, at)) = self.rotate_by() {
                let (text, needs_somebody) = if self.pool.is_rotated_automatically() {
                    (format!("{name} is replaced by the manager before this, as it keeps the pool"), false)
                } else {
                    (format!("time to replace {name}{}", self.by_replacing(index)), true)
                };
                events.push(Event { at, text, needs_somebody });
            }
            events.push(Event { at: not_after, text: format!("{name} expires"), needs_somebody: false });
        }
        events
    }

    /// Until when a CA is needed, as a table tells it.
    pub(crate) fn can_go(&self, index: usize) -> String {
        match (self.phases[index], self.removable_at(index)) {
            (Phase::Gone, Some(_)) => "now".to_owned(),
            (_, Some(at)) => minute(at),
            (_, None) => "-".to_owned(),
        }
    }
}

/// Something that happens by itself, or that somebody can or should do then.
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
    pub(crate) needs_somebody: bool,
}

/// How people call a CA.
pub(crate) fn name(id: &str) -> String {
    if id.is_empty() { "the CA without an ID".to_owned() } else { format!("CA {id}") }
}

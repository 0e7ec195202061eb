//! How a pool stands, and what comes: what signs when, and what can go when.

use std::{ops::Range, time::Duration};

use ca_pool::{Assessment, CaPool, Fitness, Leaf, MAX_LEAF_LIFETIME, Phase, Schedule, SigningWindow};
use jiff::Timestamp;

use crate::terminal::Tone;
use crate::text::times::{later, minute, minute_from_now};

/// A pool at a moment.
pub(crate) struct Outlook<'a> {
    pub(crate) pool: &'a CaPool,
    schedule: Schedule,
    pub(crate) phases: Vec<Phase>,
    /// What others make of its CAs.
    pub(crate) fitness: Fitness,
    pub(crate) assessment: Assessment,
    pub(crate) now: Timestamp,
    /// How a command line leads to the pool, if it can be changed.
    pub(crate) arguments: Option<String>,
}

/// A sentence, and how serious it is.
pub(crate) type Remark = (Tone, String);

impl<'a> Outlook<'a> {
    /// Of a pool whose signer isn't known.
    pub(crate) fn new(pool: &'a CaPool, arguments: Option<String>, now: Timestamp) -> Self {
        Self::of_signer(pool, &[], None, arguments, now)
    }

    /// Of the pool of a signer that issues such leaves, with this `maxLifetime`.
    pub(crate) fn of_signer(
        pool: &'a CaPool,
        examples: &[Leaf],
        max_lifetime: Option<Duration>,
        arguments: Option<String>,
        now: Timestamp,
    ) -> Self {
        let schedule = pool.schedule();
        let phases = schedule.phases(now);
        let fitness = pool.fitness(examples);
        let assessment = pool.assess(&fitness, max_lifetime, now);
        Self { pool, schedule, phases, fitness, assessment, now, arguments }
    }

    pub(crate) fn name(&self, index: usize) -> String {
        name(self.pool.authority(index).id())
    }

    /// When each CA signs, and until when it is trusted.
    pub(crate) fn windows(&self) -> &[SigningWindow] {
        self.schedule.windows()
    }

    pub(crate) fn all(&self) -> Range<usize> {
        0..self.windows().len()
    }

    /// From when on it signs, if that was decided.
    pub(crate) fn signs_from(&self, index: usize) -> Option<Timestamp> {
        let window = self.windows()[index];
        window.from.filter(|from| window.is_awaited && Timestamp::MIN < *from)
    }

    /// When it ceases to sign, if that was decided.
    pub(crate) fn signs_until(&self, index: usize) -> Option<Timestamp> {
        Some(self.windows()[index]).filter(|window| window.is_retired).map(|window| window.until)
    }

    /// From when on it may be removed, if that is known.
    pub(crate) fn removable_at(&self, index: usize) -> Option<Timestamp> {
        Some(self.windows()[index]).filter(|window| window.is_retired)?.trusted_until
    }

    /// When the last certificate of a CA expires, as far as can be told.
    pub(crate) fn last_leaf_ends(&self, index: usize) -> Timestamp {
        let window = self.windows()[index];
        let end =
            later(self.now, window.max_leaf_lifetime.unwrap_or(MAX_LEAF_LIFETIME)).min(window.not_after);
        window.last_leaf_ends().map_or(end, |last| last.min(end))
    }

    /// The one after which none is known to sign.
    pub(crate) fn last(&self) -> Option<usize> {
        let last = |index: &usize| !self.windows()[*index].is_retired && self.windows()[*index].is_awaited;
        self.all().rfind(last)
    }

    fn active(&self) -> Option<usize> {
        let can_sign = |index: &usize| {
            let window = self.windows()[*index];
            window.not_before <= self.now && self.now <= window.until && self.fitness.is_of_use(*index)
        };
        self.schedule.active(self.now).filter(can_sign)
    }

    /// Whether a CA can sign now.
    pub(crate) fn is_signing(&self) -> bool {
        self.active().is_some()
    }

    /// Who signs, in a sentence.
    pub(crate) fn state(&self) -> Remark {
        let Some(active) = self.active() else {
            let starts = self.windows().iter().filter_map(|window| window.from).filter(|at| *at > self.now);
            let text = starts.min().map_or_else(
                || "No CA can sign now.".to_owned(),
                |at| format!("No CA signs before {}.", minute_from_now(at, self.now)),
            );
            return (Tone::Bad, text);
        };
        let name = self.name(active);
        let text = match self.signs_until(active).zip(self.schedule.successor(active)) {
            Some((at, next)) => {
                let at = minute_from_now(at, self.now);
                format!("{name} signs until {at}, then {} does.", self.name(next))
            }
            None => format!("{name} signs."),
        };
        (Tone::Good, text)
    }

    /// What comes, in the order in which it comes.
    pub(crate) fn events(&self) -> Vec<Event> {
        let mut events: Vec<Event> = self.all().flat_map(|index| self.events_of(index)).collect();
        events.retain(|event| event.at > self.now);
        events.sort_by_key(|event| event.at);
        events
    }

    fn events_of(&self, index: usize) -> Vec<Event> {
        let name = self.name(index);
        let mut events = Vec::new();
        if let Some(at) = self.signs_from(index) {
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
            let text = format!(
                "no certificate of {name} lives any more: its root leaves the trust bundle, and it can go{by}"
            );
            events.push(Event { at, text, needs_somebody });
        }
        if self.last() == Some(index) {
            let not_after = self.windows()[index].not_after;
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
            (Phase::Removable, Some(_)) => "now".to_owned(),
            (_, Some(at)) => minute(at),
            (_, None) => "-".to_owned(),
        }
    }
}

/// Something that will happen, or that somebody can or should do then.
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
    pub(crate) needs_somebody: bool,
}

/// How people call a CA.
pub(crate) fn name(id: &str) -> String {
    if id.is_empty() { "the CA without an ID".to_owned() } else { format!("CA {id}") }
}

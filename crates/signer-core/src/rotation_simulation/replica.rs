//! A replica of the manager: it holds some version of the pool, publishes and signs.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{rules::Rules, world::World};
use crate::{
    api::ClusterTrustBundle,
    clock::{Offset, Offsets},
    trust_bundle::{BundleAction, DeletionRecord, DesiredBundle, Published},
};
use ca_pool::{CaPool, Fitness, SigningCa};

#[derive(Clone, Debug)]
pub(super) struct Replica {
    /// How late a changed pool reaches it.
    pub(super) lag: Duration,
    /// By how much its machine's clock is ahead.
    machine_ahead: SignedDuration,
    /// By how much the clock of the API server that it talks to is ahead.
    server_ahead: SignedDuration,
    /// What the answers of that API server have told.
    offsets: Offsets,
    pub(super) is_up: bool,
    /// The version of the pool that it holds.
    pub(super) held: usize,
    deletion_record: DeletionRecord,
}

impl Replica {
    pub(super) fn new(lag: Duration, machine_ahead_seconds: i64) -> Self {
        Self {
            lag,
            machine_ahead: SignedDuration::from_secs(machine_ahead_seconds),
            server_ahead: SignedDuration::ZERO,
            offsets: Offsets::default(),
            is_up: true,
            held: 0,
            deletion_record: DeletionRecord::default(),
        }
    }

    /// The same, by an API server whose clock is ahead.
    pub(super) fn at_server(self, ahead_seconds: i64) -> Self {
        Self { server_ahead: SignedDuration::from_secs(ahead_seconds), ..self }
    }

    pub(super) fn start(&mut self, versions: &[(Timestamp, Arc<CaPool>)]) {
        self.is_up = true;
        self.held = versions.len() - 1;
        self.deletion_record = DeletionRecord::default();
        self.offsets = Offsets::default();
    }

    /// Hears what is published; `None`: there is no bundle.
    pub(super) fn hear(&mut self, published: Option<&Published>, now: Timestamp) {
        if self.is_up {
            let date = Timestamp::from_second(after(now, self.server_ahead).as_second()).unwrap();
            let received = after(now, self.machine_ahead);
            self.offsets.observe(date, after(received, -ROUND_TRIP), received);
            self.deletion_record.note(published, self.offsets.offset().apply(received));
        }
    }

    pub(super) fn learn(&mut self, now: Timestamp, versions: &[(Timestamp, Arc<CaPool>)]) {
        let there = versions.iter().take_while(|(stored, _)| arrives(*stored, self.lag) <= now).count();
        if self.is_up {
            self.held = self.held.max(there.saturating_sub(1));
        }
    }

    /// When the next version of the pool reaches it.
    pub(super) fn next_news(&self, versions: &[(Timestamp, Arc<CaPool>)]) -> Option<Timestamp> {
        let (stored, _) = versions.get(self.held + 1).filter(|_| self.is_up)?;
        Some(arrives(*stored, self.lag))
    }

    /// The bundle that it writes, if it does.
    pub(super) fn publish(&self, world: &World) -> Option<ClusterTrustBundle> {
        if !self.is_up {
            return None;
        }
        let pool = &world.versions[self.held].1;
        let (fitness, now) = (Fitness::default(), self.clock(world));
        let desired = DesiredBundle::new(&world.signer, &std::collections::BTreeMap::new(), pool)
            .without_unneeded(&fitness, Some(now));
        let Some(current) = &world.bundle else {
            if self.holds_back(world) {
                return None;
            }
            return Some(desired.created(&world.resource(), self.clock(world)));
        };
        match desired.repair(current, self.clock(world)) {
            BundleAction::Write(bundle) => Some(*bundle),
            BundleAction::InOrder
            | BundleAction::Settling
            | BundleAction::LabelsDiffer
            | BundleAction::TooLarge(_)
            | BundleAction::ForeignOwner(_)
            | BundleAction::NewerFormat(_)
            | BundleAction::Newer(_) => None,
        }
    }

    /// Under which CA it signs.
    pub(super) fn choose<'a>(&self, world: &'a World) -> Option<(&'a CaPool, SigningCa)> {
        if !self.is_up {
            return None;
        }
        let pool = &world.versions[self.held].1;
        let was_told = world.bundle.is_none() && self.holds_back(world);
        let published = if was_told { &world.published_before } else { &world.published };
        world.rules.choose(published, pool, self.clock(world)).map(|choice| (&**pool, choice))
    }

    fn holds_back(&self, world: &World) -> bool {
        let pool = &world.versions[self.held].1;
        world.rules != Rules::ForgetBundle && self.deletion_record.holds_back(pool, self.clock(world))
    }

    /// The time by which it decides.
    pub(super) fn clock(&self, world: &World) -> Timestamp {
        let machine = after(world.now, self.machine_ahead);
        match world.rules {
            Rules::OwnClock => machine,
            _ => {
                assert!(self.offsets.offset() != Offset::Unknown, "who is up has heard");
                self.offsets.offset().apply(machine)
            }
        }
    }
}

/// How long an answer of the API server takes.
const ROUND_TRIP: SignedDuration = SignedDuration::from_millis(50);

fn after(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap()
}

fn arrives(stored: Timestamp, lag: Duration) -> Timestamp {
    stored.checked_add(lag).unwrap_or(Timestamp::MAX)
}

//! Random schedules: what people, clocks and failures do to a pool, in whatever order.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{
    replica::Replica,
    rules::Rules,
    world::{HOUR, MINUTE, Violation, World},
};
use ca_pool::BUNDLE_PROPAGATION;

/// For how long nobody at all is there to publish. `ACTIVATION_GRACE` covers a day.
const LONGEST_OUTAGE: Duration = Duration::from_secs(20 * 3600);

#[derive(Clone, Debug)]
pub(super) enum Step {
    Wait(Duration),
    /// Until just when something changes by itself.
    WaitForTheNextTurn,
    Rotate {
        after: Duration,
        max_leaf_lifetime: Duration,
        /// By how many hours the clock of whoever does it is ahead.
        ahead: i64,
    },
    Prune,
    Stop(usize),
    Start(usize),
    DeleteBundle,
    StripAnnotations,
}

#[derive(Clone, Debug)]
pub(super) struct Schedule {
    replicas: Vec<Replica>,
    /// A further replica that never hears of a change.
    has_one_cut_off: bool,
    /// Replicas remove what may go. Where people do it, with nothing but the pool's times before them, their
    /// clocks have to be right.
    keeps_itself: bool,
    first_longest_leaf: Duration,
    steps: Vec<Step>,
}

pub(super) fn schedules() -> impl Strategy<Value = Schedule> {
    let replica = (0..=10_u32, seconds_ahead(), -30..=30_i64)
        .prop_map(|(lag, machine, server)| Replica::new(lag * MINUTE, machine).at_server(server));
    let steps = prop::collection::vec(step(), 10..40);
    let flags = (prop::bool::weighted(0.3), any::<bool>());
    (prop::collection::vec(replica, 1..3), flags, max_leaf_lifetime(), steps).prop_map(
        |(replicas, (has_one_cut_off, keeps_itself), first_longest_leaf, steps)| Schedule {
            replicas,
            has_one_cut_off,
            keeps_itself,
            first_longest_leaf,
            steps,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..30_u32).prop_map(|minutes| Step::Wait(minutes * MINUTE)),
        3 => (1..24_u32).prop_map(|hours| Step::Wait(hours * HOUR)),
        6 => Just(Step::WaitForTheNextTurn),
        4 => (15..40_u32, max_leaf_lifetime(), hours_ahead())
            .prop_map(|(minutes, max_leaf_lifetime, ahead)| Step::Rotate { after: minutes * MINUTE, max_leaf_lifetime, ahead }),
        3 => Just(Step::Prune),
        2 => (0..2_usize).prop_map(Step::Stop),
        2 => (0..2_usize).prop_map(Step::Start),
        1 => Just(Step::DeleteBundle),
        1 => Just(Step::StripAnnotations),
    ]
}

/// A machine's clock: right, or off by minutes, days or years.
fn seconds_ahead() -> impl Strategy<Value = i64> {
    const DAY: i64 = 86_400;
    prop_oneof![
        2 => -120..=120_i64,
        1 => -60 * 60..=60 * 60_i64,
        1 => -30 * DAY..=30 * DAY,
        1 => -20 * 365 * DAY..=20 * 365 * DAY,
    ]
}

/// Hours, or days.
fn hours_ahead() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0), 1 => -48..=48_i64, 1 => -1000..=200_i64]
}

fn max_leaf_lifetime() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(HOUR), Just(24 * HOUR), Just(72 * HOUR)]
}

impl Schedule {
    /// Lives through it by these rules.
    pub(super) fn run(&self, rules: Rules) -> Result<(), Violation> {
        let mut replicas = self.replicas.clone();
        if self.has_one_cut_off {
            replicas.push(Replica::new(Duration::from_secs(1 << 40), 0));
        }
        let mut run = Run {
            world: World::new(rules, replicas, self.first_longest_leaf),
            ordinary: self.replicas.len(),
            keeps_itself: self.keeps_itself,
            was_rotated_wrongly: false,
            nobody_since: None,
        };
        self.steps.iter().try_for_each(|step| run.live(step, self.has_one_cut_off))
    }
}

struct Run {
    world: World,
    /// How many replicas aren't cut off.
    ordinary: usize,
    keeps_itself: bool,
    /// By a clock that was wrong.
    was_rotated_wrongly: bool,
    nobody_since: Option<Timestamp>,
}

impl Run {
    fn live(&mut self, step: &Step, has_one_cut_off: bool) -> Result<(), Violation> {
        match step {
            Step::Wait(time) => self.wait(*time)?,
            Step::WaitForTheNextTurn => self.wait(self.until_the_next_turn())?,
            Step::Rotate { after, max_leaf_lifetime, ahead } => {
                let ahead = if self.keeps_itself && self.all_is_known() { *ahead } else { 0 };
                self.was_rotated_wrongly |= ahead != 0;
                self.world.rotate_by(SignedDuration::from_hours(ahead), *after, *max_leaf_lifetime);
            }
            Step::Prune if self.keeps_itself => self.world.remove_as_due(),
            Step::Prune => self.world.prune(),
            Step::Stop(index) => self.stop(*index),
            Step::Start(index) => self.start(*index),
            // what was stripped tells nobody that it is of a newer pool than his own
            Step::StripAnnotations if has_one_cut_off => {}
            // whoever is cut off makes it anew, as he knows it, if nobody else does in time
            Step::DeleteBundle if has_one_cut_off && !self.somebody_keeps_up() => {}
            // while nobody can tell what pods know, activations have to be believed
            Step::DeleteBundle | Step::StripAnnotations
                if self.was_rotated_wrongly && !self.all_is_known() => {}
            Step::DeleteBundle => self.world.delete_bundle(),
            Step::StripAnnotations => self.world.strip_annotations(),
        }
        self.world.settle();
        self.world.check()
    }

    /// Lets time pass. Somebody mends an outage before it gets too long.
    fn wait(&mut self, time: Duration) -> Result<(), Violation> {
        let Some(since) = self.nobody_since else { return self.world.advance(time) };
        let left = LONGEST_OUTAGE.saturating_sub(self.world.now.duration_since(since).unsigned_abs());
        self.world.advance(time.min(left))?;
        if time >= left {
            self.start(0);
            self.world.settle();
            self.world.advance(time.saturating_sub(left))?;
        }
        Ok(())
    }

    fn stop(&mut self, index: usize) {
        let index = index % self.ordinary;
        self.world.replicas[index].is_up = false;
        if self.world.replicas[..self.ordinary].iter().all(|replica| !replica.is_up) {
            self.nobody_since.get_or_insert(self.world.now);
        }
    }

    /// Whether each root of the pool has been published for long enough.
    fn all_is_known(&self) -> bool {
        let world = &self.world;
        let is_known = |root| {
            let since = world.published.since(root);
            since.is_some_and(|since| {
                world.now.duration_since(since).unsigned_abs() > BUNDLE_PROPAGATION + 2 * MINUTE
            })
        };
        world.bundle.is_some() && world.pool().roots().into_iter().all(is_known)
    }

    /// Whether a replica holds the pool of which the bundle was made, or a newer one.
    fn somebody_keeps_up(&self) -> bool {
        let generation = |replica: &Replica| self.world.versions[replica.held].1.generation();
        let mut up = self.world.replicas.iter().filter(|replica| replica.is_up);
        up.any(|replica| generation(replica) >= self.world.published.generation())
    }

    fn start(&mut self, index: usize) {
        let versions = self.world.versions.clone();
        self.world.replicas[index % self.ordinary].start(&versions);
        self.nobody_since = None;
    }

    fn until_the_next_turn(&self) -> Duration {
        let world = &self.world;
        let schedule = world.pool().schedule();
        let activations = schedule.windows().iter().filter_map(|window| window.from);
        let ends = schedule.windows().iter().filter_map(|window| window.trusted_until);
        let stored = world.versions.iter().map(|(at, _)| *at);
        let known = world
            .history
            .iter()
            .map(|(at, _)| *at)
            .chain(stored)
            .map(|at| at.saturating_add(SignedDuration::try_from(BUNDLE_PROPAGATION).unwrap()).unwrap());
        let next = activations.chain(ends).chain(known).filter(|at| *at > world.now).min();
        next.map_or(MINUTE, |at| at.duration_since(world.now).unsigned_abs())
    }
}

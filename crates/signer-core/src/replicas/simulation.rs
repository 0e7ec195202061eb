//! Replicas, an API server and time, all made up: whatever happens to the replicas, no work is lost, none waits
//! for long, and while nothing happens none is done in vain.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use tokio::time::Instant;

use super::{
    ReplicaName,
    turns::{Arrival, Turns},
};

const TICK: Duration = Duration::from_millis(1);
/// From a write to its event, and from the beginning of work to its write by the fastest replica; each other one
/// is always slower than the one before.
const EVENT: u32 = 1;
const WORK: u32 = 4;
/// As the queue has it.
const SLOTS: usize = 32;

/// What happens to a replica, and for how many ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// It is gone, and another one is started.
    Killed,
    /// It does nothing, and hears of everything afterwards.
    Frozen(u32),
}

#[derive(Clone, Debug)]
enum Event {
    Came(String),
    Done(String, ReplicaName),
}

struct Work {
    arrival: Arrival,
    due_since: Option<Instant>,
    is_written: bool,
}

struct Replica {
    name: ReplicaName,
    turns: Turns,
    /// What it has heard of and not yet heard done, in the order in which it came.
    open: BTreeMap<u32, (String, Work)>,
    /// What it is at, and when it writes.
    running: BTreeMap<String, u32>,
    /// How many events it has heard.
    heard: usize,
    frozen_until: u32,
    /// Ticks from the beginning of work to its write.
    takes: u32,
}

#[derive(Default)]
struct World {
    events: Vec<(u32, Event)>,
    done: BTreeSet<String>,
    in_vain: usize,
    slowest: u32,
    came: BTreeMap<String, u32>,
}

impl Replica {
    /// It lists what there is, and watches from then on.
    fn new(number: u8, world: &World) -> Self {
        let name = ReplicaName::new("replica", [number; 4]);
        let mut turns = Turns::new(name.clone());
        let open = world.came.keys().filter(|work| !world.done.contains(*work));
        let mut listed = BTreeMap::new();
        for work in open {
            let entry = Work { arrival: turns.arrived(), due_since: None, is_written: false };
            listed.insert(world.came[work], (work.clone(), entry));
        }
        let (running, heard) = (BTreeMap::new(), world.events.len());
        Self { name, turns, open: listed, running, heard, frozen_until: 0, takes: WORK + u32::from(number) }
    }

    fn tick(&mut self, world: &mut World, tick: u32, now: Instant) {
        if tick < self.frozen_until {
            return;
        }
        while let Some((_, event)) = world.events.get(self.heard).filter(|(at, _)| *at <= tick) {
            self.heard += 1;
            self.hear(&event.clone(), &world.came, now);
        }
        let due: Vec<_> =
            self.running.iter().filter(|(_, at)| **at <= tick).map(|(work, _)| work.clone()).collect();
        for work in due {
            self.running.remove(&work);
            if let Some((_, entry)) = self.open.get_mut(&world.came[&work]) {
                entry.is_written = true;
            }
            if world.done.insert(work.clone()) {
                world.slowest = world.slowest.max(tick - world.came[&work]);
                world.events.push((tick + EVENT, Event::Done(work, self.name.clone())));
            } else {
                world.in_vain += 1;
            }
        }
        self.start(tick, now);
    }

    fn hear(&mut self, event: &Event, came: &BTreeMap<String, u32>, now: Instant) {
        match event {
            Event::Came(work) => {
                let entry = Work { arrival: self.turns.arrived(), due_since: None, is_written: false };
                self.open.insert(came[work], (work.clone(), entry));
            }
            Event::Done(work, by) => {
                let Some((_, entry)) = self.open.remove(&came[work]) else { return };
                self.turns.finished(work, by, entry.arrival, entry.due_since, now);
            }
        }
    }

    fn start(&mut self, tick: u32, now: Instant) {
        let order: Vec<u32> = match self.turns.is_known() {
            true => self.open.keys().copied().collect(),
            false => self.open.keys().rev().copied().collect(),
        };
        for at in order {
            if self.running.len() >= self.turns.concurrency_limit(now).min(SLOTS) {
                return;
            }
            let Some((work, entry)) = self.open.get_mut(&at) else { continue };
            let since = *entry.due_since.get_or_insert(now);
            let is_begun = entry.is_written || self.running.contains_key(work);
            if !is_begun && self.turns.turn(work, entry.arrival, since) <= now {
                self.turns.begun(now);
                self.running.insert(work.clone(), tick + self.takes);
            }
        }
    }
}

/// So many replicas, one piece of work each 20 ms, and what happens when to which of them.
fn simulate(replicas: u8, ticks: u32, faults: &[(u32, usize, Fault)]) -> World {
    let (mut world, begin) = (World::default(), Instant::now());
    let mut all: Vec<_> = (0..replicas).map(|number| Replica::new(number, &world)).collect();
    let mut next = replicas;
    for tick in 0..ticks + 5000 {
        if tick < ticks && tick % 20 == 0 {
            let work = format!("work-{tick:06}");
            world.came.insert(work.clone(), tick);
            world.events.push((tick + EVENT, Event::Came(work)));
        }
        for (_, replica, fault) in faults.iter().filter(|(at, ..)| *at == tick) {
            let replica = replica % all.len();
            match fault {
                Fault::Killed => {
                    all[replica] = Replica::new(next, &world);
                    next = next.wrapping_add(1);
                }
                Fault::Frozen(time) => all[replica].frozen_until = tick + time,
            }
        }
        let now = begin + TICK * tick;
        all.iter_mut().for_each(|replica| replica.tick(&mut world, tick, now));
    }
    world
}

#[test]
fn while_nothing_happens_nothing_is_done_in_vain_once_all_are_known() {
    for replicas in 1..=5 {
        let at_first = simulate(replicas, 50_000, &[]);
        let later = simulate(replicas, 100_000, &[]);
        assert_eq!(later.done.len(), 5_000);
        assert_eq!(later.in_vain, at_first.in_vain, "{replicas}");
        assert!(later.in_vain <= 10 * usize::from(replicas), "{replicas}: {}", later.in_vain);
        assert!(later.slowest <= 50, "{replicas}: {}", later.slowest);
    }
}

#[test]
fn a_dead_replica_delays_its_share_by_a_turn_and_once() {
    let world = simulate(3, 100_000, &[(50_000, 0, Fault::Frozen(u32::MAX / 2))]);
    assert_eq!(world.done.len(), 5_000);
    assert!((100..=150).contains(&world.slowest), "{}", world.slowest);
    let before = simulate(3, 50_000, &[]).in_vain;
    assert!(world.in_vain <= before + 5, "{} of {before}", world.in_vain);
}

fn fault() -> impl Strategy<Value = (u32, usize, Fault)> {
    let fault = prop_oneof![Just(Fault::Killed), (1_u32..3_000).prop_map(Fault::Frozen)];
    (1_000_u32..9_000, 0_usize..5, fault)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_all_work_is_done_soon_and_little_in_vain(
        replicas in 2_u8..=5,
        faults in proptest::collection::vec(fault(), 0..6),
    ) {
        let world = simulate(replicas, 10_000, &faults);
        prop_assert_eq!(world.done.len(), 500);
        // all may be frozen at once
        let frozen = faults.iter().map(|(_, _, fault)| if let Fault::Frozen(time) = fault { *time } else { 0 });
        let longest: u32 = frozen.sum();
        prop_assert!(world.slowest <= longest + 2_000, "{} of {longest}", world.slowest);
        prop_assert!(world.in_vain <= 10 * usize::from(replicas) + 40 * faults.len(), "{}", world.in_vain);
    }
}

//! How the replicas of a signer share its work: without a leader, and without a call for it.
//!
//! Each replica orders all live replicas by a hash of the piece of work and the replica's name. The first one
//! acts at once; the next one after a while, if the work isn't done by then; and so on. So whose turn it is
//! delays work, and forbids nothing: a replica that is wrong about the others does work twice, or late, and
//! loses none. Who lives follows from who answers: the condition of an outcome names the replica that wrote
//! it, which nobody can write who isn't allowed to sign. No clocks of others are compared.

mod name;
#[cfg(test)]
mod simulation;
mod turns;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

pub(crate) use self::name::ReplicaName;
pub(crate) use self::turns::Arrival;
use self::turns::Turns;

/// The replica that wrote a condition, as the condition's message names it: the name of its host or pod, a slash,
/// and digits that are drawn at each start.
///
/// ```
/// let message = "serial number 12; replica signer-manager-7d9f-x2x/010203ff";
/// assert_eq!(signer_core::replica_of_message(message).as_deref(), Some("signer-manager-7d9f-x2x/010203ff"));
/// assert_eq!(signer_core::replica_of_message("serial number 12"), None);
/// ```
#[must_use]
pub fn replica_of_message(message: &str) -> Option<String> {
    ReplicaName::of_message(message).map(|name| name.to_string())
}

/// The replicas of one signer, as this one knows them. Cheap to clone: clones know the same.
#[derive(Clone, Debug)]
pub(crate) struct Replicas(Arc<Mutex<Turns>>);

impl Replicas {
    /// Nobody but this replica.
    pub(crate) fn alone(me: ReplicaName) -> Self {
        Self(Arc::new(Mutex::new(Turns::new(me))))
    }

    /// When this replica's turn has come for a piece of work that has been due `since` then.
    pub(crate) fn turn(&self, work: &str, arrival: Arrival, since: Instant) -> Instant {
        self.lock().turn(work, arrival, since)
    }

    /// This replica has begun with a piece of work, as its turn had come.
    pub(crate) fn begun(&self) {
        self.lock().begun(Instant::now());
    }

    /// A request has come.
    pub(crate) fn arrived(&self) -> Arrival {
        self.lock().arrived()
    }

    /// A request is finished; it had come and been due then, if this replica had looked at it.
    pub(crate) fn finished(
        &self,
        work: &str,
        by: &ReplicaName,
        arrival: Arrival,
        due_since: Option<Instant>,
    ) {
        self.lock().finished(work, by, arrival, due_since, Instant::now());
    }

    /// Whether the others know this replica: it has done work, and they have seen it.
    pub(crate) fn is_known(&self) -> bool {
        self.lock().is_known()
    }

    /// How many pieces of work this replica may take on at once.
    pub(crate) fn concurrency_limit(&self) -> usize {
        self.lock().concurrency_limit(Instant::now())
    }

    /// The others that are known, in alphabetical order.
    pub(crate) fn others(&self) -> Vec<ReplicaName> {
        self.lock().others()
    }

    /// How many replicas there are, this one among them.
    pub(crate) fn live(&self) -> usize {
        self.lock().live()
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        let Self(turns) = self;
        turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

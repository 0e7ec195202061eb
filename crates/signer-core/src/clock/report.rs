//! What is wrong with the clock, for readiness and log.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::timeout;

use super::{Clock, Offset, offset::describe};
use crate::health::{Component, SignerHealth};

/// From when on a machine's clock is worth a warning.
const TOLERATED: SignedDuration = SignedDuration::from_secs(30);

/// How often this machine's clock is compared: somebody may set it at any time.
const INTERVAL: Duration = Duration::from_secs(10);

/// Keeps the health of all signers informed about the clock. Never ends.
pub(crate) async fn report_for_ever(clock: Clock, health: Vec<SignerHealth>) {
    let mut changes = clock.changes();
    // the first answer comes within moments; until then the signers wait for it as for all else
    let _ = timeout(INTERVAL, changes.wait_for(|offset| *offset != Offset::Unknown)).await;
    loop {
        let problem = problem(clock.offset(), clock.machine_ahead());
        for health in &health {
            match &problem {
                None => health.recovered(Component::Clock),
                Some(Problem::Unknown(text)) => health.failed(Component::Clock, text),
                Some(Problem::Off(text)) => health.degraded(Component::Clock, text),
            }
        }
        let is_known = clock.is_known();
        // the sender is the clock's own
        let _ = timeout(INTERVAL, changes.wait_for(|offset| (*offset != Offset::Unknown) != is_known)).await;
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    /// Nothing can be dated.
    Unknown(String),
    /// This machine's clock, or one of the API servers', is wrong.
    Off(String),
}

fn problem(offset: Offset, ahead: SignedDuration) -> Option<Problem> {
    match offset {
        Offset::Unknown => Some(Problem::Unknown(
            "the time of the API server isn't known: no answer of it has carried a `Date` header yet, and certificates are \
             dated by its clock. If it answers, look for a proxy that removes the header"
                .to_owned(),
        )),
        Offset::Disputed { by, .. } => Some(Problem::Off(format!(
            "API servers contradict each other about the time by {}: nothing is removed, published or activated until they \
             agree. Synchronise the clocks of the control plane's machines (NTP)",
            describe(by.unsigned_abs())
        ))),
        Offset::Known(_) if ahead.abs() <= TOLERATED => None,
        Offset::Known(_) => {
            let direction = if ahead.is_positive() { "ahead of" } else { "behind" };
            Some(Problem::Off(format!(
                "this machine's clock is {} {direction} the API server's, by whose clock certificates are dated. Synchronise \
                 the node's clock (NTP): its log times are wrong, and TLS may fail",
                describe(ahead.unsigned_abs())
            )))
        }
    }
}

#[cfg(test)]
mod tests;

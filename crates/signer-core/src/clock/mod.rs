//! The one clock of a process: monotonic, and set by the API server's.
//!
//! Certificates are judged by the API server and by other machines, and replicas must agree on who signs. So
//! nothing that is decided or written depends on this machine's clock: it is read once, goes on
//! monotonically, and is corrected by the `Date` header (RFC 9110 §6.6.1) of each answer of the API server.

mod offset;
mod report;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use http::{HeaderMap, header::DATE};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};
use tokio::sync::watch;

pub(crate) use self::offset::{Offset, Offsets};
pub(crate) use self::report::report_for_ever;

/// The API server's time. Cheap to clone: clones learn together.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    /// What this machine's clock said then.
    began_at: Timestamp,
    offsets: Mutex<Offsets>,
    offset: watch::Sender<Offset>,
}

impl Clock {
    /// A clock that knows this machine's time alone, so far.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            began: Instant::now(),
            began_at: Timestamp::now(),
            offsets: Mutex::default(),
            offset: watch::Sender::new(Offset::Unknown),
        }))
    }

    /// The time as the API server that answered last has it; this machine's until one has answered.
    pub(crate) fn now(&self) -> Timestamp {
        self.offset().apply(self.local())
    }

    /// The same where it is certain enough to write down since when a root is published, to remove a CA, or
    /// to make one. Nothing while no API server has told its time, or while API servers contradict each
    /// other.
    pub(crate) fn certain(&self) -> Option<Timestamp> {
        match self.offset() {
            known @ Offset::Known(_) => Some(known.apply(self.local())),
            Offset::Unknown | Offset::Disputed { .. } => None,
        }
    }

    /// The same, but never later than this machine's clock has it: for what can't be undone, such as the
    /// removal of a CA with its key. One API server of several may be wrong, and this replica may reach no
    /// other; a machine that is late only leaves the removal to others.
    pub(crate) fn certain_for_removal(&self) -> Option<Timestamp> {
        self.certain().map(|now| now.min(Timestamp::now()))
    }

    /// Whether any API server has told its time.
    pub(crate) fn is_known(&self) -> bool {
        self.offset() != Offset::Unknown
    }

    /// What is known of the API server's clock.
    pub(crate) fn offset(&self) -> Offset {
        *self.0.offset.borrow()
    }

    /// By how much this machine's clock is ahead of the API server's now.
    pub(crate) fn machine_ahead(&self) -> SignedDuration {
        Timestamp::now().duration_since(self.now())
    }

    /// The moment at which a request is sent.
    pub(crate) fn sent(&self) -> Timestamp {
        self.local()
    }

    /// Learns from the headers of an answer to what was sent at `sent`. One without a date tells nothing.
    pub(crate) fn answered(&self, headers: &HeaderMap, sent: Timestamp) {
        let Some(date) = date(headers) else { return };
        let mut offsets = self.0.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        offsets.observe(date, sent, self.local());
        let offset = offsets.offset();
        drop(offsets);
        self.0.offset.send_if_modified(|known| std::mem::replace(known, offset) != offset);
    }

    fn local(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.0.began.elapsed()).unwrap_or(SignedDuration::MAX);
        self.0.began_at.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn changes(&self) -> watch::Receiver<Offset> {
        self.0.offset.subscribe()
    }
}

/// The date of an answer, in whole seconds.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(DATE)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests;

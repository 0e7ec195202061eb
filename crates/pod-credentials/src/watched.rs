//! Files that are followed as they change.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
    thread,
    time::{Duration, SystemTime},
};

use crate::{load_error::LoadError, pem::Bytes};

/// What is mounted into a pod and may change: [`Credentials`](crate::Credentials) and [`TrustBundle`](crate::TrustBundle).
pub trait Mounted: sealed::Sealed + Sized + Send + Sync + 'static {
    /// Where it is mounted.
    type Files: fmt::Debug + Send + Sync + 'static;
    #[doc(hidden)]
    fn read(files: &Self::Files) -> Result<Vec<Bytes>, LoadError>;
    #[doc(hidden)]
    fn parse(files: &Self::Files, bytes: &[Bytes], now: SystemTime) -> Result<Self, LoadError>;
    #[doc(hidden)]
    fn still_good(&self, files: &Self::Files, now: SystemTime) -> Result<(), LoadError>;
    #[doc(hidden)]
    fn same_as(&self, other: &Self) -> bool;
    #[doc(hidden)]
    fn describe(&self) -> String;
}

pub(crate) mod sealed {
    /// Keeps others from implementing [`Mounted`](super::Mounted), whose methods may change.
    pub trait Sealed {}

    impl Sealed for crate::Credentials {}
    impl Sealed for crate::TrustBundle {}
}

/// How often files are looked at by default. Kubelet renews a certificate hours before it ends, and new anchors minutes before anything is signed under
/// them; looking costs a read of a few KiB from memory.
pub const DEFAULT_POLL: Duration = Duration::from_secs(5);

/// Mounted files, followed as kubelet changes them. Clones see the same.
///
/// A good file replaces what is in use; a bad one changes nothing but [`Status::problem`], and is looked at again at each poll. There may be nothing to
/// use yet: a program can start before its files are there.
///
/// Files are polled and their bytes compared, since kubelet swaps symlinks and network file systems send no notification.
pub struct Watched<T: Mounted>(Arc<Inner<T>>);

struct Inner<T: Mounted> {
    files: T::Files,
    status: RwLock<Status<T>>,
    /// The bytes of what is in use. Held while looking, so that looks don't overtake each other.
    bytes: Mutex<Vec<Bytes>>,
}

/// How things stand with mounted files.
#[derive(Debug)]
#[non_exhaustive]
pub struct Status<T> {
    /// What is in use: the last good one. It isn't taken away when it expires, as peers may judge with another clock; `problem` then says so.
    pub current: Option<Arc<T>>,
    /// What is wrong with the files now.
    pub problem: Option<LoadError>,
    /// How often one good file has replaced another. Anchors in another order count as no change.
    pub renewals: u64,
    /// Since when `current` has been in use.
    pub since: Option<SystemTime>,
}

/// What a look at the files has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// As before.
    Unchanged,
    /// There is something new in use.
    Changed,
    /// There is a problem, other than the last time. What was in use stays.
    Problem,
}

impl<T: Mounted> Watched<T> {
    /// Looks at the files once, then at each `poll` on a thread of its own, which ends soon after the last clone is gone.
    ///
    /// What changes and what goes wrong is logged (`tracing`).
    ///
    /// # Errors
    /// If no thread can be started. A problem with the files is none: see [`Watched::status`].
    pub fn follow(files: T::Files, poll: Duration) -> io::Result<Self> {
        let watched = Self::once(files, SystemTime::now());
        let inner = Arc::downgrade(&watched.0);
        thread::Builder::new().name("pod-credentials".into()).spawn(move || follow(&inner, poll))?;
        Ok(watched)
    }

    /// Looks at the files once. To follow them, call [`Watched::look`]: for programs with timers, or clocks, of their own.
    #[must_use]
    pub fn once(files: T::Files, now: SystemTime) -> Self {
        let watched =
            Self(Arc::new(Inner { files, status: RwLock::default(), bytes: Mutex::new(Vec::new()) }));
        watched.look(now);
        watched
    }

    /// What is in use, if there has been anything good yet.
    #[must_use]
    pub fn current(&self) -> Option<Arc<T>> {
        self.0.status.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    /// How things stand.
    #[must_use]
    pub fn status(&self) -> Status<T> {
        self.0.status.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is in use, or why there is nothing.
    ///
    /// # Errors
    /// If no good file has been seen yet.
    pub fn ready(&self) -> Result<Arc<T>, NotReady> {
        let status = self.status();
        status.current.ok_or(NotReady(status.problem))
    }

    /// Looks at the files now. It blocks for a read.
    pub fn look(&self, now: SystemTime) -> Look {
        let mut known = self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let looked =
            T::read(&self.0.files).and_then(|bytes| match self.current().filter(|_| bytes == *known) {
                Some(current) => current.still_good(&self.0.files, now).map(|()| None),
                None => T::parse(&self.0.files, &bytes, now).map(|new| Some((new, bytes))),
            });
        let mut status = self.0.status.write().unwrap_or_else(PoisonError::into_inner);
        let look = match looked {
            Ok(None) => status.keep(),
            Ok(Some((new, bytes))) => {
                *known = bytes;
                status.take(new, now)
            }
            Err(problem) => status.refuse(problem),
        };
        drop(status);
        look
    }
}

impl<T: Mounted> Status<T> {
    fn keep(&mut self) -> Look {
        if self.problem.take().is_some() {
            tracing::info!("the problem is gone, and what was loaded last is in use as before");
        }
        Look::Unchanged
    }

    fn take(&mut self, new: T, now: SystemTime) -> Look {
        if self.current.as_ref().is_some_and(|current| current.same_as(&new)) {
            return self.keep();
        }
        self.problem = None;
        tracing::info!("in use from now on: {}", new.describe());
        self.renewals += u64::from(self.current.is_some());
        self.current = Some(Arc::new(new));
        self.since = Some(now);
        Look::Changed
    }

    fn refuse(&mut self, problem: LoadError) -> Look {
        if self.problem.as_ref() == Some(&problem) {
            return Look::Unchanged;
        }
        let kept = if self.current.is_some() { " (what was loaded last stays in use)" } else { "" };
        tracing::warn!("{problem}{kept}");
        self.problem = Some(problem);
        Look::Problem
    }
}

fn follow<T: Mounted>(inner: &Weak<Inner<T>>, poll: Duration) {
    loop {
        thread::sleep(poll);
        let Some(inner) = inner.upgrade() else { return };
        Watched(inner).look(SystemTime::now());
    }
}

/// No good file has been seen yet.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.as_ref().map_or_else(|| "it hasn't been looked at yet".to_owned(), ToString::to_string))]
pub struct NotReady(Option<LoadError>);

/// rustls shows errors of others by their Debug: it is the message.
impl fmt::Debug for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T: Mounted> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Mounted> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("files", &self.0.files).finish_non_exhaustive()
    }
}

impl<T> Clone for Status<T> {
    fn clone(&self) -> Self {
        let Self { current, problem, renewals, since } = self;
        Self { current: current.clone(), problem: problem.clone(), renewals: *renewals, since: *since }
    }
}

impl<T> Default for Status<T> {
    fn default() -> Self {
        Self { current: None, problem: None, renewals: 0, since: None }
    }
}

//! Files that are followed as they change.

#[cfg(test)]
mod tests;

use std::{
    convert::Infallible,
    fmt, io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest;

use crate::{load_error::LoadError, pem::Bytes};

/// What is mounted into a pod and may change: [`Credentials`](crate::Credentials) and
/// [`TrustBundle`](crate::TrustBundle).
pub trait Mounted: sealed::Sealed + Sized + Send + Sync + 'static {
    /// Where it is mounted.
    type Files: Files<Content = Self>;
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

/// Where something is mounted, which says what it is: [`CredentialFiles`](crate::CredentialFiles) and
/// [`TrustFile`](crate::TrustFile).
pub trait Files: fmt::Debug + Send + Sync + 'static {
    /// What is in them.
    type Content: Mounted<Files = Self>;
}

pub(crate) mod sealed {
    /// Keeps others from implementing [`Mounted`](super::Mounted), whose methods may change.
    pub trait Sealed {}

    impl Sealed for crate::Credentials {}
    impl Sealed for crate::TrustBundle {}
}

/// How often files are looked at by default. Kubelet renews a certificate hours before it ends, and new
/// anchors minutes before anything is signed under them; looking costs a read of a few KiB from memory.
pub const DEFAULT_POLL: Duration = Duration::from_secs(5);

/// Mounted files, followed as kubelet changes them. Clones see the same.
///
/// A good file replaces what is in use; a bad one changes nothing but [`Status::problem`], and is looked at
/// again at each poll. There may be nothing to use yet: a program can start before its files are there.
///
/// Files are polled and their bytes compared, since kubelet swaps symlinks and network file systems send no
/// notification.
pub struct Watched<T: Mounted>(Arc<Inner<T>>);

struct Inner<T: Mounted> {
    files: T::Files,
    status: RwLock<Status<T>>,
    /// The digest of what is in use. Held while looking, so that looks don't overtake each other.
    in_use: Mutex<Option<Digest>>,
    hooks: Mutex<Vec<Hook<T>>>,
    /// Dropped, it ends the thread that follows.
    _end: Option<Sender<Infallible>>,
}

type Hook<T> = Arc<dyn Fn(&Arc<T>) + Send + Sync>;

/// How things stand with mounted files.
#[derive(Debug)]
#[non_exhaustive]
pub struct Status<T> {
    /// What is in use: the last good one. It isn't taken away when it expires, as peers may judge with
    /// another clock; `problem` then says so.
    pub current: Option<Arc<T>>,
    /// What is wrong with the files now. What is in use may have come of them all the same: a certificate
    /// that isn't valid yet by this machine's clock, anchors beside a certificate that can't be one.
    pub problem: Option<LoadError>,
    /// How often one good file has replaced another. Anchors in another order count as no change.
    pub renewals: u64,
    /// Since when `current` has been in use.
    pub since: Option<SystemTime>,
    /// When the files were looked at last. If that is several polls ago, the thread that follows is stuck,
    /// such as in whoever writes the log, and a liveness probe may end the process.
    pub last_checked: Option<SystemTime>,
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
    /// Looks at the files once, then at each `poll` (10 ms at least) on a thread of its own, which ends as
    /// soon as the last clone is gone.
    ///
    /// What changes and what goes wrong is logged (`tracing`). Should a look or a log panic, the thread goes
    /// on; should a log never return, it can't, and [`Status::last_checked`] shows it.
    ///
    /// # Errors
    /// If no thread can be started. A problem with the files is none: see [`Watched::status`].
    pub fn follow<F: Files<Content = T>>(files: F, poll: Duration) -> io::Result<Self>
    where
        T: Mounted<Files = F>,
    {
        let (end, ended) = mpsc::channel();
        let watched = Self::new(files, Some(end), SystemTime::now());
        let inner = Arc::downgrade(&watched.0);
        look_at_each(poll, ended, move || {
            if let Some(inner) = inner.upgrade() {
                Self(inner).look(SystemTime::now());
            }
        })?;
        Ok(watched)
    }

    /// Looks at the files once. To follow them, call [`Watched::look`]: for programs with timers, or clocks,
    /// of their own.
    #[must_use]
    pub fn once<F: Files<Content = T>>(files: F, now: SystemTime) -> Self
    where
        T: Mounted<Files = F>,
    {
        Self::new(files, None, now)
    }

    fn new(files: T::Files, end: Option<Sender<Infallible>>, now: SystemTime) -> Self {
        let (status, in_use) = (RwLock::default(), Mutex::default());
        let hooks = Mutex::default();
        let watched = Self(Arc::new(Inner { files, status, in_use, hooks, _end: end }));
        watched.look(now);
        watched
    }

    /// What is in use, if there has been anything good yet.
    #[must_use]
    pub fn current(&self) -> Option<Arc<T>> {
        self.0.current()
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
        let (look, news) = self.0.look(now);
        // behind all locks: whoever writes the log may take long, or ask for the status
        if let Some(news) = news {
            news.log();
        }
        if look == Look::Changed {
            self.0.tell_of_change();
        }
        look
    }

    /// Has `hook` called with what is in use, after each change from now on: to replace a pooled client, or
    /// to count renewals. It runs on the thread that looks, which waits for it; should it panic there, that
    /// thread goes on. It is dropped with the last clone.
    ///
    /// ```
    /// use pod_credentials::{CredentialFiles, DEFAULT_POLL, Watched};
    ///
    /// let credentials = Watched::follow(CredentialFiles::bundle("/run/tls/credentials.pem"), DEFAULT_POLL)?;
    /// credentials.on_change(|new| println!("from now on {}", new.leaf().names().join(", ")));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_change(&self, hook: impl Fn(&Arc<T>) + Send + Sync + 'static) {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(hook));
    }
}

/// What a look has seen that can be used.
enum Seen<T> {
    Same(Option<LoadError>),
    New { new: T, digest: Digest, problem: Option<LoadError> },
}

impl<T: Mounted> Inner<T> {
    fn current(&self) -> Option<Arc<T>> {
        self.status.read().unwrap_or_else(PoisonError::into_inner).current.clone()
    }

    /// Behind all locks, so that a hook may look at the status, or add another one.
    fn tell_of_change(&self) {
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(current) = self.current() {
            hooks.iter().for_each(|hook| hook(&current));
        }
    }

    fn look(&self, now: SystemTime) -> (Look, Option<News>) {
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let seen = read_again_if_torn::<T, _>(&self.files, |bytes| {
            let digest = digest(&bytes);
            if let Some(current) = current.as_ref().filter(|_| *in_use == Some(digest)) {
                return Ok(Seen::Same(current.still_good(&self.files, now).err()));
            }
            let new = T::parse(&self.files, &bytes, now)?;
            let problem = new.still_good(&self.files, now).err();
            Ok(Seen::New { new, digest, problem })
        });
        let mut status = self.status.write().unwrap_or_else(PoisonError::into_inner);
        status.last_checked = Some(now);
        match seen {
            Ok(Seen::Same(problem)) => status.keep(problem),
            Ok(Seen::New { new, digest, problem }) => {
                *in_use = Some(digest);
                status.take(new, problem, now)
            }
            Err(problem) => status.refuse(problem),
        }
    }
}

/// SHA-256 of the files: what is in use is recognised without keeping the key's text.
type Digest = [u8; 32];

fn digest(files: &[Bytes]) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    for bytes in files {
        context.update(&bytes.len().to_be_bytes());
        context.update(bytes);
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// Reads and parses.
pub(crate) fn read_and_parse<T: Mounted>(files: &T::Files, now: SystemTime) -> Result<T, LoadError> {
    read_again_if_torn::<T, _>(files, |bytes| T::parse(files, &bytes, now))
}

/// A read that kubelet's swap of folders has come between is repeated once: a swap takes microseconds, and
/// comes once in hours.
fn read_again_if_torn<T: Mounted, R>(
    files: &T::Files,
    parse: impl Fn(Vec<Bytes>) -> Result<R, LoadError>,
) -> Result<R, LoadError> {
    let read = || T::read(files).and_then(&parse);
    match read() {
        Err(error) if error.may_pass_at_once() => read(),
        other => other,
    }
}

/// What there is to log after a look.
enum News {
    InUse { what: String, problem: Option<LoadError> },
    Recovered,
    Problem { problem: LoadError, kept: bool },
}

impl News {
    fn log(self) {
        match self {
            Self::InUse { what, problem } => {
                tracing::info!("in use from now on: {what}");
                if let Some(problem) = problem {
                    tracing::warn!("{problem}");
                }
            }
            Self::Recovered => {
                tracing::info!("the problem is gone, and what was loaded last is in use as before");
            }
            Self::Problem { problem, kept } => {
                let kept = if kept { " (what was loaded last stays in use)" } else { "" };
                tracing::warn!("{problem}{kept}");
            }
        }
    }
}

impl<T: Mounted> Status<T> {
    fn keep(&mut self, problem: Option<LoadError>) -> (Look, Option<News>) {
        match problem {
            Some(problem) => self.refuse(problem),
            None => (Look::Unchanged, self.problem.take().map(|_| News::Recovered)),
        }
    }

    fn take(&mut self, new: T, problem: Option<LoadError>, now: SystemTime) -> (Look, Option<News>) {
        let (what, new) = (new.describe(), Arc::new(new));
        let replaced = self.current.replace(Arc::clone(&new));
        if replaced.as_ref().is_some_and(|replaced| replaced.same_as(&new)) {
            return self.keep(problem);
        }
        self.renewals += u64::from(replaced.is_some());
        self.since = Some(now);
        self.problem.clone_from(&problem);
        (Look::Changed, Some(News::InUse { what, problem }))
    }

    fn refuse(&mut self, problem: LoadError) -> (Look, Option<News>) {
        let last = self.problem.replace(problem.clone());
        if last.is_some_and(|last| problem.repeats(&last)) {
            return (Look::Unchanged, None);
        }
        (Look::Problem, Some(News::Problem { problem, kept: self.current.is_some() }))
    }
}

/// Less would be a loop without a pause.
const SHORTEST_POLL: Duration = Duration::from_millis(10);

/// Looks on a thread of its own, until the sender of `ended` is dropped, as the last handle of what is followed is.
pub(crate) fn look_at_each(
    poll: Duration,
    ended: Receiver<Infallible>,
    look: impl Fn() + Send + 'static,
) -> io::Result<()> {
    let follow = move || {
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(poll.max(SHORTEST_POLL)) {
            // Whoever writes the log is foreign code. What it panics with, the panic hook has shown.
            if panic::catch_unwind(AssertUnwindSafe(&look)).is_err() {
                let log = || {
                    tracing::error!("a look at the mounted files has panicked; the next follows in {poll:?}");
                };
                drop(panic::catch_unwind(log));
            }
        }
    };
    thread::Builder::new().name("pod-credentials".into()).spawn(follow)?;
    Ok(())
}

/// No good file has been seen yet.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.as_ref().map_or_else(|| "it hasn't been looked at yet".to_owned(), ToString::to_string))]
pub struct NotReady(Option<LoadError>);

impl NotReady {
    /// What is wrong with the files.
    #[must_use]
    pub fn problem(&self) -> Option<&LoadError> {
        self.0.as_ref()
    }
}

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
        let Self { current, problem, renewals, since, last_checked } = self;
        Self {
            current: current.clone(),
            problem: problem.clone(),
            renewals: *renewals,
            since: *since,
            last_checked: *last_checked,
        }
    }
}

impl<T> Default for Status<T> {
    fn default() -> Self {
        Self { current: None, problem: None, renewals: 0, since: None, last_checked: None }
    }
}

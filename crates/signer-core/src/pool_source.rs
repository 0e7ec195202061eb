//! Pools that follow where they are kept.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::watch, task::spawn_blocking, time::timeout};

use ca_pool::{AsOf, CaPool, Fitness, PoolSource};

/// How often files are looked at by default. Kubelet brings a changed Secret within a minute or two; this
/// adds little.
pub const DEFAULT_POLL: Duration = Duration::from_secs(5);

/// What is known of a pool.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PoolState {
    /// The last good pool.
    pub pool: Option<Arc<CaPool>>,
    /// What is wrong with the files now. Where there is a pool too, it is an older one, and stays in use.
    pub problem: Option<String>,
    /// What others make of the pool's CAs, once that was found out.
    pub(crate) fitness: Arc<Fitness>,
}

/// Follows a pool's files: looks at once, then at each `poll`. A good pool replaces the last one; whatever is
/// wrong is said and leaves the last good pool in use. Until the first look there is neither pool nor
/// problem.
///
/// The future does the work; whoever calls spawns it. It ends when all receivers are gone.
///
/// ```
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use signer_core::{PoolSource, pool_source::{DEFAULT_POLL, watch_pool}};
///
/// let (mut state, follow) = watch_pool(PoolSource::PoolFile("/nowhere/pool.json".into()), DEFAULT_POLL);
/// tokio::spawn(follow);
/// state.changed().await?;
/// assert!(state.borrow().problem.as_deref().unwrap_or_default().contains("signerctl ca-pool create"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn watch_pool(
    source: PoolSource,
    poll: Duration,
) -> (watch::Receiver<PoolState>, impl Future<Output = ()> + Send + 'static) {
    watch_pool_by(source, poll, || None)
}

/// The same by a clock: of several ways up, the one that is best at the time is taken ([`CaPool::as_of`]),
/// and looked for anew when one begins or ends.
pub(crate) fn watch_pool_by(
    source: PoolSource,
    poll: Duration,
    clock: impl Fn() -> Option<Timestamp> + Send + 'static,
) -> (watch::Receiver<PoolState>, impl Future<Output = ()> + Send + 'static) {
    let (sender, receiver) = watch::channel(PoolState::default());
    (receiver, follow(Files { source, clock, known: Known::default() }, poll, sender))
}

/// Looks at where a pool is kept.
pub(crate) trait PoolReader: Send + 'static {
    /// Tells what is new beside the pool in use; `None` where the process ends.
    fn look(&mut self, in_use: Option<Arc<CaPool>>) -> impl Future<Output = Option<News>> + Send;
}

/// What a look gave.
pub(crate) enum News {
    /// Nothing.
    Unchanged,
    /// The pool in use is there.
    InUse,
    /// Another one is.
    Pool(Arc<CaPool>),
    /// None can be read.
    Problem(String),
}

/// Looks again and again, and publishes what is new, until nobody is left to hear of it.
pub(crate) async fn follow(mut reader: impl PoolReader, poll: Duration, sender: watch::Sender<PoolState>) {
    loop {
        let in_use = sender.borrow().pool.clone();
        let Some(news) = reader.look(in_use).await else { return };
        publish(&sender, news);
        if timeout(poll, sender.closed()).await.is_ok() {
            return;
        }
    }
}

struct Files<C> {
    source: PoolSource,
    clock: C,
    known: Known,
}

impl<C: Fn() -> Option<Timestamp> + Send + 'static> PoolReader for Files<C> {
    async fn look(&mut self, _in_use: Option<Arc<CaPool>>) -> Option<News> {
        let (source, before, now) = (self.source.clone(), self.known, (self.clock)());
        // Reading blocks, and so do the signatures that are verified. It fails when the runtime shuts down.
        let (known, news) = spawn_blocking(move || look(&source, before, now)).await.ok()?;
        self.known = known;
        Some(news)
    }
}

/// What was seen last.
#[derive(Clone, Copy, Default)]
struct Known {
    digest: Option<[u8; 32]>,
    /// For how long the same bytes make the same pool.
    as_of: Option<AsOf>,
}

/// Compares with what was seen last, so that files that stand still cost a read and a digest. After a problem
/// with reading, the same bytes count as news again.
fn look(source: &PoolSource, known: Known, now: Option<Timestamp>) -> (Known, News) {
    let bytes = match source.read() {
        Ok(bytes) => bytes,
        Err(error) => return (Known::default(), News::Problem(error.to_string())),
    };
    let digest = Some(bytes.digest());
    let is_news = known.digest != digest;
    let holds = || now.zip(known.as_of).is_none_or(|(now, as_of)| as_of.holds_at(now));
    if !is_news && holds() {
        return (known, News::Unchanged);
    }
    match source.parse(&bytes) {
        Ok(pool) => {
            if is_news {
                // once for each content, as files that kubelet mounts change their mode with it
                let told = source.exposed_key().into_iter().chain(pool.left_aside());
                told.for_each(|problem| tracing::warn!("{source}: {problem}"));
            }
            let (pool, as_of) = match now {
                Some(now) => {
                    let (pool, as_of) = pool.with_paths_at(now);
                    (pool, Some(as_of))
                }
                None => (pool, None),
            };
            (Known { digest, as_of }, News::Pool(Arc::new(pool)))
        }
        Err(error) => (Known { digest, as_of: None }, News::Problem(error.to_string())),
    }
}

fn publish(sender: &watch::Sender<PoolState>, news: News) {
    sender.send_if_modified(|state| match news {
        News::Unchanged => false,
        News::InUse => state.problem.take().is_some(),
        News::Pool(pool) => {
            *state = PoolState { pool: Some(pool), ..PoolState::default() };
            true
        }
        News::Problem(problem) if state.problem.as_ref() == Some(&problem) => false,
        News::Problem(problem) => {
            state.problem = Some(problem);
            true
        }
    });
}

#[cfg(test)]
mod tests;

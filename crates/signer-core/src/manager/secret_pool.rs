//! A CA pool in a Secret: read by polling, and, where the operator wants it, kept without people.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::Client;
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, timeout},
};

use super::{
    allowed_changes::{allowed_changes, removal, standing_in},
    secret_content::{SecretPoolError, change, holding, pool_of},
};
use crate::pool_source::{News, PoolReader, PoolState, follow};
use crate::{
    api::{SecretDocument, SecretError, Secrets},
    clock::Clock,
    replicas::{Arrival, Replicas},
    trust_bundle::Published,
};
use ca_pool::{AsOf, AutomaticRotation, CaPool, Due, Fitness, Leaf, PoolSource, SecretPool};

/// How often the Secret is read. A watch would need permission for every Secret of the namespace; get and
/// update can be granted for one.
const POLL: Duration = Duration::from_secs(10);

/// How often a Secret that others write at the same time is read again at once.
const LOOKS_AT_ONCE: usize = 4;

/// What a look at the Secret gave.
enum Found {
    /// The pool that is in use.
    InUse,
    /// Another one.
    Pool(CaPool),
    /// Somebody else has written in between; what they wrote has to be read.
    Overtaken,
}

/// Follows a Secret, and rotates its pool for a signer of these examples if that is wanted, as far as what is
/// `published` permits it. The future does the work, and ends when all receivers are gone.
pub(crate) fn follow_secret(
    client: &Client,
    clock: Clock,
    source: SecretPool,
    replicas: Replicas,
    mut published: watch::Receiver<Option<Published>>,
    examples: Arc<[Leaf]>,
) -> (watch::Receiver<PoolState>, impl Future<Output = ()> + Send + 'static) {
    let (sender, receiver) = watch::channel(PoolState::default());
    let secrets = Secrets::new(client.clone(), &source.namespace);
    (receiver, async move {
        if source.automatic_rotation.is_some() {
            // an empty Secret is filled at once where that is allowed; whoever doesn't learn in time what is
            // published looks again later
            let _ = timeout(POLL, published.wait_for(Option::is_some)).await;
        }
        let rotator = Rotator { secrets, clock, source, replicas, published, examples };
        follow(SecretReader { rotator, known: Known::default() }, POLL, sender).await;
    })
}

struct SecretReader {
    rotator: Rotator,
    known: Known,
}

impl PoolReader for SecretReader {
    async fn look(&mut self, in_use: Option<Arc<CaPool>>) -> Option<News> {
        let Self { rotator, known } = self;
        if known.as_of.is_some_and(|as_of| !as_of.holds_at(rotator.clock.now())) {
            known.version = None;
        }
        Some(rotator.look(known, in_use).await)
    }
}

struct Rotator {
    secrets: Secrets,
    clock: Clock,
    source: SecretPool,
    replicas: Replicas,
    published: watch::Receiver<Option<Published>>,
    examples: Arc<[Leaf]>,
}

/// What was seen last.
#[derive(Default)]
struct Known {
    /// The version of the Secret whose pool is in use.
    version: Option<String>,
    /// For how long that makes the same pool.
    as_of: Option<AsOf>,
    /// What others make of a pool that wants CAs removed, and the version of the Secret that holds it.
    fitness: Option<(String, Arc<Fitness>)>,
    /// Since when this version of the Secret has had to be changed.
    due_since: Option<(String, Instant)>,
}

impl Rotator {
    /// Reads the Secret, and does what is due.
    async fn look(&self, known: &mut Known, in_use: Option<Arc<CaPool>>) -> News {
        let mut result = Ok(Found::Overtaken);
        for _ in 0..LOOKS_AT_ONCE {
            result = self.read_and_keep(known, in_use.clone()).await;
            if !matches!(result, Ok(Found::Overtaken)) {
                break;
            }
        }
        match result {
            Ok(Found::Overtaken) => News::Unchanged,
            Ok(Found::InUse) => News::InUse,
            Ok(Found::Pool(pool)) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                pool.left_aside().iter().for_each(|told| tracing::warn!(namespace, name, "CA pool: {told}"));
                let (pool, as_of) = pool.with_paths_at(self.clock.now());
                known.as_of = Some(as_of);
                News::Pool(Arc::new(pool))
            }
            Err(error) => {
                known.version = None;
                News::Problem(format!("{}: {error}", PoolSource::Secret(self.source.clone())))
            }
        }
    }

    /// Finds a pool if it is another than the known one.
    async fn read_and_keep(
        &self,
        known: &mut Known,
        in_use: Option<Arc<CaPool>>,
    ) -> Result<Found, SecretPoolError> {
        // read before the Secret: whoever sees a bundle sees the pool that it was made of too
        let published = self.published.borrow().clone();
        let secret = self.secrets.get(&self.source.name).await.map_err(SecretPoolError::Read)?;
        let Some(automatic_rotation) = &self.source.automatic_rotation else {
            let secret = secret.ok_or_else(|| self.no_secret())?;
            return found(pool_of(&secret, false)?, &secret, known);
        };
        let secret = match secret {
            Some(secret) => secret,
            None => match self.create_empty().await? {
                Some(secret) => secret,
                None => return Ok(Found::Overtaken),
            },
        };
        let pool = pool_of(&secret, true)?;
        if let Some(in_use) = in_use
            && pool.as_ref().is_none_or(|pool| pool.yields_to(&in_use))
        {
            return self.write_back(&secret, &in_use).await;
        }
        let Some(now) = self.clock.certain_for_removal() else {
            return if pool.is_some() {
                found(pool, &secret, known)
            } else {
                Err(SecretPoolError::TimeUncertain)
            };
        };
        let due = automatic_rotation.due(pool.as_ref(), now, standing_in(published.as_ref()));
        let due = allowed_changes(due, pool.as_ref(), published.as_ref(), now)?;
        let (pool, due) = match (pool, due) {
            (Some(pool), Due::Removal(ids)) => {
                let (pool, fitness) = self.examined(pool, secret.version(), known).await?;
                let due = removal(ids, &pool, &fitness, published.as_ref(), now);
                (Some(pool), due)
            }
            other => other,
        };
        if due == Due::Nothing {
            return found(pool, &secret, known);
        }
        if pool.is_some() && self.is_turn_of_others(secret.version(), known) {
            return found(pool, &secret, known);
        }
        known.version = None;
        self.write(secret, pool, automatic_rotation.clone(), due, now).await
    }

    /// Whether other replicas have time to change this version of the Secret, before this one does it.
    fn is_turn_of_others(&self, version: &str, known: &mut Known) -> bool {
        let now = Instant::now();
        if known.due_since.as_ref().is_none_or(|(of, _)| of != version) {
            known.due_since = Some((version.to_owned(), now));
        }
        let since = known.due_since.as_ref().map_or(now, |(_, since)| *since);
        let SecretPool { namespace, name, .. } = &self.source;
        self.replicas.turn(&format!("{namespace}/{name}"), Arrival::LATEST, since) > now
    }

    /// What others make of a pool's CAs, which is found out once for each version: it takes signatures.
    async fn examined(
        &self,
        pool: CaPool,
        version: &str,
        known: &mut Known,
    ) -> Result<(CaPool, Arc<Fitness>), SecretPoolError> {
        if let Some((_, fitness)) = known.fitness.as_ref().filter(|(of, _)| of == version) {
            return Ok((pool, fitness.clone()));
        }
        let examples = self.examples.clone();
        let examined = spawn_blocking(move || {
            let fitness = Arc::new(pool.fitness(&examples));
            (pool, fitness)
        });
        let (pool, fitness) = examined.await.map_err(|_| SecretPoolError::Thread)?;
        known.fitness = Some((version.to_owned(), fitness.clone()));
        Ok((pool, fitness))
    }

    fn no_secret(&self) -> SecretPoolError {
        let SecretPool { namespace, name, .. } = &self.source;
        SecretPoolError::NoSecret { namespace: namespace.clone(), name: name.clone() }
    }

    /// Creates the Secret where that is allowed. It can't be allowed for one name alone, so
    /// usually it isn't.
    async fn create_empty(&self) -> Result<Option<SecretDocument>, SecretPoolError> {
        let SecretPool { namespace, name, .. } = &self.source;
        match self.secrets.create(&SecretDocument::new(namespace, name)).await {
            Ok(()) => self.secrets.get(name).await.map_err(SecretPoolError::Read),
            Err(error) if is_status(&error, &[409]) => Ok(None),
            Err(error) if is_status(&error, &[403, 404]) => Err(self.no_secret()),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }

    /// A Secret that was emptied, or deleted and made anew, or overwritten with an older version, gets back
    /// what is in use. Whoever has certificates of that would refuse those of another pool.
    async fn write_back(&self, secret: &SecretDocument, in_use: &CaPool) -> Result<Found, SecretPoolError> {
        match self.secrets.replace(&self.source.name, &holding(secret, in_use)?).await {
            Ok(()) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                tracing::warn!(
                    namespace,
                    name,
                    "the Secret had lost its CA pool, or had an older one; the one in use was written back"
                );
                Ok(Found::InUse)
            }
            Err(error) if is_status(&error, &[409]) => Ok(Found::Overtaken),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }

    /// Writes the changed pool. Of several replicas one wins; the others read what it wrote.
    async fn write(
        &self,
        secret: SecretDocument,
        pool: Option<CaPool>,
        automatic_rotation: AutomaticRotation,
        due: Due,
        now: Timestamp,
    ) -> Result<Found, SecretPoolError> {
        let (secret, changed) = spawn_blocking(move || change(secret, pool, &automatic_rotation, &due, now))
            .await
            .map_err(|_| SecretPoolError::Thread)??;
        match self.secrets.replace(&self.source.name, &secret).await {
            Ok(()) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                tracing::info!(namespace, name, generation = changed.generation(), "CA pool written");
                Ok(Found::Pool(changed))
            }
            Err(error) if is_status(&error, &[409]) => Ok(Found::Overtaken),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }
}

/// The pool of a Secret that needs nothing, if it is another than the known one.
fn found(pool: Option<CaPool>, secret: &SecretDocument, known: &mut Known) -> Result<Found, SecretPoolError> {
    let pool = pool.ok_or(SecretPoolError::NoPool)?;
    let is_news = known.version.as_deref() != Some(secret.version());
    known.version = Some(secret.version().to_owned());
    Ok(if is_news { Found::Pool(pool) } else { Found::InUse })
}

fn is_status(error: &SecretError, codes: &[u16]) -> bool {
    matches!(error, SecretError::Call(kube::Error::Api(status)) if codes.contains(&status.code))
}

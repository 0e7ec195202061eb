//! A CA pool in a Secret: read by polling, and, where the operator wants it, kept without people.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
use kube::Client;
use tokio::{sync::watch, task::spawn_blocking, time::timeout};

use super::{
    permitted::{permitted, standing_in},
    secret_content::{SecretPoolError, change, holding, pool_of},
};
use crate::{
    api::{SecretDocument, SecretError, Secrets},
    ca_pool::{CaPool, Due, PoolState, Upkeep},
    clock::Clock,
    leaf::Leaf,
    trust_bundle::Published,
};

/// How often the Secret is read. A watch would need permission for every Secret of the namespace; get and update can be granted for one.
const POLL: Duration = Duration::from_secs(10);

/// A Secret that holds a CA pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPool {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How it keeps itself; `None`: it is only read.
    pub upkeep: Option<Upkeep>,
}

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

/// Follows a Secret, and keeps its pool for a signer of these examples if that is wanted, as far as what is
/// `published` permits it. The future does the work, and ends when all receivers are gone.
pub(crate) fn follow_secret(
    client: &Client,
    clock: Clock,
    source: SecretPool,
    mut published: watch::Receiver<Option<Published>>,
    examples: Arc<[Leaf]>,
) -> (watch::Receiver<PoolState>, impl Future<Output = ()> + Send + 'static) {
    let (sender, receiver) = watch::channel(PoolState::default());
    let secrets = Secrets::new(client.clone(), &source.namespace);
    (receiver, async move {
        if source.upkeep.is_some() {
            // an empty Secret is filled at once where that is permitted; whoever doesn't learn in time what is published looks again later
            let _ = timeout(POLL, published.wait_for(Option::is_some)).await;
        }
        let keeper = Keeper { secrets, clock, source, published, examples };
        let (mut version, mut changes) = (None, None);
        loop {
            if changes.is_some_and(|changes| changes <= keeper.clock.now()) {
                version = None;
            }
            keeper.look(&mut version, &mut changes, &sender).await;
            if timeout(POLL, sender.closed()).await.is_ok() {
                return;
            }
        }
    })
}

struct Keeper {
    secrets: Secrets,
    clock: Clock,
    source: SecretPool,
    published: watch::Receiver<Option<Published>>,
    examples: Arc<[Leaf]>,
}

impl Keeper {
    /// Reads the Secret, does what is due, and tells what is new. `changes` is when the same Secret may make another pool.
    async fn look(
        &self,
        version: &mut Option<String>,
        changes: &mut Option<Timestamp>,
        sender: &watch::Sender<PoolState>,
    ) {
        let in_use = sender.borrow().pool.clone();
        let mut result = Ok(Found::Overtaken);
        for _ in 0..LOOKS_AT_ONCE {
            result = self.read_and_keep(version, in_use.clone()).await;
            if !matches!(result, Ok(Found::Overtaken)) {
                break;
            }
        }
        sender.send_if_modified(|state| match result {
            Ok(Found::Overtaken) => false,
            Ok(Found::InUse) => state.problem.take().is_some(),
            Ok(Found::Pool(pool)) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                let now = self.clock.now();
                pool.left_aside().iter().for_each(|told| tracing::warn!(namespace, name, "CA pool: {told}"));
                *changes = pool.changes_paths_at(now);
                state.pool = Some(Arc::new(pool.as_of(now)));
                state.problem = None;
                true
            }
            Err(error) => {
                *version = None;
                let problem =
                    format!("CA pool in Secret {}/{}: {error}", self.source.namespace, self.source.name);
                let is_news = state.problem.as_ref() != Some(&problem);
                state.problem = Some(problem);
                is_news
            }
        });
    }

    /// Finds a pool if it is another than that of `version`.
    async fn read_and_keep(
        &self,
        version: &mut Option<String>,
        in_use: Option<Arc<CaPool>>,
    ) -> Result<Found, SecretPoolError> {
        // read before the Secret: whoever sees a bundle sees the pool that it was made of too
        let published = self.published.borrow().clone();
        let secret = self.secrets.get(&self.source.name).await.map_err(SecretPoolError::Read)?;
        let Some(upkeep) = &self.source.upkeep else {
            let secret = secret.ok_or_else(|| self.no_secret())?;
            return found(pool_of(&secret, false)?, &secret, version);
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
                found(pool, &secret, version)
            } else {
                Err(SecretPoolError::TimeUncertain)
            };
        };
        let due = upkeep.due(pool.as_ref(), now, standing_in(published.as_ref()));
        let due = permitted(due, pool.as_ref(), published.as_ref(), &self.examples, now)?;
        if due == Due::Nothing {
            return found(pool, &secret, version);
        }
        *version = None;
        self.write(secret, pool, upkeep.clone(), due, now).await
    }

    fn no_secret(&self) -> SecretPoolError {
        let SecretPool { namespace, name, .. } = &self.source;
        SecretPoolError::NoSecret { namespace: namespace.clone(), name: name.clone() }
    }

    /// Creates the Secret where that is permitted. It can't be permitted for one name alone, so usually it isn't.
    async fn create_empty(&self) -> Result<Option<SecretDocument>, SecretPoolError> {
        let SecretPool { namespace, name, .. } = &self.source;
        match self.secrets.create(&SecretDocument::new(namespace, name)).await {
            Ok(()) => self.secrets.get(name).await.map_err(SecretPoolError::Read),
            Err(error) if is_status(&error, &[409]) => Ok(None),
            Err(error) if is_status(&error, &[403, 404]) => Err(self.no_secret()),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }

    /// A Secret that was emptied, or deleted and made anew, or overwritten with an older version, gets back what is in use. Whoever has certificates of that would refuse
    /// those of another pool.
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
        upkeep: Upkeep,
        due: Due,
        now: Timestamp,
    ) -> Result<Found, SecretPoolError> {
        if due == Due::EarlierTurn {
            tracing::warn!(
                namespace = self.source.namespace,
                name = self.source.name,
                "the next CA's turn would come when no other can sign any more; it comes earlier now"
            );
        }
        let (secret, changed) = spawn_blocking(move || change(secret, pool, &upkeep, &due, now))
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

/// The pool of a Secret that needs nothing, if it is another than that of `version`.
fn found(
    pool: Option<CaPool>,
    secret: &SecretDocument,
    version: &mut Option<String>,
) -> Result<Found, SecretPoolError> {
    let pool = pool.ok_or(SecretPoolError::NoPool)?;
    let is_news = version.as_deref() != Some(secret.version());
    *version = Some(secret.version().to_owned());
    Ok(if is_news { Found::Pool(pool) } else { Found::InUse })
}

fn is_status(error: &SecretError, codes: &[u16]) -> bool {
    matches!(error, SecretError::Call(kube::Error::Api(status)) if codes.contains(&status.code))
}

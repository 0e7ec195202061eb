//! A CA pool in a Secret: read by polling, and, where the operator wants it, kept without people.

use std::{future::Future, sync::Arc, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{Api, Client, api::PostParams};
use tokio::{sync::watch, task::spawn_blocking, time::timeout};

use crate::{
    authority::{SigningKey, SigningKeyError, SigningKeyType},
    ca_pool::{CaPool, Due, Ingredients, PoolError, PoolState, Upkeep, UpkeepError},
    watching::{describe, is_status},
};

/// The key of the Secret under which the pool stands.
const KEY: &str = "pool";
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

/// Why there is no pool in a Secret.
#[derive(Debug, thiserror::Error)]
enum SecretPoolError {
    #[error("reading the Secret: {}", describe(.0))]
    Read(#[source] kube::Error),
    #[error(
        "there is no such Secret; create it with `kubectl create secret generic`, empty where the signer keeps its pool itself"
    )]
    NoSecret,
    #[error("it has no key `{KEY}`; make the pool with `signerctl ca-pool create --namespace … --name …`")]
    NoPool,
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Upkeep(#[from] UpkeepError),
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error("the system gives no random numbers")]
    Random,
    #[error("the thread that makes keys ended early")]
    Thread,
    #[error("writing the Secret: {}", describe(.0))]
    Write(#[source] kube::Error),
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

/// Follows a Secret, and keeps its pool if that is wanted. The future does the work, and ends when all receivers are gone.
pub(crate) fn follow_secret(
    client: Client,
    source: SecretPool,
) -> (watch::Receiver<PoolState>, impl Future<Output = ()> + Send + 'static) {
    let (sender, receiver) = watch::channel(PoolState::default());
    let keeper = Keeper { api: Api::namespaced(client, &source.namespace), source };
    (receiver, async move {
        let mut version = None;
        loop {
            keeper.look(&mut version, &sender).await;
            if timeout(POLL, sender.closed()).await.is_ok() {
                return;
            }
        }
    })
}

struct Keeper {
    api: Api<Secret>,
    source: SecretPool,
}

impl Keeper {
    /// Reads the Secret, does what is due, and tells what is new.
    async fn look(&self, version: &mut Option<String>, sender: &watch::Sender<PoolState>) {
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
                state.pool = Some(Arc::new(pool));
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
        let secret = self.api.get_opt(&self.source.name).await.map_err(SecretPoolError::Read)?;
        let Some(upkeep) = &self.source.upkeep else {
            let secret = secret.ok_or(SecretPoolError::NoSecret)?;
            return found(pool_of(&secret)?, &secret, version);
        };
        let secret = match secret {
            Some(secret) => secret,
            None => match self.create_empty().await? {
                Some(secret) => secret,
                None => return Ok(Found::Overtaken),
            },
        };
        let pool = pool_of(&secret)?;
        if let Some(in_use) = in_use
            && pool.as_ref().is_none_or(|pool| pool.yields_to(&in_use))
        {
            return self.write_back(secret, &in_use).await;
        }
        let due = upkeep.due(pool.as_ref(), Timestamp::now());
        if due == Due::Nothing {
            return found(pool, &secret, version);
        }
        *version = None;
        self.write(secret, pool, upkeep.clone(), due).await
    }

    /// Creates the Secret where that is permitted. It can't be permitted for one name alone, so usually it isn't.
    async fn create_empty(&self) -> Result<Option<Secret>, SecretPoolError> {
        let metadata = ObjectMeta { name: Some(self.source.name.clone()), ..ObjectMeta::default() };
        match self.api.create(&PostParams::default(), &Secret { metadata, ..Secret::default() }).await {
            Ok(secret) => Ok(Some(secret)),
            Err(error) if is_status(&error, 409) => Ok(None),
            Err(error) if is_status(&error, 403) || is_status(&error, 404) => Err(SecretPoolError::NoSecret),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }

    /// A Secret that was emptied, or deleted and made anew, or overwritten with an older version, gets back what is in use. Whoever has certificates of that would refuse
    /// those of another pool.
    async fn write_back(&self, mut secret: Secret, in_use: &CaPool) -> Result<Found, SecretPoolError> {
        let json = ByteString(in_use.to_json()?.to_vec());
        secret.data.get_or_insert_default().insert(KEY.to_owned(), json);
        match self.api.replace(&self.source.name, &PostParams::default(), &secret).await {
            Ok(_) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                tracing::warn!(
                    namespace,
                    name,
                    "the Secret had lost its CA pool, or had an older one; the one in use was written back"
                );
                Ok(Found::InUse)
            }
            Err(error) if is_status(&error, 409) => Ok(Found::Overtaken),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }

    /// Writes the changed pool. Of several replicas one wins; the others read what it wrote.
    async fn write(
        &self,
        secret: Secret,
        pool: Option<CaPool>,
        upkeep: Upkeep,
        due: Due,
    ) -> Result<Found, SecretPoolError> {
        let (secret, changed) = spawn_blocking(move || change(secret, pool, &upkeep, &due))
            .await
            .map_err(|_| SecretPoolError::Thread)??;
        match self.api.replace(&self.source.name, &PostParams::default(), &secret).await {
            Ok(_) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                tracing::info!(namespace, name, generation = changed.generation(), "CA pool written");
                Ok(Found::Pool(changed))
            }
            Err(error) if is_status(&error, 409) => Ok(Found::Overtaken),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }
}

/// The pool of a Secret that needs nothing, if it is another than that of `version`.
fn found(
    pool: Option<CaPool>,
    secret: &Secret,
    version: &mut Option<String>,
) -> Result<Found, SecretPoolError> {
    let pool = pool.ok_or(SecretPoolError::NoPool)?;
    let is_news = *version != secret.metadata.resource_version;
    version.clone_from(&secret.metadata.resource_version);
    Ok(if is_news { Found::Pool(pool) } else { Found::InUse })
}

/// Making keys takes a while, RSA seconds.
fn change(
    mut secret: Secret,
    pool: Option<CaPool>,
    upkeep: &Upkeep,
    due: &Due,
) -> Result<(Secret, CaPool), SecretPoolError> {
    let pool = upkeep.apply(due, pool, Timestamp::now(), || ingredients(upkeep.key_type))?;
    let pool = pool.ok_or(SecretPoolError::NoPool)?;
    let json = ByteString(pool.to_json()?.to_vec());
    secret.data.get_or_insert_default().insert(KEY.to_owned(), json);
    Ok((secret, pool))
}

fn ingredients(key_type: SigningKeyType) -> Result<Ingredients, SecretPoolError> {
    let (mut serial, mut unique) = ([0; 16], [0; 4]);
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| SecretPoolError::Random)?;
    aws_lc_rs::rand::fill(&mut unique).map_err(|_| SecretPoolError::Random)?;
    Ok(Ingredients { key: SigningKey::generate(key_type)?, serial, unique })
}

/// The pool in a Secret; `None` if it holds none yet.
fn pool_of(secret: &Secret) -> Result<Option<CaPool>, PoolError> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(KEY)).map(|bytes| bytes.0.as_slice());
    bytes.filter(|bytes| !bytes.is_empty()).map(CaPool::from_json).transpose()
}

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
        let result = self.read_and_keep(version, in_use).await;
        sender.send_if_modified(|state| match result {
            Ok(None) => state.problem.take().is_some(),
            Ok(Some(pool)) => {
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

    /// The pool, if it is another than that of `version`.
    async fn read_and_keep(
        &self,
        version: &mut Option<String>,
        in_use: Option<Arc<CaPool>>,
    ) -> Result<Option<CaPool>, SecretPoolError> {
        let secret = self.api.get_opt(&self.source.name).await.map_err(SecretPoolError::Read)?;
        let secret = match secret {
            Some(secret) => secret,
            None if self.source.upkeep.is_some() => self.create_empty().await?,
            None => return Err(SecretPoolError::NoSecret),
        };
        let pool = pool_of(&secret)?;
        if let (None, Some(in_use), Some(_)) = (&pool, in_use, &self.source.upkeep) {
            return self.write_back(secret, &in_use).await.map(|()| None);
        }
        let due = self
            .source
            .upkeep
            .as_ref()
            .map_or(Due::Nothing, |upkeep| upkeep.due(pool.as_ref(), Timestamp::now()));
        if due == Due::Nothing {
            let pool = pool.ok_or(SecretPoolError::NoPool)?;
            let is_news = *version != secret.metadata.resource_version;
            version.clone_from(&secret.metadata.resource_version);
            return Ok(is_news.then_some(pool));
        }
        *version = None;
        self.write(secret, pool, due).await
    }

    /// Creates the Secret where that is permitted. It can't be permitted for one name alone, so usually it isn't.
    async fn create_empty(&self) -> Result<Secret, SecretPoolError> {
        let metadata = ObjectMeta { name: Some(self.source.name.clone()), ..ObjectMeta::default() };
        match self.api.create(&PostParams::default(), &Secret { metadata, ..Secret::default() }).await {
            Ok(secret) => Ok(secret),
            Err(error) if is_status(&error, 403) || is_status(&error, 404) => Err(SecretPoolError::NoSecret),
            // another replica was faster; the next look finds what it made
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }

    /// A Secret that was emptied, or deleted and made anew, gets back what is in use. A new pool in its place would be refused by everyone who has certificates of the old one.
    async fn write_back(&self, mut secret: Secret, in_use: &CaPool) -> Result<(), SecretPoolError> {
        let json = ByteString(in_use.to_json()?.to_vec());
        secret.data.get_or_insert_default().insert(KEY.to_owned(), json);
        match self.api.replace(&self.source.name, &PostParams::default(), &secret).await {
            Ok(_) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                tracing::warn!(
                    namespace,
                    name,
                    "the Secret had lost its CA pool; the one in use was written back"
                );
                Ok(())
            }
            Err(error) if is_status(&error, 409) => Ok(()),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }

    /// Writes the changed pool. Of several replicas one wins; the others read what it wrote at their next look.
    async fn write(
        &self,
        secret: Secret,
        pool: Option<CaPool>,
        due: Due,
    ) -> Result<Option<CaPool>, SecretPoolError> {
        let Some(upkeep) = self.source.upkeep.clone() else { return Ok(pool) };
        let (secret, changed) = spawn_blocking(move || change(secret, pool, &upkeep, &due))
            .await
            .map_err(|_| SecretPoolError::Thread)??;
        match self.api.replace(&self.source.name, &PostParams::default(), &secret).await {
            Ok(_) => {
                let (namespace, name) = (&self.source.namespace, &self.source.name);
                tracing::info!(namespace, name, generation = changed.generation(), "CA pool written");
                Ok(Some(changed))
            }
            Err(error) if is_status(&error, 409) => Ok(None),
            Err(error) => Err(SecretPoolError::Write(error)),
        }
    }
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

//! What a Secret holds of a CA pool, and why that may be none.

use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret};

use crate::{
    authority::{SigningKey, SigningKeyError, SigningKeyType},
    ca_pool::{CaPool, Due, Ingredients, PoolError, Upkeep, UpkeepError},
    watching::describe,
};

/// The key of the Secret under which the pool stands.
const KEY: &str = "pool";

/// Why there is no pool in a Secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretPoolError {
    #[error("reading the Secret: {}", describe(.0))]
    Read(#[source] kube::Error),
    #[error(
        "there is no such Secret; create it with `kubectl create secret generic`, empty where the signer keeps its pool itself"
    )]
    NoSecret,
    #[error("it has no key `{KEY}`; make the pool with `signerctl ca-pool create --namespace … --name …`")]
    NoPool,
    #[error(
        "there is no pool in it, and the trust bundle has the roots of one. Put that back; if it is lost, see docs/ca-rotation.md, \"A lost key\"; \
         if no pod has certificates of it any more, delete the trust bundle"
    )]
    Lost,
    #[error("it holds no pool, and none is made before it is known what the trust bundle holds")]
    BundleUnknown,
    #[error(
        "it holds no pool, and none is made before the API servers agree on the time, which its CA is dated by; /readyz says more"
    )]
    TimeUncertain,
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

/// Making keys takes a while, RSA seconds.
pub(super) fn change(
    secret: Secret,
    pool: Option<CaPool>,
    upkeep: &Upkeep,
    due: &Due,
    now: Timestamp,
) -> Result<(Secret, CaPool), SecretPoolError> {
    let pool = upkeep.apply(due, pool, now, || ingredients(upkeep.key_type))?;
    let pool = pool.ok_or(SecretPoolError::NoPool)?;
    Ok((holding(secret, &pool)?, pool))
}

/// The Secret with this pool in it.
pub(super) fn holding(mut secret: Secret, pool: &CaPool) -> Result<Secret, SigningKeyError> {
    let json = ByteString(pool.to_json()?.to_vec());
    secret.data.get_or_insert_default().insert(KEY.to_owned(), json);
    Ok(secret)
}

fn ingredients(key_type: SigningKeyType) -> Result<Ingredients, SecretPoolError> {
    let (mut serial, mut unique) = ([0; 16], [0; 4]);
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| SecretPoolError::Random)?;
    aws_lc_rs::rand::fill(&mut unique).map_err(|_| SecretPoolError::Random)?;
    Ok(Ingredients { key: SigningKey::generate(key_type)?, serial, unique })
}

/// The pool in a Secret; `None` if it holds none yet.
pub(super) fn pool_of(secret: &Secret) -> Result<Option<CaPool>, PoolError> {
    let bytes = secret.data.as_ref().and_then(|data| data.get(KEY)).map(|bytes| bytes.0.as_slice());
    bytes.filter(|bytes| !bytes.is_empty()).map(CaPool::from_json).transpose()
}

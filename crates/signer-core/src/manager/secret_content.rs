//! What a Secret holds of a CA pool, and why that may be none.

use jiff::Timestamp;

use crate::api::{
    SecretDocument, SecretError,
    error::{describe, is_status},
};
use ca_pool::{
    AutomaticRotation, AutomaticRotationError, CaPool, Due, NewCaMaterial, PoolError, SecretContent,
    SecretValues, SigningKey, SigningKeyError, SigningKeyType,
};

/// The key of the Secret under which the pool stands.
const KEY: &str = SecretValues::POOL;

/// Why there is no pool in a Secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretPoolError {
    #[error("reading the Secret: {}", described(.0, "get"))]
    Read(#[source] SecretError),
    #[error(
        "there is no such Secret; create it with `kubectl -n {namespace} create secret generic {name}`, empty where the signer keeps its pool itself. \
         Where a pool is in use, don't restart the process before: it may be the only one that has the keys"
    )]
    NoSecret {
        /// The Secret's namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    #[error("it has no key `{KEY}`; make the pool with `signerctl ca-pool create --namespace … --name …`")]
    NoPool,
    #[error(
        "there is no pool in it, and the trust bundle has the roots of one. Put that back; if it is lost, see docs/ca-rotation.md, \"A lost key\"; \
         if no pod has certificates of it any more, delete the trust bundle"
    )]
    Lost,
    #[error(
        "it holds a CA that somebody else keeps (`tls.crt` and `tls.key`), and `rotation: automatic` is for pools that this program keeps. Leave `rotation` away, or make a pool of it with \
         `signerctl ca-pool import --from-secret …`, in a Secret of its own"
    )]
    Tls,
    #[error("it holds no pool, and none is made before it is known what the trust bundle holds")]
    BundleUnknown,
    #[error(
        "it holds no pool, and none is made before the API servers agree on the time, which its CA is dated by; /readyz says more"
    )]
    TimeUncertain,
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    AutomaticRotation(#[from] AutomaticRotationError),
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    #[error("the system gives no random numbers")]
    Random,
    #[error("the thread that makes keys ended early")]
    Thread,
    #[error("writing the Secret: {}", described(.0, "update"))]
    Write(#[source] SecretError),
}

fn described(error: &SecretError, verb: &str) -> String {
    let SecretError::Call(error) = error else { return error.to_string() };
    let text = describe(error);
    if is_status(error, 403) { format!("{text}; grant the verb {verb} on this Secret") } else { text }
}

/// Making keys takes a while, RSA seconds.
pub(super) fn change(
    secret: SecretDocument,
    pool: Option<CaPool>,
    automatic_rotation: &AutomaticRotation,
    due: &Due,
    now: Timestamp,
) -> Result<(SecretDocument, CaPool), SecretPoolError> {
    let pool = automatic_rotation.apply(due, pool, now, || material(automatic_rotation.key_type))?;
    let pool = pool.ok_or(SecretPoolError::NoPool)?;
    Ok((holding(&secret, &pool)?, pool))
}

/// The Secret with this pool in it.
pub(super) fn holding(secret: &SecretDocument, pool: &CaPool) -> Result<SecretDocument, SecretPoolError> {
    secret.with_value(KEY, &pool.to_json()?).map_err(SecretPoolError::Read)
}

fn material(key_type: SigningKeyType) -> Result<NewCaMaterial, SecretPoolError> {
    let (mut serial, mut unique) = ([0; 16], [0; 4]);
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| SecretPoolError::Random)?;
    aws_lc_rs::rand::fill(&mut unique).map_err(|_| SecretPoolError::Random)?;
    Ok(NewCaMaterial { key: SigningKey::generate(key_type)?, serial, unique })
}

/// The pool in a Secret; `None` if it holds none yet. One that is `kept` here is in JSON: a CA that somebody
/// else keeps isn't replaced under their hands.
pub(super) fn pool_of(secret: &SecretDocument, is_kept: bool) -> Result<Option<CaPool>, SecretPoolError> {
    let keys = secret.keys().map_err(SecretPoolError::Read)?;
    let values = SecretValues::read(keys, |key| secret.value(key)).map_err(SecretPoolError::Read)?;
    if is_kept && values.content() == SecretContent::Tls {
        return Err(SecretPoolError::Tls);
    }
    Ok(values.load(None, "ca.crt")?)
}

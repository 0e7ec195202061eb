//! A request that was sent, and the wait for what becomes of it.

use std::time::{Duration, Instant};

use kube::{
    Api,
    core::DynamicObject,
    runtime::wait::{self, await_condition},
};
use serde_json::Value;

use crate::{Error, Outcome, PodKey};

/// A PodCertificateRequest that the API server has accepted.
#[derive(Debug)]
#[non_exhaustive]
pub struct SentRequest {
    /// Its namespace.
    pub namespace: String,
    /// The name that the API server gave it.
    pub name: String,
    /// Its UID, to which events refer.
    pub uid: String,
    /// The key that it asks to have certified.
    pub key: PodKey,
    /// When the API server had accepted it.
    pub accepted: Instant,
    api: Api<DynamicObject>,
}

impl SentRequest {
    pub(super) fn new(
        api: Api<DynamicObject>,
        namespace: String,
        name: String,
        uid: String,
        key: PodKey,
    ) -> Self {
        Self { namespace, name, uid, key, accepted: Instant::now(), api }
    }

    /// Waits for the signer's word.
    ///
    /// # Errors
    /// [`Error::TimedOut`] if it is still pending, [`Error::Unexpected`] if it was removed or its status is
    /// malformed.
    pub async fn outcome(&self, within: Duration) -> Result<Outcome, Error> {
        match self.watch(within).await? {
            Some(outcome) => Ok(outcome),
            None => {
                let last = self.read().await?.to_string();
                Err(Error::TimedOut {
                    what: format!("an answer to request {}", self.full_name()),
                    waited: within,
                    last,
                })
            }
        }
    }

    /// Makes sure that nobody answers the request for that long.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the answer, if there is one.
    pub async fn stays_pending(&self, time: Duration) -> Result<(), Error> {
        match self.watch(time).await? {
            None => Ok(()),
            Some(outcome) => {
                let what = format!("request {} was to stay pending", self.full_name());
                Err(Error::Unexpected { what, why: format!("{outcome:?}") })
            }
        }
    }

    /// The whole object as it is now, to see that nothing else was written.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn read(&self) -> Result<Value, Error> {
        let doing = || format!("reading request {}", self.full_name());
        let object = self.api.get(&self.name).await.map_err(Error::api(doing))?;
        Ok(serde_json::to_value(object).unwrap_or_default())
    }

    fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    async fn watch(&self, within: Duration) -> Result<Option<Outcome>, Error> {
        let broken = |why: String| Error::Unexpected { what: format!("request {}", self.full_name()), why };
        let finished = |object: Option<&DynamicObject>| object.is_none_or(is_final);
        let wait = tokio::time::timeout(within, await_condition(self.api.clone(), &self.name, finished));
        match wait.await {
            Err(_elapsed) => Ok(None),
            Ok(Err(wait::Error::ProbeFailed(error))) => Err(broken(crate::story(&error))),
            Ok(Ok(None)) => Err(broken("it was removed while it was waited for".into())),
            Ok(Ok(Some(object))) => Outcome::of(&serde_json::to_value(object).unwrap_or_default()),
        }
    }
}

/// Whether a status was written at all; whether it is well-formed is [`Outcome::of`]'s to say.
pub(super) fn is_final(request: &DynamicObject) -> bool {
    let status = &request.data["status"];
    status.as_object().is_some_and(|fields| fields.values().any(|value| !value.is_null()))
}

//! Issuing with a signer's pool: which CA signs, by which clock, and with which times.

use std::{future::Future, time::Duration};

use jiff::Timestamp;
use tokio::{sync::watch, time::Instant};

use crate::{clock::Clock, metrics::StepTimes, pool_source::PoolState, trust_bundle::Published};
use ca_pool::{
    CaKeyError, CaPool, Fitness, IssueError, IssuedCertificate, Leaf, PublicKey, SerialNumber, SigningCa,
    Terms, issue, prepare,
};

/// What issues a signer's certificates. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) pool: watch::Receiver<PoolState>,
    pub(crate) published: watch::Receiver<Option<Published>>,
    pub(crate) clock: Clock,
    pub(crate) times: StepTimes,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssuanceError {
    /// No CA signs now, for this reason.
    #[error("{0}")]
    Unavailable(String),
    /// The leaf can't be issued.
    #[error("signing")]
    Issue(#[source] IssueError),
    #[error("the signing thread ended early")]
    Thread(#[source] tokio::task::JoinError),
    #[error("the system gives no random numbers")]
    Random,
}

impl Issuer {
    /// Issues: off the runtime's threads where a key of this process takes milliseconds to sign, and with a
    /// time limit where the key is elsewhere. It is dated when it is signed, since the API server refuses
    /// what is minutes old, and reads may have taken a while. By when leaves end, the CA says: what `terms` has
    /// there counts for nothing.
    pub(crate) async fn issue(
        &self,
        leaf: Box<Leaf>,
        key: PublicKey,
        terms: Terms,
    ) -> Result<IssuedCertificate, IssuanceError> {
        use IssuanceError::Unavailable;
        if !self.clock.is_known() {
            return Err(Unavailable(
                "the API server's time isn't known yet, by which certificates are dated; /readyz says why"
                    .to_owned(),
            ));
        }
        let now = self.clock.now();
        let PoolState { pool, problem, fitness } = self.pool.borrow().clone();
        let Some(pool) = pool else {
            return Err(Unavailable(problem.unwrap_or_else(|| "the CA pool isn't loaded yet".to_owned())));
        };
        let SigningCa { index, leaves_end } = self.signing_ca(&pool, &fitness, now).map_err(Unavailable)?;
        let terms = Terms { leaves_end, ..terms };
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| IssuanceError::Random)?;
        let serial = SerialNumber::from_random(random);
        let ca_key = pool.authority(index).key();
        let began = Instant::now();
        let issued = if ca_key.local().is_some() && ca_key.key_type().is_slow() {
            let sign = move || issue(&leaf, &key, &terms, pool.authority(index), serial, now);
            tokio::task::spawn_blocking(sign).await.map_err(IssuanceError::Thread)?
        } else {
            match prepare(&leaf, &key, &terms, pool.authority(index), serial, now) {
                Ok(prepared) => in_time(prepared.sign(), SIGNING_TIMEOUT).await,
                Err(error) => Err(error),
            }
        };
        self.times.sign.observe(began.elapsed().as_secs_f64());
        issued.map_err(|error| match error {
            error if error.is_authority_unavailable() => Unavailable(error.to_string()),
            error => IssuanceError::Issue(error),
        })
    }

    /// The CA that signs now, as the pool's times, the clock and the published bundle say.
    fn signing_ca(&self, pool: &CaPool, fitness: &Fitness, now: Timestamp) -> Result<SigningCa, String> {
        let published = self.published.borrow();
        let published = published.as_ref().ok_or(
            "it isn't known which trust anchors are published; /readyz says what keeps them from being read",
        )?;
        published.choose_for(fitness, pool, now).map_err(|error| error.to_string())
    }
}

/// How long the key of a CA that is elsewhere may take to sign. The request holds a slot meanwhile.
const SIGNING_TIMEOUT: Duration = Duration::from_secs(10);

async fn in_time(
    signing: impl Future<Output = Result<IssuedCertificate, IssueError>>,
    timeout: Duration,
) -> Result<IssuedCertificate, IssueError> {
    let too_slow = |_| IssueError::Signing(CaKeyError::new(format!("no answer within {timeout:?}")));
    tokio::time::timeout(timeout, signing).await.map_err(too_slow)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_that_does_not_answer_is_not_waited_for() {
        let error = in_time(std::future::pending(), Duration::from_millis(1)).await.unwrap_err();
        assert!(error.is_authority_unavailable());
        assert_eq!(error.to_string(), "the CA's key doesn't sign: no answer within 1ms");
    }
}

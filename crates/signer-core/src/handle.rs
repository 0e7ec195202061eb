//! By what a signer speaks to the core.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use prometheus_client::registry::Registry;
use tokio::sync::watch;

/// By what a running signer speaks to the core, where it isn't asked: it may have learned something, it may
/// lack something, and it may count something. It is made before the signer and given to it and to its
/// [`SignerOptions`](crate::SignerOptions); clones are the same handle.
///
/// ```no_run
/// # use signer_core::{BoxError, Decision, Manager, PoolSource, Request, Signer, SignerHandle, SignerName, SignerOptions};
/// # struct Mine { name: SignerName, handle: SignerHandle }
/// # impl Signer for Mine {
/// #     fn name(&self) -> &SignerName { &self.name }
/// #     async fn decide(&self, _: &Request) -> Result<Decision, BoxError> { unimplemented!() }
/// # }
/// # async fn run(client: kube::Client, name: SignerName, pool: PoolSource) -> Result<(), BoxError> {
/// use signer_core::prometheus_client::metrics::counter::Counter;
///
/// let handle = SignerHandle::new();
/// let lookups = Counter::<u64>::default();
/// let counted = lookups.clone();
/// handle.register_metrics(|registry| registry.register("directory_lookups", "Lookups in the directory", counted));
/// let signer = Mine { name, handle: handle.clone() };
/// let options = SignerOptions { handle: handle.clone(), ..SignerOptions::new(pool) };
/// tokio::spawn(async move {
///     // the directory doesn't answer, and then it does
///     handle.degraded("the directory ldap.example.com doesn't answer; certificates wait");
///     handle.recovered();
///     handle.look_again();
/// });
/// Manager::new(client).signer(signer, options).run(async { drop(tokio::signal::ctrl_c().await) }).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct SignerHandle(Arc<Inner>);

type Register = Box<dyn FnOnce(&mut Registry) + Send>;

#[derive(Default)]
struct Inner {
    news: watch::Sender<News>,
    metrics: Mutex<Vec<Register>>,
}

/// What a signer has said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// How often it wanted requests to be looked at again.
    pub(crate) looks: u64,
    /// What it lacks.
    pub(crate) degraded: Option<String>,
}

/// The longest text that `/readyz` shows of a signer, in characters.
const LONGEST: usize = 1000;

impl SignerHandle {
    /// A handle for one signer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the signer decide again on each request that waits, whatever it waits for: what it knows has
    /// changed. It costs a call of [`decide`](crate::Signer::decide) for each of them.
    pub fn look_again(&self) {
        self.0.news.send_modify(|news| news.looks += 1);
    }

    /// Says that the signer serves worse than it should, or not at all, and why; it stands in `/readyz` as a
    /// warning, in the log and in the metric `pod_certificate_signer_problem` (component `signer`) until
    /// [`recovered`](Self::recovered). The text should say what to do. Requests still come to the signer.
    pub fn degraded(&self, because: impl AsRef<str>) {
        let because = bounded_text::truncated(&bounded_text::one_line(because.as_ref()), LONGEST);
        self.0.news.send_if_modified(|news| {
            let is_news = news.degraded.as_ref() != Some(&because);
            news.degraded = Some(because);
            is_news
        });
    }

    /// Takes [`degraded`](Self::degraded) back.
    pub fn recovered(&self) {
        self.0.news.send_if_modified(|news| news.degraded.take().is_some());
    }

    /// Adds metrics to those of the process, when the manager begins to run. Their names get the prefix
    /// `pod_certificate_signer_`, and each has the label `signer`.
    pub fn register_metrics(&self, register: impl FnOnce(&mut Registry) + Send + 'static) {
        self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(register));
    }

    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.0.news.subscribe()
    }

    /// Lets the signer's metrics be registered, once.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let metrics = std::mem::take(&mut *self.0.metrics.lock().unwrap_or_else(PoisonError::into_inner));
        metrics.into_iter().for_each(|register| register(registry));
    }
}

impl fmt::Debug for SignerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignerHandle").field(&*self.0.news.borrow()).finish()
    }
}

#[cfg(test)]
mod tests;

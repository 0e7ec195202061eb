//! The request store through which requests come in: finished ones stay outside.

use std::{collections::HashMap, sync::Arc};

use kube::runtime::{reflector::store::Writer, watcher::Event};
use tokio::sync::oneshot;

use super::{
    pending::{Pending, RequestKey},
    reconcile::uid,
};
use crate::{request_source::SignerRequest, watching::Watched};

/// Keeps the store of unfinished requests, and says which ones to look at.
pub(crate) struct RequestStore<K: SignerRequest> {
    store: Writer<K>,
    pending: Arc<Pending>,
    /// Keys and UIDs.
    listed: HashMap<RequestKey, String>,
    gone: Option<oneshot::Sender<()>>,
}

impl<K: SignerRequest> RequestStore<K> {
    /// The receiver hears when the API isn't served any more.
    pub(crate) fn new(store: Writer<K>, pending: Arc<Pending>) -> (Self, oneshot::Receiver<()>) {
        let (gone, is_gone) = oneshot::channel();
        (Self { store, pending, listed: HashMap::new(), gone: Some(gone) }, is_gone)
    }

    /// Takes in what the watch brings, and returns the requests to look at now. Those of a list are looked at
    /// when it is complete, since the store shows them only then.
    pub(crate) fn pass(&mut self, watched: Watched<K>) -> Vec<RequestKey> {
        let event = match watched {
            Watched::Event(event) => event,
            // a request's spec never changes, so what is known of it holds; one that isn't known is named in
            // the log
            Watched::Unreadable(_) | Watched::Failing => return vec![],
            Watched::Gone => {
                // nobody listens: the controller ends already
                self.gone.take().map(|gone| gone.send(()));
                return vec![];
            }
        };
        match event {
            Event::Init => {
                self.listed.clear();
                self.keep(&Event::Init)
            }
            Event::InitApply(request) if request.is_finished() => vec![],
            Event::InitApply(request) => {
                self.listed.insert(RequestKey::of(&request), uid(&request).to_owned());
                self.keep(&Event::InitApply(request.abridged()))
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                self.keep(&Event::InitDone);
                self.pending.retain(|key| listed.contains_key(key));
                listed.iter().for_each(|(key, uid)| self.pending.arrive(key, uid));
                listed.into_keys().collect()
            }
            Event::Apply(request) if !request.is_finished() => {
                let key = RequestKey::of(&request);
                self.pending.arrive(&key, uid(&request));
                self.keep(&Event::Apply(request.abridged()));
                vec![key]
            }
            Event::Apply(request) | Event::Delete(request) => {
                if let Some(replica) = request.finished_by() {
                    self.pending.finished_by(&RequestKey::of(&request), uid(&request), &replica);
                }
                self.pending.forget(&RequestKey::of(&request));
                self.keep(&Event::Delete(request))
            }
        }
    }

    fn keep(&mut self, event: &Event<K>) -> Vec<RequestKey> {
        self.store.apply_watcher_event(event);
        vec![]
    }
}

#[cfg(test)]
mod tests;

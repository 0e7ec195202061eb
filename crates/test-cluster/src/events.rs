//! Events: what a controller tells those who must act.

use std::time::Duration;

use k8s_openapi::api::core::v1::Event;
use kube::{Api, api::ListParams};

use crate::{Error, Scope};

/// An event about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEvent {
    /// `Normal` or `Warning`.
    pub severity: String,
    /// CamelCase, for machines.
    pub reason: String,
    /// For people.
    pub message: String,
    /// How often it was reported; 1 if it was not repeated.
    pub count: i32,
    /// Who reported it.
    pub reporter: String,
}

impl Scope {
    /// The events in that namespace about the object with that UID, in no particular order.
    ///
    /// # Errors
    /// [`Error::Api`]
    pub async fn events(&self, namespace: &str, uid: &str) -> Result<Vec<ObjectEvent>, Error> {
        let events: Api<Event> = Api::namespaced(self.client(), namespace);
        let about = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
        let list =
            events.list(&about).await.map_err(Error::api(|| format!("listing events of {namespace}")))?;
        Ok(list.items.into_iter().map(ObjectEvent::from).collect())
    }

    /// Waits for an event with that reason about the object.
    ///
    /// # Errors
    /// [`Error::Api`]; [`Error::TimedOut`] shows the events that there are.
    pub async fn event(
        &self,
        namespace: &str,
        uid: &str,
        reason: &str,
        within: Duration,
    ) -> Result<ObjectEvent, Error> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let events = self.events(namespace, uid).await?;
            if let Some(event) = events.iter().find(|event| event.reason == reason) {
                return Ok(event.clone());
            }
            if tokio::time::Instant::now() >= deadline {
                let (what, last) = (format!("an event {reason}"), format!("{events:?}"));
                return Err(Error::TimedOut { what, waited: within, last });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl From<Event> for ObjectEvent {
    /// Through events.k8s.io a repetition counts in `series`, and the reporter has a field of its own.
    fn from(event: Event) -> Self {
        let series = event.series.and_then(|series| series.count);
        let reporter = event.reporting_component.filter(|name| !name.is_empty());
        Self {
            severity: event.type_.unwrap_or_default(),
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            count: series.or(event.count).unwrap_or(1).max(1),
            reporter: reporter.or(event.source.and_then(|source| source.component)).unwrap_or_default(),
        }
    }
}

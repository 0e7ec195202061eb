//! The Services of a namespace, found by the pod that they select.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use serde::Deserialize;

use crate::api::{
    answer::SizeClass,
    object::{ApiObject, ENTRY, Identity, map_size},
};

/// A Service, reduced to what decides which pods it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    name: Box<str>,
    /// In the order of keys. A map's nodes would have room for eleven labels; most Services have two, and there
    /// are thousands.
    selector: Box<[(Box<str>, Box<str>)]>,
    is_headless: bool,
    is_external_name: bool,
}

impl Service {
    /// A Service that selects pods by labels.
    pub fn new<K: Into<String>, V: Into<String>>(
        name: impl Into<String>,
        selector: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let selector = selector.into_iter().map(|(key, value)| (key.into(), value.into()));
        Self::of(name.into(), selector.collect())
    }

    fn of(name: String, selector: BTreeMap<String, String>) -> Self {
        let selector = selector.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { name: name.into(), selector, is_headless: false, is_external_name: false }
    }

    /// The same, headless: `clusterIP: None`.
    #[must_use]
    pub fn headless(self) -> Self {
        Self { is_headless: true, ..self }
    }

    /// `metadata.name`
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its `clusterIP` is `None`: DNS then answers with the pods themselves.
    #[must_use]
    pub fn is_headless(&self) -> bool {
        self.is_headless
    }

    /// The labels that a pod must have to be selected; of a Service of type ExternalName, which selects no
    /// pod whatever it says, none.
    #[must_use]
    pub fn selector(&self) -> Option<BTreeMap<&str, &str>> {
        let selects = !self.is_external_name && !self.selector.is_empty();
        selects.then(|| self.labels().collect())
    }

    /// Whether it stands for pods with these labels. A Service of type ExternalName and one without a
    /// selector stand for none.
    #[must_use]
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |(key, value)| labels.get(key).is_some_and(|label| label == value);
        !self.is_external_name && !self.selector.is_empty() && self.labels().all(has)
    }

    fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.selector.iter().map(|(key, value)| (&**key, &**value))
    }
}

/// A Service and its namespace, as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespacedService {
    /// `metadata.namespace`
    pub namespace: String,
    /// What counts of it.
    pub service: Service,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceWire {
    metadata: Identity,
    spec: Option<ServiceSpecWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceSpecWire {
    selector: Option<BTreeMap<String, String>>,
    #[serde(rename = "clusterIP")]
    cluster_ip: Option<String>,
    #[serde(rename = "type")]
    type_: Option<String>,
}

/// The largest selector that is read, by what it takes in memory: some 30 labels. It is kept, and all labels
/// of a pod together are seldom as many.
const LARGEST_SELECTOR: usize = 4 * 1024;

impl ApiObject for NamespacedService {
    type Wire = ServiceWire;
    const KIND: &'static str = "Service";
    const SIZE_CLASS: SizeClass = SizeClass::Others;

    fn from_wire(ServiceWire { metadata, spec }: ServiceWire) -> Result<Self, String> {
        metadata.require_names()?;
        let ServiceSpecWire { selector, cluster_ip, type_ } = spec.unwrap_or_default();
        let selector = selector.unwrap_or_default();
        let (labels, size) = (selector.len(), map_size(&selector));
        if size > LARGEST_SELECTOR {
            return Err(format!(
                "spec.selector has {labels} labels that take {size} bytes; at most {LARGEST_SELECTOR} bytes are accepted, {ENTRY} of them for each \
                 label; shorten it"
            ));
        }
        let service = Service {
            is_headless: cluster_ip.as_deref() == Some("None"),
            is_external_name: type_.as_deref() == Some("ExternalName"),
            ..Service::of(metadata.name.unwrap_or_default(), selector)
        };
        Ok(Self { namespace: metadata.namespace.unwrap_or_default(), service })
    }

    fn gone(identity: Identity) -> Self {
        let name = identity.name.unwrap_or_default();
        Self { namespace: identity.namespace.unwrap_or_default(), service: Service::new(name, [("", ""); 0]) }
    }
}

/// The Services of one namespace. Cheap to clone: clones see the same Services.
#[derive(Clone, Debug, Default)]
pub struct Services(Arc<RwLock<ServiceTable>>);

impl Services {
    /// The Service of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Service>> {
        self.read().by_name.get(name).cloned()
    }

    /// The Services that select a pod with these labels, sorted by name. Takes time for the pod's labels and
    /// the Services that share one with it, not for those that there are.
    #[must_use]
    pub fn selecting(&self, labels: &BTreeMap<String, String>) -> Vec<Arc<Service>> {
        let table = self.read();
        let candidates = labels
            .iter()
            .filter_map(|(key, value)| table.by_label.get(key.as_str())?.get(value.as_str()))
            .flat_map(|services| services.values());
        let mut services: Vec<_> = candidates.filter(|service| service.selects(labels)).cloned().collect();
        services.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        services
    }

    pub(crate) fn insert(&self, service: Service) {
        self.write().insert(service);
    }

    pub(crate) fn remove(&self, name: &str) {
        self.write().remove(name);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read().by_name.is_empty()
    }

    /// Makes these the only Services.
    pub(crate) fn replace(&self, services: impl IntoIterator<Item = Service>) {
        let mut table = ServiceTable::default();
        services.into_iter().for_each(|service| table.insert(service));
        *self.write() = table;
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, ServiceTable> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, ServiceTable> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FromIterator<Service> for Services {
    fn from_iter<I: IntoIterator<Item = Service>>(services: I) -> Self {
        let all = Self::default();
        all.replace(services);
        all
    }
}

/// Each Service stands in `by_name`, and once in `by_label`: under that pair of its selector which the fewest
/// others stand under, so that a label that all of them share doesn't turn a look-up into a walk through all.
#[derive(Debug, Default)]
struct ServiceTable {
    by_name: HashMap<Box<str>, Arc<Service>>,
    by_label: HashMap<Box<str>, HashMap<Box<str>, Bucket>>,
}

type Bucket = HashMap<Box<str>, Arc<Service>>;

impl ServiceTable {
    fn insert(&mut self, service: Service) {
        self.remove(&service.name);
        let service = Arc::new(service);
        let bucket_size = |key: &str, value: &str| {
            self.by_label.get(key).and_then(|values| values.get(value)).map_or(0, HashMap::len)
        };
        let rarest = service.selector.iter().min_by_key(|(key, value)| bucket_size(key, value));
        if let Some((key, value)) = rarest.map(|(key, value)| (key.clone(), value.clone())) {
            let bucket = self.by_label.entry(key).or_default().entry(value).or_default();
            bucket.insert(service.name.clone(), Arc::clone(&service));
        }
        self.by_name.insert(service.name.clone(), service);
    }

    fn remove(&mut self, name: &str) {
        let Some(service) = self.by_name.remove(name) else { return };
        for (key, value) in &service.selector {
            let Some(values) = self.by_label.get_mut(key) else { continue };
            let Some(bucket) = values.get_mut(value) else { continue };
            bucket.remove(name);
            if bucket.is_empty() {
                values.remove(value);
            }
            if values.is_empty() {
                self.by_label.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests;

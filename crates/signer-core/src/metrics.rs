//! What monitoring is told: counts, times and what is wrong, in the OpenMetrics text format.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::health::{EndedTasks, Health};
use ca_pool::names::SignerName;

/// The metrics of a process. Cheap to clone: clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<[Label; 3], Counter>,
    issuance: Family<[Label; 1], Histogram, fn() -> Histogram>,
    retries: Family<[Label; 1], Counter>,
    unfinished: Family<[Label; 1], Gauge>,
    duplicates: Family<[Label; 1], Counter>,
    takeovers: Family<[Label; 1], Counter>,
    live_replicas: Family<[Label; 1], Gauge>,
    events_dropped: Counter,
    deny_rules: Family<[Label; 1], Gauge>,
    retained_anchors: Family<[Label; 1], Gauge>,
}

/// The metrics of one signer.
#[derive(Clone, Debug)]
pub(crate) struct SignerMetrics {
    all: Metrics,
    signer: SignerName,
}

/// The metrics of the requests that wait for one signer.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueueMetrics {
    /// Requests without an outcome.
    pub(crate) unfinished: Gauge,
    /// Evaluations in place of another replica.
    pub(crate) takeovers: Counter,
    /// Replicas, this one among them.
    pub(crate) live_replicas: Gauge,
}

type Label = (&'static str, String);

const PREFIX: &str = "pod_certificate_signer";

/// A certificate that waits for nobody takes milliseconds; one that waits for a Service or a CA, minutes.
const SECONDS: [f64; 14] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0];

impl Metrics {
    /// `further` may register what signers count.
    pub(crate) fn new(health: Health, ended: EndedTasks, further: impl FnOnce(&mut Registry)) -> Self {
        let issuance = || Histogram::new(SECONDS);
        let mut metrics = Self {
            registry: Arc::default(),
            requests: Family::default(),
            issuance: Family::new_with_constructor(issuance),
            retries: Family::default(),
            unfinished: Family::default(),
            duplicates: Family::default(),
            takeovers: Family::default(),
            live_replicas: Family::default(),
            events_dropped: Counter::default(),
            deny_rules: Family::default(),
            retained_anchors: Family::default(),
        };
        let mut registry = Registry::with_prefix(PREFIX);
        let Self {
            registry: _,
            requests,
            issuance,
            retries,
            unfinished,
            duplicates,
            takeovers,
            live_replicas,
            events_dropped,
            deny_rules,
            retained_anchors,
        } = metrics.clone();
        registry.register("requests", "Outcomes of requests", requests);
        let help = "From when a request was seen until its certificate was written";
        registry.register_with_unit("issuance", help, Unit::Seconds, issuance);
        registry.register("retries", "Evaluations that failed and were retried", retries);
        registry.register("unfinished_requests", "Requests without an outcome", unfinished);
        let help = "Certificates that were signed in vain, as another replica had finished the request";
        registry.register("duplicates", help, duplicates);
        let help = "Requests that were evaluated in place of another replica, which hadn't answered";
        registry.register("takeovers", help, takeovers);
        let help = "Replicas that share the signer's requests, as this one knows them";
        registry.register("live_replicas", help, live_replicas);
        let help = "Events that were dropped, as too many waited to be published";
        registry.register("events_dropped", help, events_dropped);
        registry.register("deny_rules", "Deny rules in force", deny_rules);
        let help = "Trust anchors in the signer's bundle that no CA of its pool has";
        registry.register("retained_trust_anchors", help, retained_anchors);
        registry.register_collector(Box::new(health));
        registry.register_collector(Box::new(ended));
        further(&mut registry);
        metrics.registry = Arc::new(registry);
        metrics
    }

    pub(crate) fn of(&self, signer: &SignerName) -> SignerMetrics {
        SignerMetrics { all: self.clone(), signer: signer.clone() }
    }

    /// Counts the events of the process that are dropped.
    pub(crate) fn events_dropped(&self) -> Counter {
        self.events_dropped.clone()
    }

    /// So many deny rules are in force for a signer.
    pub(crate) fn deny_rules(&self, signer: &SignerName, count: usize) {
        let rules = self.deny_rules.get_or_create(&[("signer", signer.to_string())]).clone();
        rules.set(count.try_into().unwrap_or(i64::MAX));
    }

    /// The page that is scraped.
    pub(crate) fn page(&self) -> String {
        let mut page = String::new();
        // writing to a String can't fail
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

/// Where the metrics that a signer registers get its name.
pub(crate) fn of_signer<'a>(registry: &'a mut Registry, signer: &SignerName) -> &'a mut Registry {
    registry.sub_registry_with_label((Cow::Borrowed("signer"), Cow::Owned(signer.to_string())))
}

impl SignerMetrics {
    /// A certificate was written, so long after its request was seen.
    pub(crate) fn issued(&self, after: Duration) {
        self.recorded("Issued", "Issued");
        self.all.issuance.get_or_create(&self.label()).observe(after.as_secs_f64());
    }

    /// Something else became of a request, or was told of it. Reasons are few: they are written in the code
    /// of the signers.
    pub(crate) fn recorded(&self, outcome: &str, reason: &str) {
        let [signer] = self.label();
        let labels = [signer, ("outcome", outcome.to_owned()), ("reason", reason.to_owned())];
        self.all.requests.get_or_create(&labels).inc();
    }

    /// A look failed, and will be repeated.
    pub(crate) fn retried(&self) {
        self.all.retries.get_or_create(&self.label()).inc();
    }

    /// A certificate was signed in vain.
    pub(crate) fn duplicate(&self) {
        self.all.duplicates.get_or_create(&self.label()).inc();
    }

    /// What the requests that wait show.
    pub(crate) fn queue(&self) -> QueueMetrics {
        QueueMetrics {
            unfinished: self.all.unfinished.get_or_create(&self.label()).clone(),
            takeovers: self.all.takeovers.get_or_create(&self.label()).clone(),
            live_replicas: self.all.live_replicas.get_or_create(&self.label()).clone(),
        }
    }

    /// The number of published anchors that no CA of the pool has.
    pub(crate) fn retained_anchors(&self, count: usize) {
        let gauge = self.all.retained_anchors.get_or_create(&self.label()).clone();
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn label(&self) -> [Label; 1] {
        [("signer", self.signer.to_string())]
    }
}

impl Collector for Health {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let ready = Family::<[Label; 1], Gauge>::default();
        for signer in self.report().signers {
            let labels = [("signer", signer.name.to_string())];
            ready.get_or_create(&labels).set(signer.problems.is_empty().into());
        }
        let problems = Family::<[Label; 3], Gauge>::default();
        for trouble in self.troubles() {
            let labels = [
                ("signer", trouble.signer.to_string()),
                ("component", trouble.component.label().to_owned()),
                ("severity", trouble.severity.label().to_owned()),
            ];
            problems.get_or_create(&labels).set(1);
        }
        let help = "Whether the signer can serve";
        ready.encode(encoder.encode_descriptor("ready", help, None, ready.metric_type())?)?;
        let help = "What keeps a signer from serving (error), or is wrong though it serves (warning)";
        problems.encode(encoder.encode_descriptor("problem", help, None, problems.metric_type())?)
    }
}

#[cfg(test)]
mod tests;

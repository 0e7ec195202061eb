//! Prometheus metrics: counts, times and what is wrong, in the OpenMetrics text format.

pub(crate) mod calls;
mod process;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, text},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Metric, Registry, Unit},
};

use self::{calls::CallMetrics, process::ProcessCollector};
use crate::health::{Component, EndedTasks, Health};
use ca_pool::names::SignerName;

/// The metrics of a process. Cheap to clone: clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    process: ProcessMetrics,
    signers: PerSigner,
}

/// What is counted for the process, whatever the signer.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProcessMetrics {
    pub(crate) calls: CallMetrics,
    pub(crate) watches: WatchMetrics,
    events_dropped: Counter,
}

/// The watches of a process. Cheap to clone: clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchMetrics {
    restarts: Family<[(&'static str, &'static str); 1], Counter>,
    unreadable: Family<[(&'static str, &'static str); 1], Counter>,
}

#[derive(Clone, Debug)]
struct PerSigner {
    requests: Family<[Label; 3], Counter>,
    issuance: Seconds,
    latency: Seconds,
    decide: Seconds,
    sign: Seconds,
    retries: Family<[Label; 1], Counter>,
    unfinished: Family<[Label; 1], Gauge>,
    duplicates: Family<[Label; 1], Counter>,
    takeovers: Family<[Label; 1], Counter>,
    live_replicas: Family<[Label; 1], Gauge>,
    deny_rules: Family<[Label; 1], Gauge>,
    retained_anchors: Family<[Label; 1], Gauge>,
    pool_reloads: Family<[Label; 2], Counter>,
    bundle_writes: Family<[Label; 2], Counter>,
}

/// The metrics of one signer.
#[derive(Clone, Debug)]
pub(crate) struct SignerMetrics {
    all: PerSigner,
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

/// How long the steps of an evaluation take.
#[derive(Clone, Debug)]
pub(crate) struct StepTimes {
    pub(crate) decide: Histogram,
    pub(crate) sign: Histogram,
}

pub(crate) type Label = (&'static str, String);
type Seconds = Family<[Label; 1], Histogram, fn() -> Histogram>;

const PREFIX: &str = "pod_certificate_signer";

/// A certificate that waits for nobody takes milliseconds; one that waits for a Service or a CA, minutes.
const ISSUANCE: [f64; 9] = [0.005, 0.01, 0.02, 0.05, 0.2, 1.0, 5.0, 60.0, 900.0];
/// The API server tells whole seconds.
const LATENCY: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0];
/// Microseconds where all is in memory; a Service that is read, or a key that is elsewhere, takes longer.
const STEP: [f64; 5] = [0.0001, 0.001, 0.01, 0.1, 1.0];

/// What is watched.
const WATCHED: [Component; 4] =
    [Component::PodCertificateRequests, Component::Pods, Component::Services, Component::ClusterTrustBundles];

/// Whether something that was tried has worked.
const RESULTS: [&str; 2] = ["failure", "success"];

impl Metrics {
    /// `further` may register what else is told.
    pub(crate) fn new(health: Health, ended: EndedTasks, further: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(ProcessCollector));
        let ours = registry.sub_registry_with_prefix(PREFIX);
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        ours.register("build", "The version that runs", build);
        let (process, signers) = (ProcessMetrics::registered(ours), PerSigner::registered(ours));
        ours.register_collector(Box::new(health));
        ours.register_collector(Box::new(ended));
        further(ours);
        Self { registry: Arc::new(registry), process, signers }
    }

    pub(crate) fn of(&self, signer: &SignerName) -> SignerMetrics {
        let of_signer = SignerMetrics { all: self.signers.clone(), signer: signer.clone() };
        of_signer.begin_at_zero();
        of_signer
    }

    /// What calls and watches count.
    pub(crate) fn process(&self) -> &ProcessMetrics {
        &self.process
    }

    /// Counts the events of the process that are dropped.
    pub(crate) fn events_dropped(&self) -> Counter {
        self.process.events_dropped.clone()
    }

    /// So many deny rules are in force for a signer.
    pub(crate) fn deny_rules(&self, signer: &SignerName, count: usize) {
        let rules = self.signers.deny_rules.get_or_create(&[("signer", signer.to_string())]).clone();
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

impl ProcessMetrics {
    fn registered(registry: &mut Registry) -> Self {
        let help = "Calls to the API server until the answer began, waiting for a connection included; code none: no answer";
        let CallMetrics(calls) = CallMetrics::default();
        let calls = CallMetrics(add_seconds(registry, "api_call", help, calls));
        let help = "Watches that began anew after a failure";
        let restarts = add(registry, "watch_restarts", help, Family::default());
        let help = "Objects of a watch or list that couldn't be read, each time that they came";
        let unreadable = add(registry, "unreadable_objects", help, Family::default());
        let help = "Events that were dropped, as too many waited to be published";
        let events_dropped = add(registry, "events_dropped", help, Counter::default());
        let watches = WatchMetrics { restarts, unreadable };
        // from 0 on, as the first increase is to be seen
        for component in WATCHED {
            drop(watches.restarts.get_or_create(&[("component", component.label())]));
            drop(watches.unreadable.get_or_create(&[("component", component.label())]));
        }
        Self { calls, watches, events_dropped }
    }
}

impl WatchMetrics {
    /// A watch has failed, and begins anew.
    pub(crate) fn restarts(&self, component: Component) {
        self.restarts.get_or_create(&[("component", component.label())]).inc();
    }

    /// An object can't be read.
    pub(crate) fn unreadable(&self, component: Component) {
        self.unreadable.get_or_create(&[("component", component.label())]).inc();
    }
}

impl PerSigner {
    fn registered(registry: &mut Registry) -> Self {
        let requests = add(registry, "requests", "Outcomes of requests", Family::default());
        let help = "From when a request was seen until its certificate was written";
        let issuance: Seconds = Family::new_with_constructor(|| Histogram::new(ISSUANCE));
        let issuance = add_seconds(registry, "issuance", help, issuance);
        let help = "From a request's creation, in whole seconds, until its certificate was written";
        let latency: Seconds = Family::new_with_constructor(|| Histogram::new(LATENCY));
        let latency = add_seconds(registry, "latency", help, latency);
        let step: Seconds = Family::new_with_constructor(|| Histogram::new(STEP));
        let decide = add_seconds(registry, "decide", "The signer's decision on a request", step);
        let step: Seconds = Family::new_with_constructor(|| Histogram::new(STEP));
        let sign =
            add_seconds(registry, "sign", "Making a certificate: its signature, and that checked", step);
        let help = "Certificates that were signed in vain, as another replica had finished the request";
        let duplicates = add(registry, "duplicates", help, Family::default());
        let help = "Requests that were evaluated in place of another replica, which hadn't answered";
        let takeovers = add(registry, "takeovers", help, Family::default());
        let help = "Replicas that share the signer's requests, as this one knows them";
        let live_replicas = add(registry, "live_replicas", help, Family::default());
        let help = "Trust anchors in the signer's bundle that no CA of its pool has";
        let retained_anchors = add(registry, "retained_trust_anchors", help, Family::default());
        let help = "Reloads of the CA pool, by result";
        let pool_reloads = add(registry, "pool_reloads", help, Family::default());
        let help = "Writes of the signer's trust bundle";
        let bundle_writes = add(registry, "bundle_writes", help, Family::default());
        let help = "Evaluations that failed and were retried";
        let retries = add(registry, "retries", help, Family::default());
        let unfinished =
            add(registry, "unfinished_requests", "Requests without an outcome", Family::default());
        let deny_rules = add(registry, "deny_rules", "Deny rules in force", Family::default());
        Self {
            requests,
            issuance,
            latency,
            decide,
            sign,
            retries,
            unfinished,
            duplicates,
            takeovers,
            live_replicas,
            deny_rules,
            retained_anchors,
            pool_reloads,
            bundle_writes,
        }
    }
}

/// Registers a metric, and returns it.
fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn add_seconds<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

/// Tells a gauge that is looked up when it is scraped, and has labels.
pub(crate) fn gauges<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (L, f64)>,
) -> fmt::Result {
    let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    values.into_iter().try_for_each(|(labels, value)| encode_value(gauge.encode_family(&labels)?, value))
}

/// The same without labels.
pub(crate) fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    encode_value(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?, value)
}

/// Whole numbers look like whole numbers.
fn encode_value(mut gauge: MetricEncoder<'_>, value: f64) -> fmt::Result {
    let whole = value as i64;
    if whole as f64 == value { gauge.encode_gauge(&whole) } else { gauge.encode_gauge(&value) }
}

/// Where the metrics that a signer registers get its name.
pub(crate) fn of_signer<'a>(registry: &'a mut Registry, signer: &SignerName) -> &'a mut Registry {
    registry.sub_registry_with_label((Cow::Borrowed("signer"), Cow::Owned(signer.to_string())))
}

impl SignerMetrics {
    /// Counters that alerts look at are there before they count, as the first increase is to be seen.
    fn begin_at_zero(&self) {
        drop(self.all.retries.get_or_create(&self.label()));
        drop(self.all.duplicates.get_or_create(&self.label()));
        for is_good in [false, true] {
            drop(self.all.pool_reloads.get_or_create(&self.result(is_good)));
            drop(self.all.bundle_writes.get_or_create(&self.result(is_good)));
        }
    }

    /// A certificate was written, so long after its request was seen; and so long after it was created.
    pub(crate) fn issued(&self, after: Duration, age: Option<Duration>) {
        self.recorded("Issued", "Issued");
        self.all.issuance.get_or_create(&self.label()).observe(after.as_secs_f64());
        if let Some(age) = age {
            self.all.latency.get_or_create(&self.label()).observe(age.as_secs_f64());
        }
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

    /// What evaluations show.
    pub(crate) fn steps(&self) -> StepTimes {
        StepTimes {
            decide: self.all.decide.get_or_create(&self.label()).clone(),
            sign: self.all.sign.get_or_create(&self.label()).clone(),
        }
    }

    /// The number of published anchors that no CA of the pool has.
    pub(crate) fn retained_anchors(&self, count: usize) {
        let gauge = self.all.retained_anchors.get_or_create(&self.label()).clone();
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// A look at the pool found something new.
    pub(crate) fn pool_reloaded(&self, is_good: bool) {
        self.all.pool_reloads.get_or_create(&self.result(is_good)).inc();
    }

    /// The bundle was written, or couldn't be.
    pub(crate) fn bundle_written(&self, is_good: bool) {
        self.all.bundle_writes.get_or_create(&self.result(is_good)).inc();
    }

    fn result(&self, is_good: bool) -> [Label; 2] {
        let [signer] = self.label();
        [signer, ("result", RESULTS[usize::from(is_good)].to_owned())]
    }

    fn label(&self) -> [Label; 1] {
        [("signer", self.signer.to_string())]
    }
}

impl Collector for Health {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let report = self.report();
        let ready = report.signers.iter().map(|signer| {
            ([("signer", signer.name.to_string())], f64::from(u8::from(signer.problems.is_empty())))
        });
        gauges(&mut encoder, "ready", "Whether the signer can serve", ready)?;
        let problems = self.troubles().into_iter().map(|trouble| {
            let labels = [
                ("signer", trouble.signer.to_string()),
                ("component", trouble.component.label().to_owned()),
                ("severity", trouble.severity.label().to_owned()),
            ];
            (labels, 1.0)
        });
        let help = "What keeps a signer from serving (error), or is wrong though it serves (warning)";
        gauges(&mut encoder, "problem", help, problems)
    }
}

#[cfg(test)]
mod tests;

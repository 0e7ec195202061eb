//! What pods of a cluster would get under another configuration.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use signer_core::{
    cluster::{Namespace, NamespacedService, Service, Services},
    preview::{Previewer, Surroundings},
};
use signer_manager::Config;

use super::verdict::Verdict;
use crate::{
    error::Error,
    observed::{Controller, ObservedPod, within},
    store::cluster::Cluster,
    terminal::{Look, Output, Report, Tone},
    text::{
        arguments::plural,
        wrap::{wrap_behind, wrap_painted},
    },
};

/// Today's pods, and two configurations.
pub(crate) struct Comparison<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) config: &'a Config,
    /// None: the one in use.
    pub(crate) against: Option<Config>,
    pub(crate) controller: Controller<'a>,
    /// None: all.
    pub(crate) namespace: Option<&'a str>,
}

/// A certificate that would be another.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    namespace: String,
    pod: String,
    owner: Option<String>,
    gains: Vec<String>,
    loses: Vec<String>,
    before: Verdict,
    after: Verdict,
}

#[derive(Default, Serialize)]
struct Changes {
    certificates: usize,
    unchanged: usize,
    changes: Vec<Change>,
    /// Pods and Services that can't be read, and why: what they would change isn't known.
    unreadable: Vec<String>,
}

impl Comparison<'_> {
    /// It isn't good if a pod loses a name or its certificate.
    pub(crate) fn run(self, output: Output, look: Look, now: Timestamp) -> Result<Report, Error> {
        let before = match self.against {
            Some(against) => against,
            None => self.controller.config()?,
        };
        if let Some(namespace) = self.namespace {
            self.cluster.check_namespace(namespace)?;
        }
        let mut found = Changes::default();
        let pods = pods(self.cluster, self.namespace, &mut found.unreadable)?;
        let services = services(self.cluster, self.namespace, &mut found.unreadable)?;
        let configs = [&before, self.config];
        let reads_namespaces =
            configs.iter().any(|config| config.signers.iter().any(|signer| signer.reads_namespaces()));
        let namespaces =
            if reads_namespaces { namespaces(self.cluster, &mut found.unreadable)? } else { BTreeMap::new() };
        let none = Services::default();
        let mut previewer = Previewer::new(now)?;
        for observed in &pods {
            let surroundings = Surroundings {
                services: services.get(&observed.pod.namespace).unwrap_or(&none),
                namespace: namespaces.get(&observed.pod.namespace),
            };
            for source in &observed.pod.certificate_sources {
                let mut of = |config| {
                    let verdict = Verdict::of(&mut previewer, config, &observed.pod, source, surroundings);
                    self.cluster.wait_for(verdict)
                };
                found.add(observed, of(&before), of(self.config));
            }
        }
        let is_good = found.unreadable.is_empty() && !found.changes.iter().any(Change::is_loss);
        Report::of(output, &found, is_good, || found.shown(look))
    }
}

fn pods(
    cluster: &Cluster,
    namespace: Option<&str>,
    unreadable: &mut Vec<String>,
) -> Result<Vec<ObservedPod>, Error> {
    let listing = cluster.list::<ObservedPod>(&within("/api/v1", namespace, "pods"), None)?;
    unreadable.extend(listing.unreadable.iter().map(ToString::to_string));
    let mut pods = listing.objects;
    pods.retain(|observed| !observed.is_finished() && !observed.pod.certificate_sources.is_empty());
    pods.sort_by(|a, b| (&a.pod.namespace, &a.pod.name).cmp(&(&b.pod.namespace, &b.pod.name)));
    Ok(pods)
}

fn services(
    cluster: &Cluster,
    namespace: Option<&str>,
    unreadable: &mut Vec<String>,
) -> Result<BTreeMap<String, Services>, Error> {
    let mut all: BTreeMap<String, Vec<Service>> = BTreeMap::new();
    let listing = cluster.list::<NamespacedService>(&within("/api/v1", namespace, "services"), None)?;
    unreadable.extend(listing.unreadable.iter().map(ToString::to_string));
    for found in listing.objects {
        all.entry(found.namespace).or_default().push(found.service);
    }
    Ok(all.into_iter().map(|(namespace, services)| (namespace, services.into_iter().collect())).collect())
}

fn namespaces(cluster: &Cluster, unreadable: &mut Vec<String>) -> Result<BTreeMap<String, Namespace>, Error> {
    let listing = cluster.list::<Namespace>("/api/v1/namespaces", None)?;
    unreadable.extend(listing.unreadable.iter().map(ToString::to_string));
    Ok(listing.objects.into_iter().map(|namespace| (namespace.name.clone(), namespace)).collect())
}

impl Changes {
    fn add(&mut self, observed: &ObservedPod, before: Verdict, after: Verdict) {
        self.certificates += 1;
        // messages name what the configuration has
        if (before.outcome, &before.reason) == (after.outcome, &after.reason)
            && before.certificate == after.certificate
        {
            self.unchanged += 1;
            return;
        }
        let names = |verdict: &Verdict| {
            verdict.certificate.as_ref().map(|previewed| previewed.certificate.names()).unwrap_or_default()
        };
        let (had, has) = (names(&before), names(&after));
        let without = |names: &[String], others: &[String]| {
            names.iter().filter(|name| !others.contains(name)).cloned().collect()
        };
        self.changes.push(Change {
            namespace: observed.pod.namespace.clone(),
            pod: observed.pod.name.clone(),
            owner: observed.owner.as_ref().map(ToString::to_string),
            gains: without(&has, &had),
            loses: without(&had, &has),
            before,
            after,
        });
    }

    fn shown(&self, look: Look) -> String {
        let losers = self.changes.iter().filter(|change| change.is_loss()).count();
        let gainers =
            self.changes.iter().filter(|change| !change.is_loss() && !change.gains.is_empty()).count();
        let head = format!(
            "Of {} that today's pods ask for, {losers} would lose a name or not be issued, {gainers} would gain a name, {} would change otherwise, {} \
             would stay as they are.",
            plural(self.certificates, "certificate"),
            self.changes.len() - losers - gainers,
            self.unchanged
        );
        let tone = if losers > 0 { Tone::Bad } else { Tone::Good };
        let head = wrap_painted(look, tone, &head);
        let unknown = |problem: &String| wrap_behind("! ", problem, look.width);
        let unknown: String = self.unreadable.iter().map(unknown).collect();
        head + &unknown + &self.changes.iter().map(|change| change.shown(look)).collect::<String>()
    }
}

impl Change {
    fn is_loss(&self) -> bool {
        !self.loses.is_empty() || (self.before.is_issued() && !self.after.is_issued())
    }

    fn shown(&self, look: Look) -> String {
        let owner = self.owner.as_ref().map(|owner| format!("  ({owner})")).unwrap_or_default();
        let pod = look.paint(Tone::Heading, format!("{}/{}", self.namespace, self.pod));
        let mut text = format!("\n{pod}{owner}  {}\n", self.after.signer);
        if self.before.outcome != self.after.outcome || self.before.reason != self.after.reason {
            let word =
                |verdict: &Verdict| format!("{} {}", verdict.outcome, verdict.reason).trim().to_owned();
            text += &format!("  {} → {}\n", word(&self.before), word(&self.after));
        }
        text += &self
            .loses
            .iter()
            .map(|name| look.paint(Tone::Bad, format!("  - {name}")) + "\n")
            .collect::<String>();
        text += &self
            .gains
            .iter()
            .map(|name| look.paint(Tone::Good, format!("  + {name}")) + "\n")
            .collect::<String>();
        if let (Some(before), Some(after)) = (&self.before.certificate, &self.after.certificate) {
            text += &before.differences(after).iter().map(|line| format!("  {line}\n")).collect::<String>();
        }
        if !self.after.message.is_empty() {
            text += &wrap_behind("    ", &self.after.message, look.width);
        }
        text
    }
}

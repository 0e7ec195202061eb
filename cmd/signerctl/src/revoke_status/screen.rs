//! Holders for people, with what restarts them.

use jiff::Timestamp;

use super::holders::{Holders, Workload};
use crate::{
    terminal::{Look, Tone},
    text::{
        arguments::plural,
        shell::quote,
        table::{Cell, table},
        times::minute_from_now,
        wrap::{wrap_behind, wrap_painted},
    },
};

/// `kubectl` is that command with the options that lead to the cluster.
pub(super) fn shown(holders: &Holders, kubectl: &str, batch: usize, look: Look, now: Timestamp) -> String {
    let revoked = minute_from_now(holders.revoked_at, now);
    let of = plural(holders.pods, "pod");
    let unreadable = holders.unreadable.iter().map(|problem| wrap_behind("! ", problem, look.width));
    let unreadable: String = unreadable.collect();
    let Some(last) = holders.workloads.iter().map(|workload| workload.until).max() else {
        let text =
            format!("{}: none of {of} holds a certificate of a CA revoked before {revoked}.", holders.signer);
        return look.paint(Tone::Good, text) + "\n" + &unreadable;
    };
    let head = format!(
        "{}: {} of {of} may hold a certificate of a CA revoked at {revoked}. Without a restart, the last one expires at {}.",
        holders.signer,
        holders.count(),
        minute_from_now(last, now)
    );
    let head = wrap_painted(look, Tone::Bad, &head);
    let titles = ["WORKLOAD", "HOLDERS", "CONFIRMED", "UNTIL"];
    let titles = titles.iter().map(|text| ((*text).to_owned(), look.paint(Tone::Faint, text))).collect();
    let rows = holders.workloads.iter().map(|workload| row(workload, now));
    let list = table(&std::iter::once(titles).chain(rows).collect::<Vec<_>>());
    let (restarted, alone): (Vec<&Workload>, Vec<&Workload>) =
        holders.workloads.iter().partition(|workload| workload.restart().is_some());
    let batches = restarted.chunks(batch).enumerate().map(|(index, workloads)| {
        let title = look.paint(Tone::Heading, format!("Batch {}", index + 1));
        format!("\n{title}\n{}", commands(workloads, kubectl))
    });
    let batches: String = batches.collect();
    format!("{head}{unreadable}\n{list}{batches}{}", without_controller(&alone, look))
}

fn row(workload: &Workload, now: Timestamp) -> Vec<Cell> {
    let Workload { namespace, owner, holders, confirmed, pods, until } = workload;
    let name = owner.as_ref().map_or_else(|| "pods without a controller".to_owned(), ToString::to_string);
    let cells = [
        format!("{namespace} {name}"),
        format!("{} of {pods}", holders.len()),
        confirmed.to_string(),
        minute_from_now(*until, now),
    ];
    cells.into_iter().map(|text| (text.clone(), text)).collect()
}

/// How the pods of a workload are replaced.
#[derive(Clone, Copy)]
enum Restart {
    /// One after the other, as the workload's strategy says.
    Rollout,
    /// Whoever has made them makes others.
    Delete,
}

impl Workload {
    /// None for pods that nobody makes again: those without an owner, and static ones, which their node makes.
    fn restart(&self) -> Option<Restart> {
        let owner = self.owner.as_ref()?;
        match (owner.group.as_str(), owner.kind.as_str()) {
            ("apps", "Deployment" | "StatefulSet" | "DaemonSet") => Some(Restart::Rollout),
            ("", "Node") => None,
            _ => Some(Restart::Delete),
        }
    }
}

/// What restarts all workloads of a batch, and then what waits until they are ready. Whoever makes a pod writes its
/// owner as they like, so names are quoted.
fn commands(batch: &[&Workload], kubectl: &str) -> String {
    let (mut restarts, mut waits, mut deletes) = (String::new(), String::new(), String::new());
    for workload in batch {
        let kubectl = format!("  {kubectl} -n {}", workload.namespace);
        let owner = quote(&workload.owner.as_ref().map(ToString::to_string).unwrap_or_default());
        match workload.restart() {
            Some(Restart::Rollout) => {
                restarts += &format!("{kubectl} rollout restart {owner}\n");
                waits += &format!("{kubectl} rollout status {owner}\n");
            }
            Some(Restart::Delete) => {
                for name in &workload.holders {
                    deletes += &format!("{kubectl} delete pod {}\n", quote(name));
                }
            }
            None => {}
        }
    }
    if !deletes.is_empty() {
        let remark = "one after the other, as delete heeds no PodDisruptionBudget: the next when the replacement is ready";
        deletes.insert_str(0, &format!("  # {remark}\n"));
    }
    restarts + &waits + &deletes
}

/// Pods that no restart command covers.
fn without_controller(workloads: &[&Workload], look: Look) -> String {
    if workloads.is_empty() {
        return String::new();
    }
    let title = look.paint(Tone::Heading, "Pods without a controller");
    let pods = workloads.iter().flat_map(|workload| {
        workload.holders.iter().map(|name| format!("  {}/{name}\n", workload.namespace))
    });
    let pods: String = pods.collect();
    let text = "Nobody makes these again once they are deleted: replace each from its manifest.";
    format!("\n{title}\n{}{pods}", wrap_behind("  ", text, look.width))
}

#[cfg(test)]
mod tests;

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
        wrap::wrap_behind,
    },
};

/// `kubectl` is that command with the options that lead to the cluster.
pub(super) fn shown(holders: &Holders, kubectl: &str, batch: usize, look: Look, now: Timestamp) -> String {
    let revoked = minute_from_now(holders.revoked_at, now);
    let of = plural(holders.pods, "running pod");
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
    let head = wrap_behind("", &head, look.width)
        .lines()
        .map(|line| look.paint(Tone::Bad, line) + "\n")
        .collect::<String>();
    let titles = ["WORKLOAD", "HOLDERS", "CERTAIN", "UNTIL"];
    let titles = titles.iter().map(|text| ((*text).to_owned(), look.paint(Tone::Faint, text))).collect();
    let rows = holders.workloads.iter().map(|workload| row(workload, now));
    let list = table(&std::iter::once(titles).chain(rows).collect::<Vec<_>>());
    let batches = holders.workloads.chunks(batch).enumerate().map(|(index, workloads)| {
        let commands = workloads
            .iter()
            .flat_map(|workload| commands(workload, kubectl))
            .map(|command| format!("  {command}\n"));
        let title = look.paint(Tone::Heading, format!("Batch {}", index + 1));
        format!("\n{title}\n{}", commands.collect::<String>())
    });
    format!("{head}{unreadable}\n{list}{}", batches.collect::<String>())
}

fn row(workload: &Workload, now: Timestamp) -> Vec<Cell> {
    let Workload { namespace, owner, holders, certain, pods, until } = workload;
    let name = owner.as_ref().map_or_else(|| "pods of nobody".to_owned(), ToString::to_string);
    let cells = [
        format!("{namespace} {name}"),
        format!("{} of {pods}", holders.len()),
        certain.to_string(),
        minute_from_now(*until, now),
    ];
    cells.into_iter().map(|text| (text.clone(), text)).collect()
}

/// A rollout replaces pods one after the other, as its workload's strategy says; pods that nothing rolls are
/// deleted.
fn commands(workload: &Workload, kubectl: &str) -> Vec<String> {
    let kubectl = format!("{kubectl} -n {}", workload.namespace);
    match &workload.owner {
        Some(owner) if ["Deployment", "StatefulSet", "DaemonSet"].contains(&owner.kind.as_str()) => {
            // whoever makes a pod writes there what they like
            let owner = quote(&owner.to_string());
            vec![format!("{kubectl} rollout restart {owner}"), format!("{kubectl} rollout status {owner}")]
        }
        _ => {
            let pods: Vec<String> = workload.holders.iter().map(|name| quote(name)).collect();
            vec![format!("{kubectl} delete pod {}", pods.join(" "))]
        }
    }
}

#[cfg(test)]
mod tests;

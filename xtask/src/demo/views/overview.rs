//! The table of all requests.

use super::{
    super::verdict::{Row, Verdict},
    brief,
};
use crate::terminal::{Cell, INDENT, Style, TableRow, render, wrap};

const HEAD: [&str; 7] = ["POD", "SIGNER", "KEY", "NAMES", "LIFETIME", "REFRESH", "OUTCOME"];
const NAMES: usize = 3;

/// Every request with its outcome. A denial's message begins below its row, as far as it goes on one line.
pub(in super::super) fn overview(rows: &[Row], style: &Style) -> String {
    let mut last_pod = "";
    let mut table = Vec::new();
    for row in rows {
        // A pod that asks several signers is named once.
        let pod = if row.pod == last_pod { "" } else { row.pod.as_str() };
        last_pod = &row.pod;
        table.push(table_row(row, pod, style.width));
    }
    render(&HEAD, &table, NAMES, style)
}

fn table_row(row: &Row, pod: &str, width: usize) -> TableRow {
    let mut cells = vec![Cell::of(pod), Cell::of(&row.signer_name), Cell::of(row.key_type)];
    match &row.verdict {
        Verdict::Issued(verified) => {
            let status = &verified.status;
            let leaf = verified.chain.leaf();
            let lifetime = status.not_after.duration_since(status.not_before);
            let refresh = status.begin_refresh_at.duration_since(status.not_before);
            cells.push(Cell { lines: [leaf.dns_names(), leaf.uris()].concat(), paint: None });
            cells.push(Cell::of(brief(lifetime)));
            cells.push(Cell::of(format!("at {}", brief(refresh))));
            cells.push(Cell { paint: Some(Style::good), ..Cell::of("Issued") });
            TableRow { cells, below: None }
        }
        Verdict::Denied { reason, message } => {
            cells.extend([Cell::of("–"), Cell::of("–"), Cell::of("–")]);
            cells.push(Cell { paint: Some(Style::bad), ..Cell::of("Denied") });
            TableRow {
                cells,
                below: Some(one_line(&format!("{reason}: {message}"), width.saturating_sub(INDENT))),
            }
        }
    }
}

/// The text, cut at the end of a word if it is too long.
fn one_line(text: &str, width: usize) -> String {
    let mut lines = wrap(text, width.saturating_sub(2));
    let first = lines.swap_remove(0);
    if lines.is_empty() { first } else { format!("{first} …") }
}

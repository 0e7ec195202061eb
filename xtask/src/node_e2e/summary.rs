//! What was checked, in a table.

use crate::terminal::{Cell, Style, TableRow, render};

/// A check: what should hold, and what was seen, or why not.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) check: String,
    pub(super) seen: Result<String, String>,
}

/// The column that gives way on a narrow terminal.
const SEEN: usize = 2;

/// Every check on a line.
pub(super) fn table(rows: &[Row], style: &Style) -> String {
    let cell =
        |text: &str, paint: Option<fn(&Style, &str) -> String>| Cell { lines: vec![text.to_owned()], paint };
    let rows: Vec<TableRow> = rows
        .iter()
        .map(|Row { check, seen }| {
            let (mark, text, paint): (_, _, fn(&Style, &str) -> String) = match seen {
                Ok(text) => ("✓", text, Style::good),
                Err(text) => ("✗", text, Style::bad),
            };
            // What more there was to say stands where it happened.
            let text = text.lines().next().unwrap_or_default();
            let cells = vec![cell(mark, Some(paint)), cell(check, None), cell(text, None)];
            TableRow { cells, below: None }
        })
        .collect();
    render(&["", "CHECK", "SEEN"], &rows, SEEN, style)
}

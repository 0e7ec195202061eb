//! Fields and tables in plain text.

use crate::terminal::Look;
use crate::text::wrap::break_value;

/// A text, and what it looks like.
pub(crate) type Cell = (String, String);

/// The columns of names and the blanks around them.
const MARGIN: usize = 12;

/// A name and a value on each line.
pub(crate) fn fields(fields: &[(&str, String)], look: Look) -> String {
    let room = look.width.saturating_sub(MARGIN);
    let lines = fields.iter().flat_map(|(name, value)| {
        let lines = break_value(value, room).into_iter().enumerate();
        lines.map(move |(index, line)| {
            let name = if index == 0 { *name } else { "" };
            format!("  {name:<9} {line}\n")
        })
    });
    lines.collect()
}

/// The same below a line that is itself below another.
pub(crate) fn nested(list: &[(&str, String)], look: Look) -> String {
    let look = Look { width: look.width.saturating_sub(2), ..look };
    fields(list, look).lines().map(|line| format!("  {line}\n")).collect()
}

/// Rows in columns that are as wide as they have to be.
pub(crate) fn table(rows: &[Vec<Cell>]) -> String {
    let widths = widths(rows);
    let line = |row: &Vec<Cell>| {
        let cells = row.iter().zip(&widths).map(|((text, painted), width)| {
            let padding = " ".repeat(width.saturating_sub(text.chars().count()));
            format!("{painted}{padding}")
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// How wide the table of these rows is.
pub(crate) fn width(rows: &[Vec<Cell>]) -> usize {
    widths(rows).iter().map(|width| width + 2).sum()
}

fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |row: &Vec<Cell>, column: usize| row.get(column).map_or(0, |(text, _)| text.chars().count());
    (0..columns).map(|column| rows.iter().map(|row| length(row, column)).max().unwrap_or(0)).collect()
}

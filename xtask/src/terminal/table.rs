//! A table for people: as wide as its text needs, and no wider than the terminal.

/// A cell: lines of text, and how to paint them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    pub(crate) lines: Vec<String>,
    /// Wraps a padded line in colour codes.
    pub(crate) paint: Option<fn(&super::Style, &str) -> String>,
}

/// A row, with a line below it that takes the whole width.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableRow {
    pub(crate) cells: Vec<Cell>,
    pub(crate) below: Option<String>,
}

impl Cell {
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self { lines: vec![text.into()], paint: None }
    }
}

const GAP: usize = 2;

/// Of what stands below a row.
pub(crate) const INDENT: usize = 4;

/// The narrowest that a shrunk column gets: below that, lines overflow.
const NARROWEST: usize = 20;

/// Renders a head and rows. If they are too wide for the style, the column at index `flexible` gives way.
pub(crate) fn render(head: &[&str], rows: &[TableRow], flexible: usize, style: &super::Style) -> String {
    let widths = widths(head, rows, flexible, style.width);
    let mut out = String::new();
    let head = TableRow { cells: head.iter().map(|title| Cell::of(*title)).collect(), below: None };
    for line in lines(&head, &widths, style) {
        out += &format!("{}\n", style.bold(&line));
    }
    for row in rows {
        for line in lines(row, &widths, style) {
            out += &format!("{line}\n");
        }
        for line in row.below.iter().flat_map(|below| wrap(below, style.width.saturating_sub(INDENT))) {
            out += &format!("{:INDENT$}{}\n", "", style.dim(&line));
        }
    }
    out
}

fn widths(head: &[&str], rows: &[TableRow], flexible: usize, available: usize) -> Vec<usize> {
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(column)).flat_map(|cell| &cell.lines);
        cells.map(|line| length(line)).chain([length(head[column])]).max().unwrap_or_default()
    };
    let mut widths: Vec<usize> = (0..head.len()).map(widest).collect();
    let total = widths.iter().sum::<usize>() + GAP * (head.len() - 1);
    let narrowest = widths[flexible].min(NARROWEST);
    widths[flexible] = widths[flexible].saturating_sub(total.saturating_sub(available)).max(narrowest);
    widths
}

fn lines(row: &TableRow, widths: &[usize], style: &super::Style) -> Vec<String> {
    let wrapped: Vec<Vec<String>> = row
        .cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| cell.lines.iter().flat_map(|line| wrap(line, *width)).collect())
        .collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or_default();
    let line = |index: usize| {
        let mut line = String::new();
        for ((cell, texts), width) in row.cells.iter().zip(&wrapped).zip(widths) {
            let text = texts.get(index).map_or("", String::as_str);
            let padding = " ".repeat((width + GAP).saturating_sub(length(text)));
            line += &cell.paint.map_or_else(|| text.to_owned(), |paint| paint(style, text));
            line += &padding;
        }
        line.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// Breaks a text into lines: after a space, slash, dot or comma where there is one, else anywhere.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    let width = width.max(1);
    while rest.len() > width {
        // A space may hang over the edge, as it is not seen.
        let fits = |(at, c): &(usize, &char)| {
            if **c == ' ' { *at <= width } else { *at < width && "/.,".contains(**c) }
        };
        let spaces = rest.iter().enumerate().take(width + 1).rev().find(|(_, c)| **c == ' ');
        let found = spaces.or_else(|| rest.iter().enumerate().take(width + 1).rev().find(fits));
        let end = found.map_or(width, |(at, _)| at + 1);
        let tail = rest.split_off(end);
        lines.push(rest.iter().collect::<String>().trim_end().to_owned());
        rest = tail;
    }
    lines.push(rest.into_iter().collect());
    lines
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests;

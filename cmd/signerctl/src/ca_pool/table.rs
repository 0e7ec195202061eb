//! Fields and tables in plain text.

/// A name and a value on each line.
pub(super) fn fields(fields: &[(&str, String)]) -> String {
    fields.iter().map(|(name, value)| format!("  {name:<9} {value}\n")).collect()
}

/// Rows in columns that are as wide as they have to be. A cell is a text, and what it looks like.
pub(super) fn table<const N: usize>(rows: &[[(String, String); N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].0.chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[(String, String); N]| {
        let cells = row.iter().zip(widths).map(|((text, painted), width)| {
            let padding = " ".repeat(width.saturating_sub(text.chars().count()));
            format!("{painted}{padding}")
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

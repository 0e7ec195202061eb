//! A section as a table.

use super::{Figure, Section};

const GAP: usize = 3;

pub(super) fn render(section: &Section) -> String {
    let head = std::iter::once("").chain(section.columns.iter().copied()).map(ToOwned::to_owned).collect();
    let body = section.rows.iter().map(|row| {
        std::iter::once(row.subject.clone()).chain(row.figures.iter().map(figure)).collect::<Vec<String>>()
    });
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(body).collect();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let mut text = format!("{}\n", section.title);
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let padding = " ".repeat(width(column) - cell.chars().count() + GAP);
            format!("{cell}{padding}")
        });
        let line: String = cells.collect();
        text += &format!("  {}\n", line.trim_end());
    }
    text
}

fn figure(figure: &Figure) -> String {
    let Figure { median, least, most, unit } = figure;
    let number = |value: f64| match value.abs() {
        0.0 => "0".to_owned(),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    };
    let spread =
        if least == most { String::new() } else { format!(" ({} to {})", number(*least), number(*most)) };
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    format!("{}{unit}{spread}", number(*median))
}

#[cfg(test)]
mod tests {
    use super::{super::Row, *};

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let row = |subject: &str, values: &[f64]| Row {
            subject: subject.into(),
            figures: vec![Figure::of(values, "/s"), Figure::one(0.5, "")],
        };
        let section = Section {
            name: "a".into(),
            title: "A".into(),
            columns: vec!["throughput", "ratio"],
            rows: vec![row("null signer", &[600.0, 500.0, 520.5]), row("1", &[5.5])],
            plots: vec![],
        };
        let expected = "\
A
                throughput              ratio
  null signer   520 /s (500 to 600)     0.50
  1             5.50 /s                 0.50
";
        let got = render(&section);
        assert_eq!(
            got.split_whitespace().collect::<Vec<_>>(),
            expected.split_whitespace().collect::<Vec<_>>()
        );
        let columns: Vec<_> =
            got.lines().skip(1).map(|line| line.rfind("0.50").or(line.find("ratio"))).collect();
        assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "{got}");
    }

    #[test]
    fn the_median_stands_between_the_least_and_the_most() {
        assert_eq!(figure(&Figure::of(&[3.0, 1.0, 2.0], "ms")), "2.00 ms (1.00 to 3.00)");
        assert_eq!(figure(&Figure::of(&[1.0, 2.0], "")), "1.50 (1.00 to 2.00)");
        assert_eq!(figure(&Figure::one(1234.5, "MiB")), "1234 MiB");
    }
}

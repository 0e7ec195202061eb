//! A pool's life as bars.

use ca_pool::Phase;
use jiff::{SignedDuration, Timestamp};

use crate::terminal::{Look, Tone};
use crate::{report::outlook::Outlook, text::times::from_now};

/// The least width of the time between two marks: room for a mark's label.
const BETWEEN_MARKS: usize = 13;

/// The bars, under the times at which something changes. Between two of those the scale is its own, as
/// minutes and years must fit on one line.
pub(crate) fn draw(outlook: &Outlook<'_>, look: Look) -> String {
    let names: Vec<String> = outlook.all().map(|index| outlook.name(index)).collect();
    let margin = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(24) + 4;
    let room = look.width.saturating_sub(margin);
    let marks = marks(outlook, (room / BETWEEN_MARKS).max(2));
    let mut lines = vec![
        labels(&marks, margin, |at| from_now(at, outlook.now)),
        labels(&marks, margin, |at| date(at, outlook.now)),
    ];
    for (index, name) in names.iter().enumerate() {
        lines.push(format!("  {name:<width$}{}", bar(outlook, index, &marks, look), width = margin - 2));
    }
    lines.extend(legend(margin, look));
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// In as many lines as it takes.
fn legend(margin: usize, look: Look) -> Vec<String> {
    let fills = [Fill::Prepared, Fill::Active, Fill::Retiring, Fill::Removable];
    let mut entries: Vec<(usize, String)> = fills
        .map(|fill| {
            let character = look.paint(fill.tone(), fill.character().to_string());
            (fill.word().chars().count() + 2, format!("{character} {}", fill.word()))
        })
        .to_vec();
    let note = "(UTC, not to scale)";
    entries.push((note.chars().count(), note.to_owned()));
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (length, text) in entries {
        match lines.last_mut() {
            Some((used, line)) if *used + 3 + length <= look.width => {
                *used += 3 + length;
                line.push_str("   ");
                line.push_str(&text);
            }
            _ => lines.push((margin + length, format!("{:margin$}{text}", ""))),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// The times at which something changes: now, the next ones, and the end.
fn marks(outlook: &Outlook<'_>, most: usize) -> Vec<Timestamp> {
    let activations = outlook.all().filter_map(|index| outlook.signs_from(index));
    let ends = outlook.all().filter_map(|index| outlook.removable_at(index));
    let end = outlook.last().map(|last| outlook.windows()[last].not_after);
    let mut marks: Vec<Timestamp> =
        activations.chain(ends).chain(end).filter(|at| *at > outlook.now).collect();
    marks.push(outlook.now);
    marks.sort();
    marks.dedup();
    if marks.len() == 1 {
        marks.push(outlook.now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX));
    }
    while marks.len() > most {
        marks.remove(marks.len() - 2);
    }
    marks
}

fn labels(marks: &[Timestamp], margin: usize, label: impl Fn(Timestamp) -> String) -> String {
    let labels: String = marks.iter().map(|at| format!("{:<BETWEEN_MARKS$}", label(*at))).collect();
    format!("{:margin$}{labels}", "")
}

/// Without the year where it is this one.
fn date(at: Timestamp, now: Timestamp) -> String {
    let format = if at.strftime("%Y").to_string() == now.strftime("%Y").to_string() {
        "%m-%d %H:%M"
    } else {
        "%Y-%m-%d"
    };
    at.strftime(format).to_string()
}

fn bar(outlook: &Outlook<'_>, index: usize, marks: &[Timestamp], look: Look) -> String {
    let mut runs: Vec<(Fill, String)> = Vec::new();
    for times in marks.windows(2) {
        for column in 0..BETWEEN_MARKS {
            let fill = fill(outlook, index, between(times[0], times[1], column));
            match runs.last_mut() {
                Some((last, run)) if *last == fill => run.push(fill.character()),
                _ => runs.push((fill, fill.character().to_string())),
            }
        }
    }
    runs.into_iter().map(|(fill, run)| look.paint(fill.tone(), run)).collect()
}

fn between(from: Timestamp, to: Timestamp, column: usize) -> Timestamp {
    let seconds = to.duration_since(from).as_secs();
    let share = i64::try_from(column).unwrap_or(0) * seconds / i64::try_from(BETWEEN_MARKS).unwrap_or(1);
    from.saturating_add(SignedDuration::from_secs(share)).unwrap_or(to)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    Prepared,
    Active,
    Retiring,
    Removable,
}

fn fill(outlook: &Outlook<'_>, index: usize, at: Timestamp) -> Fill {
    match outlook.windows()[index].phase(at) {
        Phase::Prepared(_) => Fill::Prepared,
        Phase::Active => Fill::Active,
        Phase::Retiring(_) => Fill::Retiring,
        Phase::Removable => Fill::Removable,
    }
}

impl Fill {
    fn character(self) -> char {
        match self {
            Self::Prepared => '░',
            Self::Active => '█',
            Self::Retiring => '▒',
            Self::Removable => '·',
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Active => "signs",
            Self::Retiring => "retiring",
            Self::Removable => "removable",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Prepared => Tone::Coming,
            Self::Active => Tone::Good,
            Self::Retiring => Tone::Ending,
            Self::Removable => Tone::Faint,
        }
    }
}

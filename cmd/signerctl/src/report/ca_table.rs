//! The CAs of a pool side by side, or below each other where lines are short.

use ca_pool::{MAX_LEAF_LIFETIME, Phase};

use crate::terminal::{Look, Tone};
use crate::{
    report::outlook::Outlook,
    text::table::{Cell, table, width},
    text::times::{lifetime, minute, minute_from_now},
};

/// What is told of each CA where the line has room for it.
#[derive(Clone, Copy)]
struct Columns {
    longest: bool,
    distance: bool,
}

/// The most that fits.
pub(crate) fn overview(outlook: &Outlook<'_>, look: Look) -> String {
    let layouts = [(true, true), (false, true), (false, false)];
    let mut tables =
        layouts.into_iter().map(|(longest, distance)| rows(outlook, Columns { longest, distance }, look));
    tables.find(|rows| width(rows) <= look.width).map_or_else(|| stacked(outlook, look), |rows| table(&rows))
}

/// Whether each CA's longest certificate isn't in the overview.
pub(crate) fn lacks_longest(outlook: &Outlook<'_>, look: Look) -> bool {
    let all = Columns { longest: true, distance: true };
    width(&rows(outlook, all, look)) > look.width
}

/// The longest lifetime of a CA's certificates.
pub(crate) fn longest(outlook: &Outlook<'_>, index: usize) -> String {
    match outlook.windows()[index].max_leaf_lifetime {
        Some(longest) => format!("{} at most", lifetime(longest)),
        None => format!("unknown ({})", lifetime(MAX_LEAF_LIFETIME)),
    }
}

fn rows(outlook: &Outlook<'_>, columns: Columns, look: Look) -> Vec<Vec<Cell>> {
    let head = ["CA", "PHASE", "SIGNS", "CERTIFICATES", "CAN GO", "EXPIRES"];
    let head = head.map(|text| (text.to_owned(), look.paint(Tone::Faint, text)));
    let all = outlook.all().map(|index| row(outlook, index, columns, look));
    std::iter::once(head.to_vec()).chain(all).map(|row| without(row, columns)).collect()
}

fn without(row: Vec<Cell>, columns: Columns) -> Vec<Cell> {
    row.into_iter()
        .enumerate()
        .filter(|(column, _)| columns.longest || *column != 3)
        .map(|(_, cell)| cell)
        .collect()
}

fn row(outlook: &Outlook<'_>, index: usize, columns: Columns, look: Look) -> Vec<Cell> {
    let id = match outlook.pool.authority(index).id() {
        "" => "(none)",
        id => id,
    };
    let (word, tone) = phase(outlook, index);
    let not_after = outlook.windows()[index].not_after;
    vec![
        plain(id.to_owned()),
        (word.to_owned(), look.paint(tone, word)),
        plain(signs(outlook, index)),
        plain(longest(outlook, index)),
        plain(outlook.can_go(index)),
        plain(if columns.distance { minute_from_now(not_after, outlook.now) } else { minute(not_after) }),
    ]
}

fn stacked(outlook: &Outlook<'_>, look: Look) -> String {
    let one = |index: usize| {
        let (word, tone) = phase(outlook, index);
        let facts = [
            ("Signs", signs(outlook, index)),
            ("Can go", outlook.can_go(index)),
            ("Expires", minute(outlook.windows()[index].not_after)),
        ];
        let facts: String = facts.into_iter().map(|(name, fact)| format!("    {name:<8} {fact}\n")).collect();
        format!("  {}: {}\n{facts}", outlook.name(index), look.paint(tone, word))
    };
    outlook.all().map(one).collect()
}

fn phase(outlook: &Outlook<'_>, index: usize) -> (&'static str, Tone) {
    match outlook.phases[index] {
        Phase::Prepared(_) => ("prepared", Tone::Coming),
        Phase::Active => ("active", Tone::Good),
        Phase::Retiring(_) => ("retiring", Tone::Ending),
        Phase::Removable if outlook.windows()[index].not_after < outlook.now => ("expired", Tone::Bad),
        Phase::Removable => ("removable", Tone::Faint),
    }
}

fn signs(outlook: &Outlook<'_>, index: usize) -> String {
    match (outlook.phases[index], outlook.signs_until(index)) {
        _ if !outlook.fitness.is_of_use(index) => "no".to_owned(),
        (Phase::Prepared(None), _) => "no".to_owned(),
        (Phase::Prepared(Some(from)), _) => format!("from {}", minute(from)),
        (_, Some(until)) => format!("until {}", minute(until)),
        (Phase::Active, None) => "yes".to_owned(),
        (Phase::Retiring(_) | Phase::Removable, None) => "no".to_owned(),
    }
}

fn plain(text: String) -> Cell {
    (text.clone(), text)
}

//! Texts in lines that fit.

use crate::terminal::{Look, Tone};

/// How far a command is indented that doesn't fit where the text before it stands.
const INDENT_OF_COMMANDS: usize = 4;

/// A text in lines of at most `width` characters; all but the first begin with `hang` blanks, and the first
/// has room for as many before it.
///
/// A command at the text's end stays in one piece, on a line of its own if need be, so that it can be copied.
/// So does a single word that is longer than a line.
pub(crate) fn wrap(text: &str, width: usize, hang: usize) -> Vec<String> {
    let room = width.saturating_sub(hang).max(1);
    let (prose, command) = match text.split_once(": signerctl ") {
        Some((prose, _)) => text.split_at(prose.len() + 1),
        None => (text, ""),
    };
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces(prose) {
        add(&mut lines, &piece, room);
    }
    let fits = lines.len();
    let command = command.trim();
    if !command.is_empty() {
        add(&mut lines, command, room);
    }
    for (index, line) in lines.iter_mut().enumerate().skip(1) {
        let is_long_command = index >= fits && line.chars().count() > room;
        let margin = if is_long_command { hang.min(INDENT_OF_COMMANDS) } else { hang };
        line.insert_str(0, &" ".repeat(margin));
    }
    lines
}

/// The same behind a beginning (`  - `), which the further lines leave blank.
pub(crate) fn wrap_behind(beginning: &str, text: &str, width: usize) -> String {
    let lines = wrap(text, width, beginning.chars().count());
    format!("{beginning}{}\n", lines.join("\n"))
}

/// A text in lines that fit, all in the colour of what it is.
pub(crate) fn wrap_painted(look: Look, tone: Tone, text: &str) -> String {
    wrap(text, look.width, 0).iter().map(|line| look.paint(tone, line) + "\n").collect()
}

/// A value in lines of at most `room` characters; one without blanks (a fingerprint) goes on after a colon.
pub(crate) fn break_value(value: &str, room: usize) -> Vec<String> {
    if value.chars().count() <= room || value.contains(' ') {
        return wrap(value, room, 0);
    }
    let mut lines: Vec<String> = Vec::new();
    for piece in value.split_inclusive(':') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + piece.chars().count() <= room => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

fn add(lines: &mut Vec<String>, piece: &str, room: usize) {
    match lines.last_mut() {
        Some(line) if line.chars().count() + 1 + piece.chars().count() <= room => {
            line.push(' ');
            line.push_str(piece);
        }
        _ => lines.push(piece.to_owned()),
    }
}

/// The words; a day and its time are one.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_time = word.len() >= 6 && word.as_bytes()[2] == b':' && word.as_bytes()[5] == b'Z';
        match pieces.last_mut() {
            Some(day) if is_time => {
                day.push(' ');
                day.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

#[cfg(test)]
mod tests;

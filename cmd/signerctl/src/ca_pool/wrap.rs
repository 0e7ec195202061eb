//! Texts in lines that fit.

/// A text in lines of at most `width` characters; all but the first begin with `hang` blanks, and the first has room for as many before it.
///
/// A command at the text's end stays in one piece, on a line of its own if need be, so that it can be copied. So does a single word that is longer than a line.
pub(super) fn wrap(text: &str, width: usize, hang: usize) -> Vec<String> {
    let room = width.saturating_sub(hang).max(1);
    let (prose, command) = match text.split_once(": signerctl ") {
        Some((prose, _)) => text.split_at(prose.len() + 1),
        None => (text, ""),
    };
    let mut lines: Vec<String> = Vec::new();
    for piece in prose.split_whitespace().chain(Some(command.trim()).filter(|command| !command.is_empty())) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + piece.chars().count() <= room => {
                line.push(' ');
                line.push_str(piece);
            }
            _ => lines.push(piece.to_owned()),
        }
    }
    let margin = " ".repeat(hang);
    lines.iter_mut().skip(1).for_each(|line| line.insert_str(0, &margin));
    lines
}

/// The same behind a beginning (`  - `), which the further lines leave blank.
pub(super) fn wrap_behind(beginning: &str, text: &str, width: usize) -> String {
    let lines = wrap(text, width, beginning.chars().count());
    format!("{beginning}{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_hang_below_the_first() {
        assert_eq!(wrap("one two three", 9, 2), ["one two", "  three"]);
        assert_eq!(wrap("one", 9, 2), ["one"]);
        assert_eq!(wrap("incompressible text", 5, 2), ["incompressible", "  text"]);
        assert_eq!(wrap_behind("  - ", "one two three", 11), "  - one two\n    three\n");
    }

    #[test]
    fn a_command_at_the_end_stays_in_one_piece() {
        assert_eq!(
            wrap("replace it now: signerctl ca-pool rotate --file p.json", 24, 2),
            ["replace it now:", "  signerctl ca-pool rotate --file p.json"]
        );
    }
}

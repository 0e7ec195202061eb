//! Texts that others wrote, made fit for logs, events and pages: bounded, and on one line.

/// At most so many bytes, with an ellipsis where something is missing.
pub(crate) fn truncated(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most.saturating_sub('…'.len_utf8())).rev().find(|end| text.is_char_boundary(*end));
    format!("{}…", &text[..end.unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(truncated("äöü", 6), "äöü");
        assert_eq!(truncated("äöüä", 7), "äö…");
        assert_eq!(truncated("äöüä", 2), "…");
    }
}
